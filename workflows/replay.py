"""A run's history folded into where it stands. Pure: entries in, state out.

The entries are the execution history, so a process that takes a run up again knows exactly
what this module makes of them, and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from workflows.changing import changed
from workflows.entry import Entry, Json, Ref, RequestId, RunId
from workflows.quick_json import loaded
from workflows.revised import edited, inputs_in, moved
from workflows.run import DIED, LEFT, MARKED, Phase, RunState, Status, StepState, Voice


def replay(run: RunId, entries: Iterable[Entry]) -> RunState:
    """Return where a run stands after `entries`, which are all of its entries in order."""
    state = RunState(id=run, steps=_Folding())
    for entry in entries:
        state = after(state, entry)
    return changed(state, steps=dict(state.steps))


class _Folding(dict[str, StepState]):
    """The steps while a whole history is folded: nobody keeps a state on the way.

    So they are written into, and not copied for each entry, which for a loop over thousands of
    items took longer than all the rest.
    """


def after(state: RunState, entry: Entry) -> RunState:
    """Return where the run stands once `entry` is added."""
    worked = state.worked
    if state.moved_at is not None and not state.is_waiting:
        worked += max(timedelta(), entry.at - state.moved_at)
    told = {"rseq": entry.rseq, "moved_at": entry.at, "worked": worked, "is_queued": False}
    held = state.held - {str(entry.data.get("step"))} if state.held else state.held
    return changed(state, **{**told, "held": held, **_changed(state, entry)})


def _changed(state: RunState, entry: Entry) -> Mapping[str, Any]:
    """Return the fields of the run that `entry` changes beside its place and its time."""
    whole = _WHOLE.get(entry.kind)
    if whole is not None:
        return whole(entry)
    revised = _REVISED.get(entry.kind)
    if revised is not None:
        return revised(state, entry)
    if entry.kind.startswith("approval."):
        return _after_approval(state, entry)
    change, name = _CHANGES.get(entry.kind), entry.data.get("step")
    if change is None or not isinstance(name, str):
        return {}
    step = state.step(name)
    if entry.kind == "decision.made":
        return _after_decision(state, entry, name)
    if entry.kind in _ENDS_OF_AN_ATTEMPT and entry.data["attempt"] != step.attempt:
        # The late end of an earlier attempt; a newer one is under way.
        is_news = entry.data.get("happened") == "yes" and step.effect_rseq < 0
        return _with_step(state, name, changed(step, effect_rseq=entry.rseq)) if is_news else {}
    return _with_step(state, name, change(step, entry))


def _after_decision(state: RunState, entry: Entry, name: str) -> Mapping[str, Any]:
    match entry.data["decision"]:
        case "cancel":
            return {"cancel_asked": True}
        case "queue":
            return {"is_queued": True}
    step = _decided(state.step(name), entry)
    found = {**_with_step(state, name, step), "left": state.left + step.is_left}
    match entry.data["decision"]:
        case "undo":
            return {**found, "is_undoing": True}
        case "abort":
            return {**found, "is_aborted": True}
        case "hold":
            return {**found, "held": state.held | {name}}
        case "retry":
            return {**found, "worked": timedelta()}  # A deadline begins anew.
    return found


def _ended(entry: Entry) -> Mapping[str, Any]:
    return {"ended": Status(str(entry.data["outcome"]))}


def _cancelled(_entry: Entry) -> Mapping[str, Any]:
    return {"ended": Status.CANCELLED}


def _started(entry: Entry) -> Mapping[str, Any]:
    parent = entry.data.get("parent")
    return {
        "workflow": str(entry.data["workflow"]),
        "version": str(entry.data["version"]),
        "requester": entry.actor,
        "source": str(entry.data.get("source") or ""),
        "parent": RunId(str(parent["run"])) if isinstance(parent, dict) else None,
        "depth": _number(parent.get("depth")) if isinstance(parent, dict) else 0,
        "is_shadow": entry.data.get("shadow") is True,
        "inputs": inputs_in(entry),
        "started_at": entry.at,
    }


def _with_step(state: RunState, name: str, step: StepState) -> Mapping[str, Any]:
    found: dict[str, Any] = {"steps": _with(state.steps, name, step)}
    if step.phase in MARKED or name in state.marked:
        others = {one: phase for one, phase in state.marked.items() if one != name}
        found["marked"] = others | ({name: step.phase} if step.phase in MARKED else {})
    return found


def _with(steps: Mapping[str, StepState], name: str, step: StepState) -> Mapping[str, StepState]:
    if isinstance(steps, _Folding):
        steps[name] = step
        return steps
    return {**steps, name: step}


def _after_approval(state: RunState, entry: Entry) -> Mapping[str, Any]:
    request = entry.data.get("request")
    name = entry.data.get("step") or next(
        (name for name, step in state.steps.items() if step.request == request), None
    )
    if not isinstance(name, str):
        return {}
    step = state.step(name)
    if entry.kind != "approval.requested" and step.request != request:
        return {}
    return _with_step(state, name, _approval(step, entry))


def _approval(step: StepState, entry: Entry) -> StepState:
    match entry.kind:
        case "approval.requested":
            return changed(
                step,
                phase=Phase.ASKED,
                request=RequestId(str(entry.data["request"])),
                next_request=None,
                stands=True,
                asked=entry,
                approvers=(),
                changed_at=entry.at,
            )
        case "approval.granted":
            phase = Phase.APPROVED if entry.data.get("settles") else step.phase
            return changed(
                step,
                phase=phase,
                approvers=(*step.approvers, _voice(entry)),
                granted_at=entry.at,
                changed_at=entry.at,
            )
        case "approval.denied" if entry.data.get("settles"):
            return _refused(step, entry, "denied")
        case "approval.expired":
            return _refused(step, entry, "expired")
        case "approval.withdrawn":
            voids = step.approvals_void + 1
            return changed(
                step, phase=Phase.PENDING, request=None, stands=False, approvals_void=voids
            )
    return step


def _voice(entry: Entry) -> Voice:
    stands_for = entry.data.get("for")
    return Voice(
        approver=Ref(entry.actor.ref),
        stage=_number(entry.data["stage"]),
        at=entry.at,
        stands_for=Ref(stands_for) if isinstance(stands_for, str) else None,
    )


def _refused(step: StepState, entry: Entry, how: str) -> StepState:
    return changed(step, phase=Phase.REFUSED, refusal=how, stands=False, changed_at=entry.at)


def _output(entry: Entry) -> Json:
    part = entry.parts.get("output")
    if part is None or part.value is None:
        return None
    # Of bytes the parser would first guess the encoding, for as long as it takes to parse them.
    value: Json = loaded(part.value.decode())
    return value


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _observed(step: StepState, entry: Entry) -> StepState:
    attempt = _number(entry.data["attempt"])
    if entry.data["outcome"] == "ok":
        was_waiting = step.phase in (Phase.PENDING, Phase.FAILED, Phase.OBSERVED)
        return changed(
            step,
            phase=Phase.OBSERVED if was_waiting else step.phase,
            attempt=attempt,
            output=_output(entry),
            changed_at=entry.at,
        )
    return _failed(step, entry)


def _intended(step: StepState, entry: Entry) -> StepState:
    return changed(
        step,
        phase=Phase.INTENDED,
        attempt=_number(entry.data["attempt"]),
        stands=False,
        intended=entry,
        changed_at=entry.at,
    )


def _executed(step: StepState, entry: Entry) -> StepState:
    if step.is_settled:
        # A late answer: what it tells is new, that it happened is not, nor when.
        return step if step.phase is Phase.SKIPPED else changed(step, output=_output(entry))
    return changed(
        step,
        phase=Phase.EXECUTED,
        output=_output(entry),
        effect_rseq=entry.rseq,
        changed_at=entry.at,
    )


def _failed(step: StepState, entry: Entry) -> StepState:
    # An effect that certainly did not happen leaves its approval to the next attempt.
    is_given_back = entry.data.get("performed") == "no" and step.request is not None
    return changed(
        step,
        phase=Phase.FAILED,
        stands=step.stands or is_given_back,
        attempt=_number(entry.data["attempt"]),
        failures=step.failures + 1,
        error_class=str(entry.data.get("error_class") or ""),
        performed=_performed(step, entry),
        may_retry=bool(entry.data.get("again", True)),
        changed_at=entry.at,
    )


def _performed(step: StepState, entry: Entry) -> str:
    """Return how much of an effect may stand: what one attempt did in part, no later one undoes."""
    now = str(entry.data.get("performed", "no"))
    return "partly" if now == "no" and step.performed == "partly" else now


def _in_doubt(step: StepState, entry: Entry) -> StepState:
    # The moment of the intent stays: a probe's "no" counts only after the attempt's deadline.
    return changed(step, phase=Phase.IN_DOUBT, error_class=str(entry.data["cause"]))


def _resolved(step: StepState, entry: Entry) -> StepState:
    happened, by_person = entry.data["happened"], entry.data["by"] == "person"
    if happened == "yes" and step.is_settled:
        return step
    if happened == "yes":
        return changed(step, phase=Phase.EXECUTED, effect_rseq=entry.rseq, changed_at=entry.at)
    if happened == "unknown":
        return changed(step, phase=Phase.EXCEPTION, trouble=entry.id, performed="unknown")
    if by_person:
        # What a person sends again asks for approval again.
        return changed(step, phase=Phase.PENDING, request=None, failures=0)
    return changed(
        step,
        phase=Phase.FAILED,
        stands=step.request is not None,
        failures=step.failures + 1,
        error_class="not_performed",
        performed="partly" if step.performed == "partly" else "no",
        may_retry=True,
        changed_at=entry.at,
    )


def _decided(step: StepState, entry: Entry) -> StepState:
    stops = entry.data["decision"] in ("exception", "skip") and entry.data["rule"] != DIED
    if stops and step.phase is Phase.CALLED:
        # The end of its run would stand between: this one was refused before it began.
        step = changed(step, child=None)
    match entry.data["decision"]:
        case "skip":
            is_left = entry.data["rule"] == LEFT
            return changed(
                step, phase=Phase.SKIPPED, stands=False, is_left=is_left, changed_at=entry.at
            )
        case "exception":
            return changed(step, phase=Phase.EXCEPTION, trouble=entry.id, changed_at=entry.at)
        case "retry":
            return changed(step, phase=Phase.PENDING, request=None, stands=False, failures=0)
        case "branch":
            return changed(step, phase=Phase.OBSERVED, changed_at=entry.at)
        case "abort" | "undo":
            return _refused(step, entry, "aborted")
    return step


def _wait_started(step: StepState, entry: Entry) -> StepState:
    until, child = entry.data["until"], entry.data.get("child")
    return changed(
        step,
        phase=Phase.TIMED if child is None else Phase.CALLED,
        attempt=step.attempt + 1,
        until=datetime.fromisoformat(until) if isinstance(until, str) else None,
        child=RunId(child) if isinstance(child, str) else None,
        changed_at=entry.at,
    )


def _wait_ended(step: StepState, entry: Entry) -> StepState:
    told = {name: entry.data[name] for name in ("run", "outcome") if name in entry.data}
    return changed(step, phase=Phase.DONE, output=told or None, changed_at=entry.at)


def _asked(step: StepState, entry: Entry) -> StepState:
    return changed(
        step,
        phase=Phase.QUESTIONED,
        attempt=step.attempt + 1,
        request=RequestId(str(entry.data["request"])),
        asked=entry,
        until=datetime.fromisoformat(str(entry.data["expires"])),
        changed_at=entry.at,
    )


def _answered(step: StepState, entry: Entry) -> StepState:
    if step.is_shadow:  # Of an effect that never was, nothing is there for later steps.
        return changed(step, phase=Phase.SKIPPED, changed_at=entry.at)
    part = entry.parts.get("comment")
    answer = loaded(part.value) if part is not None and part.value is not None else None
    return changed(step, phase=Phase.DONE, output=answer, changed_at=entry.at)


def _verified(step: StepState, entry: Entry) -> StepState:
    return changed(step, phase=Phase.VERIFIED, changed_at=entry.at)


def _unverified(step: StepState, entry: Entry) -> StepState:
    return changed(
        step,
        phase=Phase.EXCEPTION,
        trouble=entry.id,
        error_class=entry.kind.replace(".", "_"),
        performed="yes",
        changed_at=entry.at,
    )


def _glass_broken(step: StepState, entry: Entry) -> StepState:
    if entry.data["request"] != step.request:
        return step
    return changed(
        step, phase=Phase.APPROVED, glass=entry, granted_at=entry.at, changed_at=entry.at
    )


_ENDS_OF_AN_ATTEMPT = frozenset({"action.executed", "action.failed", "action.resolved"})

_WHOLE: Mapping[str, Callable[[Entry], Mapping[str, Any]]] = {
    "run.started": _started,
    "run.finished": _ended,
    "run.cancelled": _cancelled,
}

_REVISED: Mapping[str, Callable[[RunState, Entry], Mapping[str, Any]]] = {
    "approval.edited": edited,
    "run.moved": moved,
}

_CHANGES: Mapping[str, Callable[[StepState, Entry], StepState]] = {
    "step.observed": _observed,
    "break_glass.used": _glass_broken,
    "action.intended": _intended,
    "action.executed": _executed,
    "action.failed": _failed,
    "action.in_doubt": _in_doubt,
    "action.resolved": _resolved,
    "decision.made": _decided,
    "verification.passed": _verified,
    "verification.failed": _unverified,
    "verification.unknown": _unverified,
    "wait.started": _wait_started,
    "wait.ended": _wait_ended,
    "question.asked": _asked,
    "question.answered": _answered,
}
