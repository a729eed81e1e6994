"""What the page of a shipped workflow has to show of its file, as rows of its three tables.

Written from the definition and its policy alone, in the words of the pages: who may ask, which
inputs there are, and for each step its effect, who is asked, whether it is proved and undone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from storage.rows import DatabaseRows
from tests.docs.pages import ROOT
from workflows.actions.registry import all_actions
from workflows.catalog import Catalog
from workflows.definition import Definition
from workflows.definition_flow import Flow, ForEach, Until, Wait
from workflows.definition_inputs import BooleanInput, EnumInput, Input, IntegerInput, ListInput
from workflows.definition_steps import Step, Undo
from workflows.demand import Demand, Match
from workflows.duration import duration_text
from workflows.explaining import ExplainedStep, Given, explain
from workflows.input_words import in_words
from workflows.loading import load_policy
from workflows.policy import Policy
from workflows.policy_explain import turn_words
from workflows.procedure import Procedures
from workflows.step_scope import Actions

SHIPPED = ROOT / "workflows/definitions"
FOLDERS = {SHIPPED: "demo-policy.yaml", SHIPPED / "library": "policy.yaml"}
PAGES = ROOT / "docs/library"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TARGETS = ("service", "database", "program")

Row: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A shipped workflow with the policy that it is shipped with."""

    file: Path
    definition: Definition
    policy: Policy
    actions: Actions

    @property
    def page(self) -> Path:
        """Return where its page has to be."""
        return PAGES / f"{self.definition.workflow}.md"


def shipped() -> Iterator[Shipped]:
    """Yield every workflow that is shipped."""
    for folder, name in FOLDERS.items():
        policy = load_policy(folder / name)
        actions = all_actions(policy.targets, DatabaseRows(now=lambda: NOON))
        for one in Catalog.load([folder], actions, policy).definitions():
            file = folder / f"{one.workflow}.yaml"
            yield Shipped(file=file, definition=one, policy=policy, actions=actions)


def glance(one: Shipped) -> Iterator[Row]:
    """Yield who may ask, who answers for it, which rules ask, and what it touches."""
    definition = one.definition
    yield "may ask", _code(definition.may_run)
    yield "owner, deputy", _code([definition.owner, definition.deputy])
    if definition.lock is not None:
        yield "one at a time", _code([definition.lock])
    if definition.schedules:
        yield "by itself", _code([when.cron for when in definition.schedules])
    rules = dict.fromkeys(
        rule.why.rule
        for step in _explained(one).values()
        for rule in step.rules
        if rule.why.match is not Match.PASSED_BY and rule.why.when
    )
    yield "rules", _code(rules) or "none"
    yield "targets", _code(_targets(definition)) or "none"


def summary(one: Shipped) -> Row:
    """Return how the index begins its row: where its page is, the gravest effect, who is asked."""
    own = [step for (_, is_undo), step in _explained(one).items() if not is_undo]
    gravest = max((step.effect for step in own), key=lambda effect: effect.rank)
    asked = dict.fromkeys(_asked(step).partition(", within")[0] for step in own)
    people = [who for who in asked if who != "nobody"] or ["nobody"]
    name = one.definition.workflow
    return f"[`{name}`](library/{name}.md)", gravest.value, "; ".join(people)


def demands(one: Shipped) -> Iterator[tuple[str, Demand]]:
    """Yield each step about which somebody is asked, its undoing left out, and what is asked."""
    for (step, is_undo), explained in _explained(one).items():
        if explained.told.demand is not None and not is_undo:
            yield step, explained.told.demand


def inputs(definition: Definition) -> Iterator[Row]:
    """Yield each input: its name, title, kind, and what stands there if nobody fills it in."""
    for name, spec in definition.inputs.items():
        yield f"`{name}`", spec.title or "", _kind(spec), _default(spec)


def steps(one: Shipped) -> Iterator[Row]:
    """Yield each step: its name, title, effect, who is asked, its proof, and what takes it back."""
    explained = _explained(one)
    for node in one.definition.outline.values():
        step = node.step
        inside = "↳ " * len(node.loops)
        yield f"{inside}`{step.id}`", step.shown, *_about(step, explained)


def table(page: str, heading: str) -> list[Row]:
    """Return the rows of the table under a heading of a page, its head left out."""
    parts = re.split(r"^(?=##? )", page, flags=re.MULTILINE)
    found = next((part for part in parts if part.startswith(f"{heading}\n")), "")
    lines = [line for line in found.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def _about(step: Flow, explained: Mapping[tuple[str, bool], ExplainedStep]) -> Row:
    if isinstance(step, Wait):
        until = isinstance(step.wait, Until)
        return "waits " + ("until then" if until else duration_text(step.wait)), "", "", ""
    if isinstance(step, ForEach):
        return f"for each `{step.item}`", "", "", ""
    assert isinstance(step, Step), "The pages know no other form of a step yet."
    judged = explained.get((step.id, False))
    if judged is None:
        return "read", "", "", ""
    proof = "yes" if step.verify is not None else "no"
    back = _back(step, explained.get((step.id, True)))
    return judged.effect.value, _asked(judged), proof, back


def _back(step: Step, undo: ExplainedStep | None) -> str:
    if not isinstance(step.undo, Undo) or undo is None:
        return "none"
    return f"yes; asks {_asked(undo)}"


def _asked(one: ExplainedStep) -> str:
    demand = one.told.demand
    if demand is None:
        return "nobody"
    turns = [re.sub(r"\b1 of | \(1 may reject\)", "", turn) for turn in turn_words(demand)]
    people = ", then ".join(re.sub(r"(@[\w-]+)", r"`\1`", turn) for turn in turns)
    return f"{people}, within {duration_text(demand.expires)}"


def _explained(one: Shipped) -> Mapping[tuple[str, bool], ExplainedStep]:
    procedure = Procedures(one.actions).of(one.definition)
    given = Given(inputs={}, requester="", at=NOON)
    found = explain(one.policy, procedure, one.actions, given)
    return {(each.step.step, each.step.is_undo): each for each in found}


def _targets(definition: Definition) -> Sequence[str]:
    named = (
        f"{kind} {step.arguments[kind]}"
        for step in definition.works
        for kind in TARGETS
        if kind in step.arguments
    )
    return list(dict.fromkeys(named))


def _kind(spec: Input) -> str:
    if isinstance(spec, ListInput):
        return f"list of {_kind(spec.of)}, {spec.max_items} at most"
    if isinstance(spec, EnumInput):
        return f"one of {', '.join(spec.choices)}"
    if isinstance(spec, IntegerInput):
        return f"integer, {spec.minimum} to {spec.maximum}"
    example = getattr(spec, "example", None)
    return spec.type if example is None else f"{spec.type} such as `{example}`"


def _default(spec: Input) -> str:
    default = getattr(spec, "default", None)
    if default is not None:
        return in_words(default, spec)
    if isinstance(spec, BooleanInput):
        return "no"
    return "needed" if spec.required else "may stay open"


def _code(words: Sequence[str] | Mapping[str, None]) -> str:
    return ", ".join(f"`{word}`" for word in words)
