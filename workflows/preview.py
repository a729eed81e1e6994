"""What an approver is shown, made once when the request is raised.

The card is drawn from this alone, and the auditor reads the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.actions.base import Effect, Plan
from workflows.definition import Definition
from workflows.definition_steps import Step
from workflows.demand import Demand
from workflows.entry import Json, RequestId, RunId
from workflows.moments import stamp
from workflows.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that goes into a preview."""

    run: RunId
    request: RequestId
    definition: Definition
    step: Step
    effect: Effect
    plan: Plan
    inputs: Mapping[str, Json]
    requester: Person | None
    demand: Demand
    expires: datetime
    digest: str
    changed: Sequence[str] = ()


def preview(shown: Shown) -> dict[str, Json]:
    """Return the preview as JSON."""
    definition, step = shown.definition, shown.step
    return {
        "v": 1,
        "run": shown.run,
        "request": shown.request,
        "workflow": definition.workflow,
        "title": definition.title,
        "version": definition.version,
        "step": step.id,
        "action": step.uses,
        "effect": shown.effect.value,
        "headline": shown.plan.summary,
        "lines": list(shown.plan.lines),
        "lines_total": len(shown.plan.lines),
        "inputs": _inputs(definition, shown.inputs),
        "requester": _requester(shown.requester),
        "rules": list(shown.demand.rules),
        "stages": [
            {"from": list(one.asked), "approve": one.approve, "deny": one.deny}
            for one in shown.demand.stages
        ],
        "needs_reason": shown.demand.needs_reason,
        "expires": stamp(shown.expires),
        "digest": shown.digest[:8],
        "changed": list(shown.changed),
        **({} if shown.demand.step_up is None else {"step_up": shown.demand.step_up}),
    }


def _inputs(definition: Definition, inputs: Mapping[str, Json]) -> list[Json]:
    """Return titles and values in the order of the form."""
    return [
        [definition.inputs[name].title or name, _text(inputs[name])]
        for name in definition.inputs
        if inputs.get(name) is not None
    ]


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _requester(person: Person | None) -> Json:
    return None if person is None else {"id": person.id, "name": person.name}


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """Say what changed between two previews, in lines a person understands."""
    told = [
        f"{name}: {_text(before.get(name))} → {_text(after.get(name))}"
        for name in ("headline", "version")
        if before.get(name) != after.get(name)
    ]
    old, new = _lines(before), _lines(after)
    told += [f"no longer: {line}" for line in old if line not in new]
    told += [f"now: {line}" for line in new if line not in old]
    return told


def _lines(shown: Mapping[str, Json]) -> list[str]:
    lines = shown.get("lines")
    return [str(line) for line in lines] if isinstance(lines, list) else []
