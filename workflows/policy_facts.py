"""What the rules of a policy may ask about, and how a condition stands to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from workflows.actions.base import Concern, Effect
from workflows.demand import Match
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.shapes import STRING, Kind, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may ask about: one step of one run, at one moment."""

    effect: Effect
    workflow: str
    step: str
    action: str
    requester: str  # As configured or shown: "@rita", "schedule".
    at: datetime
    # Who has to agree because this version is on trial, nobody where it is not.
    watchers: tuple[str, ...] = ()
    inputs: Mapping[str, Json] = field(default_factory=dict)
    args: Mapping[str, Json] = field(default_factory=dict)
    concern: Concern | None = None  # Only of a step that changes the catalog.
    are_args_of_a_model: bool = False  # Then no rule may look at them and decide by them.


_OPEN = Shape(kind=Kind.OBJECT)
_INTEGER = Shape(kind=Kind.INTEGER)
_NAMES = {
    **dict.fromkeys(("effect", "workflow", "step", "action", "requester"), STRING),
    **dict.fromkeys(("hour", "weekday"), _INTEGER),
    **dict.fromkeys(("inputs", "args"), _OPEN),
}


@lru_cache(maxsize=1)
def rule_environment() -> Environment:
    """Return what the condition of a rule may name, the same for every policy."""
    return Environment(_NAMES)


def told_of(facts: Facts, timezone: str) -> dict[str, Json]:
    """Return what conditions see of `facts`, by their names; hours are those of `timezone`."""
    here = facts.at.astimezone(ZoneInfo(timezone))
    # Without them a condition that looks at them has no value, and its rule asks.
    args: dict[str, Json] = {} if facts.are_args_of_a_model else {"args": dict(facts.args)}
    return {
        "effect": facts.effect.value,
        "workflow": facts.workflow,
        "step": facts.step,
        "action": facts.action,
        "requester": facts.requester,
        "hour": here.hour,
        "weekday": here.isoweekday(),
        "inputs": dict(facts.inputs),
        **args,
    }


def stands(condition: str, told: Mapping[str, Json]) -> tuple[Match, str]:
    """Return how a condition stands, and why it gave neither true nor false."""
    if "args" not in told and not rule_environment().may_hold(condition, told):
        return Match.PASSED_BY, ""
    try:
        applies = rule_environment().evaluate(condition, told)
    except ExpressionError as error:
        return Match.UNSURE, error.message
    if not isinstance(applies, bool):
        return Match.UNSURE, f"it gave {applies!r}"
    return (Match.MATCHED if applies else Match.PASSED_BY), ""
