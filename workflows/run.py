"""A run's history folded into where it stands. Pure: entries in, state out.

The entries are the execution history, so a process that takes a run up again knows exactly
what this module makes of them, and nothing else.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from workflows.entry import Actor, Entry, Json, Ref, RequestId, RunId


class Status(StrEnum):
    """Where a run stands; the last seven are ends (AUDIT.md's outcomes, and cancelled)."""

    QUEUED = "queued"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    EXCEPTION = "exception"
    DONE = "done"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    ABORTED = "aborted"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self in _ENDS


_ENDS = frozenset(list(Status)[list(Status).index(Status.DONE) :])


class Phase(StrEnum):
    """Where one step stands."""

    PENDING = "pending"  # Not begun, or to be begun again.
    OBSERVED = "observed"  # A read that answered.
    ASKED = "asked"  # An approval request is open.
    APPROVED = "approved"  # Approved, not yet consumed.
    REFUSED = "refused"  # Denied, expired or aborted: the run ends.
    INTENDED = "intended"  # The effect is under way, or was when a process died.
    IN_DOUBT = "in_doubt"  # Nobody knows whether the effect happened.
    EXECUTED = "executed"
    VERIFIED = "verified"
    SKIPPED = "skipped"
    FAILED = "failed"  # The last attempt failed.
    EXCEPTION = "exception"  # A person has to say how it goes on.


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step: how often it was tried, what came of it, what it waits for."""

    phase: Phase = Phase.PENDING
    attempt: int = 0
    failures: int = 0  # Failed attempts since a person last set the step going.
    output: Json = None
    request: RequestId | None = None
    stands: bool = False  # Its request is open, or approved and not used up by an effect.
    refusal: str = ""  # denied, expired or aborted
    asked: Entry | None = None  # The newest approval.requested of this step.
    approvers: tuple[tuple[Ref, int], ...] = ()  # Who approved it, each with the stage.
    granted_at: datetime | None = None
    intended: Entry | None = None  # The entry that announced the newest effect.
    trouble: str = ""  # The id of the entry that made it an exception.
    changed_at: datetime | None = None
    error_class: str = ""
    performed: str = "no"
    may_retry: bool = True  # False: another attempt by itself would be blind or pointless.
    approvals_void: int = 0  # Requests withdrawn because the facts changed.


UNTOUCHED = StepState()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run as its entries tell it."""

    id: RunId
    workflow: str = ""
    version: str = ""
    requester: Actor | None = None
    inputs: Mapping[str, Json] = field(default_factory=dict)
    steps: Mapping[str, StepState] = field(default_factory=dict)
    rseq: int = -1
    cancel_asked: bool = False
    ended: Status | None = None
    started_at: datetime | None = None

    def step(self, name: str) -> StepState:
        """Return the state of a step, begun or not."""
        return self.steps.get(name, UNTOUCHED)

    @property
    def outputs(self) -> dict[str, Json]:
        """Return what each step that has an output gave."""
        told = (Phase.OBSERVED, Phase.EXECUTED, Phase.VERIFIED)
        return {
            name: step.output
            for name, step in self.steps.items()
            if step.phase in told or step.output is not None
        }

    @property
    def open_intent(self) -> str | None:
        """Return the step whose effect is announced and not ended, if there is one."""
        under_way = (Phase.INTENDED, Phase.IN_DOUBT)
        return next((name for name, one in self.steps.items() if one.phase in under_way), None)


def replay(run: RunId, entries: Iterable[Entry]) -> RunState:
    """Return where a run stands after `entries`, which are all of its entries in order."""
    state = RunState(id=run)
    for entry in entries:
        state = after(state, entry)
    return state


def after(state: RunState, entry: Entry) -> RunState:
    """Return where the run stands once `entry` is added."""
    return replace(state, rseq=entry.rseq, **_changed(state, entry))


def _changed(state: RunState, entry: Entry) -> Mapping[str, Any]:
    """Return the fields of the run that `entry` changes beside its place."""
    if entry.kind == "run.started":
        return _started(entry)
    if entry.kind == "run.finished":
        return {"ended": Status(str(entry.data["outcome"]))}
    if entry.kind == "run.cancelled":
        return {"ended": Status.CANCELLED}
    if entry.kind.startswith("approval."):
        return _after_approval(state, entry)
    change = _CHANGES.get(entry.kind)
    name = entry.data.get("step")
    if change is None or not isinstance(name, str):
        return {}
    if entry.kind == "decision.made" and entry.data["decision"] == "cancel":
        return {"cancel_asked": True}
    step = state.step(name)
    if entry.kind in _ENDS_OF_AN_ATTEMPT and entry.data["attempt"] != step.attempt:
        return {}  # The late end of an earlier attempt; a newer one is under way.
    return _with_step(state, name, change(step, entry))


def _started(entry: Entry) -> Mapping[str, Any]:
    part = entry.parts.get("input")
    return {
        "workflow": str(entry.data["workflow"]),
        "version": str(entry.data["version"]),
        "requester": entry.actor,
        "inputs": json.loads(part.value) if part is not None and part.value is not None else {},
        "started_at": entry.at,
    }


def _with_step(state: RunState, name: str, step: StepState) -> Mapping[str, Any]:
    return {"steps": {**state.steps, name: step}}


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
            return replace(
                step,
                phase=Phase.ASKED,
                request=RequestId(str(entry.data["request"])),
                stands=True,
                asked=entry,
                approvers=(),
                changed_at=entry.at,
            )
        case "approval.granted":
            voice = (Ref(entry.actor.ref), _number(entry.data["stage"]))
            phase = Phase.APPROVED if entry.data.get("settles") else step.phase
            return replace(
                step,
                phase=phase,
                approvers=(*step.approvers, voice),
                granted_at=entry.at,
                changed_at=entry.at,
            )
        case "approval.denied" if entry.data.get("settles"):
            return _refused(step, entry, "denied")
        case "approval.expired":
            return _refused(step, entry, "expired")
        case "approval.withdrawn":
            voids = step.approvals_void + 1
            return replace(
                step, phase=Phase.PENDING, request=None, stands=False, approvals_void=voids
            )
    return step


def _refused(step: StepState, entry: Entry, how: str) -> StepState:
    return replace(step, phase=Phase.REFUSED, refusal=how, stands=False, changed_at=entry.at)


def _output(entry: Entry) -> Json:
    part = entry.parts.get("output")
    if part is None or part.value is None:
        return None
    value: Json = json.loads(part.value)
    return value


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _observed(step: StepState, entry: Entry) -> StepState:
    attempt = _number(entry.data["attempt"])
    if entry.data["outcome"] == "ok":
        was_waiting = step.phase in (Phase.PENDING, Phase.FAILED, Phase.OBSERVED)
        return replace(
            step,
            phase=Phase.OBSERVED if was_waiting else step.phase,
            attempt=attempt,
            output=_output(entry),
            changed_at=entry.at,
        )
    return _failed(step, entry)


def _intended(step: StepState, entry: Entry) -> StepState:
    return replace(
        step,
        phase=Phase.INTENDED,
        attempt=_number(entry.data["attempt"]),
        stands=False,
        intended=entry,
        changed_at=entry.at,
    )


def _executed(step: StepState, entry: Entry) -> StepState:
    return replace(step, phase=Phase.EXECUTED, output=_output(entry), changed_at=entry.at)


def _failed(step: StepState, entry: Entry) -> StepState:
    # An effect that certainly did not happen leaves its approval to the next attempt.
    is_given_back = entry.data.get("performed") == "no" and step.request is not None
    return replace(
        step,
        phase=Phase.FAILED,
        stands=step.stands or is_given_back,
        attempt=_number(entry.data["attempt"]),
        failures=step.failures + 1,
        error_class=str(entry.data.get("error_class") or ""),
        performed=str(entry.data.get("performed", "no")),
        may_retry=bool(entry.data.get("again", True)),
        changed_at=entry.at,
    )


def _in_doubt(step: StepState, entry: Entry) -> StepState:
    # The moment of the intent stays: a probe's "no" counts only after the attempt's deadline.
    return replace(step, phase=Phase.IN_DOUBT, error_class=str(entry.data["cause"]))


def _resolved(step: StepState, entry: Entry) -> StepState:
    happened, by_person = entry.data["happened"], entry.data["by"] == "person"
    if happened == "yes":
        return replace(step, phase=Phase.EXECUTED, changed_at=entry.at)
    if happened == "unknown":
        return replace(step, phase=Phase.EXCEPTION, trouble=entry.id)
    if by_person:
        # What a person sends again asks for approval again.
        return replace(step, phase=Phase.PENDING, request=None, failures=0)
    return replace(
        step,
        phase=Phase.FAILED,
        stands=step.request is not None,
        failures=step.failures + 1,
        error_class="not_performed",
        performed="no",
        may_retry=True,
        changed_at=entry.at,
    )


def _decided(step: StepState, entry: Entry) -> StepState:
    match entry.data["decision"]:
        case "skip":
            return replace(step, phase=Phase.SKIPPED, stands=False, changed_at=entry.at)
        case "exception":
            return replace(step, phase=Phase.EXCEPTION, trouble=entry.id, changed_at=entry.at)
        case "retry":
            return replace(step, phase=Phase.PENDING, request=None, stands=False, failures=0)
        case "abort":
            return _refused(step, entry, "aborted")
    return step


def _verified(step: StepState, entry: Entry) -> StepState:
    return replace(step, phase=Phase.VERIFIED, changed_at=entry.at)


def _unverified(step: StepState, entry: Entry) -> StepState:
    return replace(
        step,
        phase=Phase.EXCEPTION,
        trouble=entry.id,
        error_class=entry.kind.replace(".", "_"),
        performed="yes",
        changed_at=entry.at,
    )


_ENDS_OF_AN_ATTEMPT = frozenset({"action.executed", "action.failed", "action.resolved"})

_CHANGES = {
    "step.observed": _observed,
    "action.intended": _intended,
    "action.executed": _executed,
    "action.failed": _failed,
    "action.in_doubt": _in_doubt,
    "action.resolved": _resolved,
    "decision.made": _decided,
    "verification.passed": _verified,
    "verification.failed": _unverified,
    "verification.unknown": _unverified,
}
