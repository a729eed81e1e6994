"""The terms of a request beside its stages: read from the entry that asked, or from its row.

An entry carries only the terms it has; so one without any has the bytes it always had.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from workflows.demand import Demand
from workflows.entry import Json, Ref
from workflows.policy_escalation import Escalation
from workflows.policy_hours import OpenHours
from workflows.policy_reason import ReasonPattern
from workflows.separation import Duty

# The fields of approval.requested that hold terms; a request's row keeps them as they are.
FIELDS = ("duties", "exclude", "patterns", "hours", "escalate", "step_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under which terms a request can be decided.

    `duties` say why each excluded person is, `exclude` names groups and people who are left
    out whenever they join. An approval's reason has to fit all `patterns`, and it has to be
    given while all `hours` are open. `escalations` come in order. `step_up` says which sort of
    code an approver types as well, if any.
    """

    duties: Mapping[Ref, Duty] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    patterns: tuple[ReasonPattern, ...] = ()
    hours: tuple[OpenHours, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    step_up: str | None = None


def terms_data(demand: Demand, duties: Iterable[Duty]) -> dict[str, Json]:
    """Return the terms as an entry carries them; `duties` go with its `excluded`, one by one."""
    found: dict[str, Json] = {
        "duties": [one.value for one in duties],
        "exclude": list(demand.exclude),
        "patterns": [{"pattern": one.pattern, "hint": one.hint} for one in demand.patterns],
        "hours": [one.json() for one in demand.hours],
        "escalate": [
            {
                "after": int(one.after.total_seconds()),
                "to": list(one.to),
                "stages": list(one.stages),
            }
            for one in demand.escalations
        ],
        "step_up": demand.step_up,
    }
    return {name: one for name, one in found.items() if one}


def terms_in(data: Mapping[str, Json]) -> dict[str, Json]:
    """Return the terms among the data of an entry, as they stand there."""
    return {name: data[name] for name in FIELDS if name in data}


def terms_of(data: Mapping[str, Json], excluded: Sequence[Ref]) -> Terms:
    """Return the terms that an entry or a row carries."""
    duties = [Duty(str(one)) for one in _list(data, "duties")]
    return Terms(
        duties=dict(zip(excluded, duties, strict=False)),
        exclude=tuple(str(one) for one in _list(data, "exclude")),
        patterns=tuple(_pattern(one) for one in _objects(data, "patterns")),
        hours=tuple(OpenHours.read(one) for one in _objects(data, "hours")),
        escalations=tuple(_escalation(one) for one in _objects(data, "escalate")),
        step_up=str(data["step_up"]) if data.get("step_up") else None,
    )


def _pattern(stored: Mapping[str, Json]) -> ReasonPattern:
    # It was checked when the policy was read.
    return ReasonPattern.model_construct(pattern=str(stored["pattern"]), hint=str(stored["hint"]))


def _escalation(stored: Mapping[str, Json]) -> Escalation:
    after, stages = stored["after"], _list(stored, "stages")
    return Escalation(
        after=timedelta(seconds=after if isinstance(after, int) else 0),
        to=tuple(str(one) for one in _list(stored, "to")),
        stages=tuple(one for one in stages if isinstance(one, int)),
    )


def _list(data: Mapping[str, Json], name: str) -> list[Json]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def _objects(data: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    return [one for one in _list(data, name) if isinstance(one, dict)]
