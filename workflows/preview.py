"""What an approver is shown, made once when the request is raised.

The card is drawn from this alone, and the auditor reads the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from workflows.actions.base import Effect, Plan
from workflows.definition import Definition
from workflows.definition_steps import Step
from workflows.demand import Demand, DemandStage, Match
from workflows.entry import Json, RequestId, RunId
from workflows.input_words import in_words, live_in
from workflows.moments import stamp
from workflows.own_workflows import run_title
from workflows.people import Person
from workflows.separation import Duty

BY_MODEL = "🤖 Partly by a language model: "


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
    raised: datetime
    expires: datetime
    digest: str
    left_out: Mapping[Person, Duty]
    changed: Sequence[str] = ()
    by_model: Sequence[str] = ()  # The arguments that a language model filled.
    limits: Mapping[str, Json] = field(default_factory=dict)  # Only what there is.


def preview(shown: Shown) -> dict[str, Json]:
    """Return the preview as JSON."""
    definition, step = shown.definition, shown.step
    return {
        "v": 1,
        "run": shown.run,
        "request": shown.request,
        "workflow": definition.workflow,
        "title": run_title(definition, shown.inputs),
        "version": definition.version,
        "step": step.id,
        "action": step.uses,
        "effect": shown.effect.value,
        "headline": _headline(shown),
        "lines": list(shown.plan.lines),
        "lines_total": len(shown.plan.lines),
        "inputs": _inputs(definition, shown.inputs),
        **_live(definition, shown.inputs),
        "requester": _requester(shown.requester),
        "rules": list(shown.demand.rules),
        "stages": [_stage(one) for one in shown.demand.stages],
        "needs_reason": shown.demand.needs_reason,
        "expires": stamp(shown.expires),
        "digest": shown.digest[:8],
        "changed": list(shown.changed),
        **{name: one for name, one in _terms(shown) if one},
        **shown.limits,
        **({} if shown.demand.step_up is None else {"step_up": shown.demand.step_up}),
    }


def _headline(shown: Shown) -> str:
    """Return the line that stands for the request in every list, with whose words they are."""
    return f"{BY_MODEL}{shown.plan.summary}" if shown.by_model else shown.plan.summary


def _stage(stage: DemandStage) -> Json:
    told: dict[str, Json] = {
        "from": list(stage.asked),
        "approve": stage.approve,
        "deny": stage.deny,
    }
    return told if stage.turn is None else {**told, "turn": stage.turn}


def _terms(shown: Shown) -> Iterator[tuple[str, list[Json]]]:
    """Yield what else holds for the decision; a request of the plain sort has none of it."""
    demand = shown.demand
    yield "reason_hints", [one.hint for one in demand.patterns]
    yield "hours", [str(one) for one in demand.hours]
    yield (
        "escalate",
        [{"at": stamp(shown.raised + one.after), "to": list(one.to)} for one in demand.escalations],
    )
    yield (
        "left_out",
        [
            {"id": one.id, "name": one.name, "duty": duty.value}
            for one, duty in shown.left_out.items()
            if duty is not Duty.REQUESTER
        ],
    )
    yield "by_model", list(shown.by_model)
    yield "auto", [[one.rule, one.because] for one in demand.why if one.match is Match.AUTO]


def _inputs(definition: Definition, inputs: Mapping[str, Json]) -> list[Json]:
    """Return titles and values in the order of the form."""
    return [
        [definition.inputs[name].title or name, in_words(inputs[name], definition.inputs[name])]
        for name in _given(definition, inputs)
    ]


def _live(definition: Definition, inputs: Mapping[str, Json]) -> dict[str, Json]:
    """Return which of those values Slack shows better for each reader: row, kind, id or moment."""
    found: list[Json] = [
        [row, kind, what]
        for row, name in enumerate(_given(definition, inputs))
        for kind, what in live_in(inputs[name], definition.inputs[name])
    ]
    return {"live": found} if found else {}


def _given(definition: Definition, inputs: Mapping[str, Json]) -> list[str]:
    return [name for name in definition.inputs if inputs.get(name) is not None]


def _requester(person: Person | None) -> Json:
    return None if person is None else {"id": person.id, "name": person.name}


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """Say what changed between two previews, in lines a person understands."""
    told = [
        f"{name}: {before.get(name)} → {after.get(name)}"
        for name in ("headline", "version")
        if before.get(name) != after.get(name)
    ]
    old, new = _lines(before), _lines(after)
    told += _input_changes(before, after)
    told += [f"no longer: {line}" for line in old if line not in new]
    told += [f"now: {line}" for line in new if line not in old]
    return told


def changed_values(
    definition: Definition, before: Mapping[str, Json], after: Mapping[str, Json]
) -> list[str]:
    """Say which inputs have other values, in lines a person understands."""
    old, new = ({"inputs": _inputs(definition, one)} for one in (before, after))
    return _input_changes(old, new)


def _input_changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    old, new = _values(before), _values(after)
    return [
        f"{title}: {old.get(title, 'nothing')} → {new.get(title, 'nothing')}"
        for title in dict.fromkeys((*old, *new))
        if old.get(title) != new.get(title)
    ]


def _values(shown: Mapping[str, Json]) -> dict[str, str]:
    pairs = shown.get("inputs")
    found = [one for one in pairs if isinstance(one, list)] if isinstance(pairs, list) else []
    return {str(title): str(value) for title, value in found}


def _lines(shown: Mapping[str, Json]) -> list[str]:
    lines = shown.get("lines")
    return [str(line) for line in lines] if isinstance(lines, list) else []
