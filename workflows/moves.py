"""What one step of a run does next. Pure: a step and its state in, one move out.

Knowing nothing but the entries, every process that takes a run up makes the same moves. How
the steps of a run stand to each other is for `flow`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.actions.valve import NOT_ASKED
from workflows.definition_flow import Flow
from workflows.definition_steps import MOST_ATTEMPTS, PATIENT_RETRY, Step
from workflows.retry import GiveUp, next_try
from workflows.run import Phase, Status, StepState

DOUBT_GRACE = timedelta(seconds=30)  # An old request may still be on its way that long.
UNANSWERED = "unanswered"


class Do(StrEnum):
    """The kinds of move."""

    BEGIN = "begin"  # Evaluate the step and read, ask, or go on to the effect.
    PERFORM = "perform"  # The approval is there: check again, announce, act.
    SETTLE = "settle"  # An announced effect has no end: find out.
    VERIFY = "verify"  # The effect is done: see whether it shows.
    RESUME = "resume"  # The moment that was waited for has come.
    CALL = "call"  # A run of another workflow is to be started, or looked at.
    TROUBLE = "trouble"  # No further attempt: a person has to say how it goes on.
    WAIT = "wait"  # Nothing to do before `until`, or before somebody acts.
    END = "end"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move; `status` is how the run ends, `why` a short code for the entry."""

    do: Do
    step: str = ""
    until: datetime | None = None
    status: Status | None = None
    why: str = ""


def step_move(step: Flow, name: str, state: StepState, *, run: str, now: datetime) -> Move | None:
    """Return the next move of the instance `name` of `step`, or None when it is done."""
    plain = _PLAIN.get(state.phase)
    if plain is not None:
        return Move(do=plain, step=name)
    match state.phase:
        case Phase.REFUSED:
            return Move(do=Do.END, step=name, status=Status(state.refusal))
        case Phase.FAILED:
            return _after_failure(step, name, state, run=run, now=now)
        case Phase.TIMED | Phase.QUESTIONED:
            return _after_wait(name, state, now=now)
        case Phase.EXECUTED if isinstance(step, Step) and step.verify is not None:
            return Move(do=Do.VERIFY, step=name)
    return None


def is_past(step: Flow, state: StepState) -> bool:
    """Say, of most steps that are done, that `step_move` gives none: they make the most of a run.

    Of a step that left its item behind it says nothing, since its loop goes on elsewhere.
    """
    if state.is_left:
        return False
    if isinstance(step, Step) and state.phase in _DONE:
        return state.phase is not Phase.EXECUTED or step.verify is None
    return state.phase in _PAST


_PAST = frozenset({Phase.VERIFIED, Phase.SKIPPED, Phase.DONE})
_DONE = _PAST | {Phase.OBSERVED, Phase.EXECUTED}  # Of an action, unless it is to be verified.
_PLAIN = {
    Phase.PENDING: Do.BEGIN,
    Phase.ASKED: Do.WAIT,
    Phase.EXCEPTION: Do.WAIT,
    Phase.APPROVED: Do.PERFORM,
    Phase.INTENDED: Do.SETTLE,
    Phase.IN_DOUBT: Do.SETTLE,
    Phase.CALLED: Do.CALL,
}


def _after_failure(step: Flow, name: str, state: StepState, *, run: str, now: datetime) -> Move:
    if not state.may_retry:
        return Move(do=Do.TROUBLE, step=name, why=state.error_class)
    again = Do.PERFORM if state.request is not None else Do.BEGIN
    was_overtaken = state.intended is not None and state.error_class in NOT_ASKED
    if was_overtaken and state.failures < MOST_ATTEMPTS:
        return Move(do=again, step=name)  # It waits before it begins, as it would have before.
    retry = step.retry if isinstance(step, Step) else None
    policy = (retry or PATIENT_RETRY).policy  # Only what certainly did not happen gets here.
    wait = next_try(state.failures, policy, salt=f"{run}/{name}")
    if isinstance(wait, GiveUp):
        return Move(do=Do.TROUBLE, step=name, why=state.error_class)
    until = (state.changed_at or now) + wait
    if now < until:
        return Move(do=Do.WAIT, step=name, until=until)
    return Move(do=again, step=name)


def _after_wait(name: str, state: StepState, *, now: datetime) -> Move:
    if state.until is not None and now < state.until:
        return Move(do=Do.WAIT, step=name, until=state.until)
    if state.phase is Phase.TIMED:
        return Move(do=Do.RESUME, step=name)
    return Move(do=Do.TROUBLE, step=name, why=UNANSWERED)


def doubt_deadline(step: Step, intended_at: datetime) -> datetime:
    """Return the moment from which a probe's "no" counts."""
    return intended_at + step.timeout + DOUBT_GRACE
