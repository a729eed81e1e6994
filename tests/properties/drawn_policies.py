"""Policies that drawn workflows run under, and what can be published under the plainest."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.world import ChangeWorld, ListWorld, ReadWorld, World, definition_in, policy_in
from workflows.actions.base import Action
from workflows.actions.slack import SlackPostAction
from workflows.check import check_text

DESTRUCTIVE = """
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 1}]
"""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A policy, and the effects that it never lets through unasked."""

    text: str
    asks: frozenset[str] = frozenset({"destructive"})


POLICIES: Mapping[str, Rules] = {
    "calm": Rules(text=f"defaults: {{expires: 24h}}\nrules:{DESTRUCTIVE}"),
    "strict": Rules(
        text="""
defaults: {expires: 6h, sticky: 2d}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], deny: 2}, {from: ["@directors"], approve: 1}]
    remind: [1h, 2h]
    escalate: {after: 90m, to: ["@deputies"]}
  - name: all else
    when: effect == "write" || effect == "egress"
    stages: [{from: ["@deciders", "@directors"]}]
    nudge: {after: 10m}
""",
        asks=frozenset({"destructive", "write", "egress"}),
    ),
    "together": Rules(
        text=f"""
defaults: {{expires: 24h}}
rules:{DESTRUCTIVE}
  - {{name: items, when: effect == "write", stages: [{{from: ["@deciders"]}}], batch: true}}
""",
        asks=frozenset({"destructive", "write"}),
    ),
    "sparing": Rules(
        text=f"""
defaults: {{expires: 24h}}
rules:{DESTRUCTIVE}
  - name: all else
    when: effect == "write"
    stages: [{{from: ["@deciders"]}}]
    auto: {{when: args.by < 2, because: It is little.}}
"""
    ),
    "limited": Rules(
        text=f"""
defaults: {{expires: 24h}}
rules:{DESTRUCTIVE}
budgets:
  - {{name: all, when: effect != "read", amount: 1, limit: 4, window: 24h}}
  - {{name: big, when: action == "world.change", amount: args.by, per: workflow, limit: 7,
      window: 1h}}
freezes:
  - {{name: afternoons, weekly: {{weekdays: [1, 2, 4], from: "14:00", to: "18:00"}}}}
"""
    ),
    "emergency": Rules(
        text=f"""
defaults: {{expires: 24h}}
roles: {{governors: ["@governors"]}}
break_glass: {{people: ["@deputies"], by: ["@owners"], review: 24h, when: workflow == "main"}}
rules:{DESTRUCTIVE}
  - {{name: posts, when: effect == "egress", stages: [{{from: ["@deciders"]}}]}}
""",
        asks=frozenset({"destructive", "egress"}),
    ),
    "watched": Rules(
        text=f"""
defaults: {{expires: 24h}}
rules:{DESTRUCTIVE}
production: {{runs: 2, varied: 1, error_budget: {{failures: 1, runs: 4}}}}
"""
    ),
    "in shadow": Rules(
        text=f"""
defaults: {{expires: 24h}}
rules:{DESTRUCTIVE}
production: {{runs: 2, varied: 1, error_budget: {{failures: 1, runs: 4}}, shadow: [main]}}
"""
    ),
}


@cache
def actions() -> Mapping[str, Action[Any, Any]]:
    """Return the actions of drawn workflows, for `check`."""
    world = World()
    found: tuple[Action[Any, Any], ...] = (
        ReadWorld(world),
        ListWorld(world),
        ChangeWorld(world),
        SlackPostAction(),
    )
    return {one.name: one for one in found}


@cache
def is_sound(text: str) -> bool:
    """Say whether a file could be published under the plainest policy."""
    found, _ = check_text(text, "drawn.yaml", actions(), policy=policy_in(POLICIES["calm"].text))
    return found is not None and definition_in(text) == found
