"""What a run does next. Pure: a definition and a state in, one move out.

Knowing nothing but the entries, every process that takes a run up makes the same move.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.definition import Definition
from workflows.definition_steps import READ_RETRY, Step
from workflows.retry import GiveUp, next_try
from workflows.run import Phase, RunState, Status, StepState

DOUBT_GRACE = timedelta(seconds=30)  # An old request may still be on its way that long.


class Do(StrEnum):
    """The kinds of move."""

    BEGIN = "begin"  # Evaluate the step and read, ask, or go on to the effect.
    PERFORM = "perform"  # The approval is there: check again, announce, act.
    SETTLE = "settle"  # An announced effect has no end: find out.
    VERIFY = "verify"  # The effect is done: see whether it shows.
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


def next_move(definition: Definition, state: RunState, *, now: datetime) -> Move:
    """Return what the run does next. Steps run in order, each once the one before is done."""
    if state.cancel_asked and state.open_intent is None:
        return Move(do=Do.CANCEL)
    for step in definition.steps:
        move = _step_move(step, state.step(step.id), run=state.id, now=now)
        if move is not None:
            return move
    return Move(do=Do.END, status=Status.DONE)


def _step_move(step: Step, state: StepState, *, run: str, now: datetime) -> Move | None:
    """Return the step's next move, or None when it is done."""
    match state.phase:
        case Phase.PENDING:
            return Move(do=Do.BEGIN, step=step.id)
        case Phase.ASKED | Phase.EXCEPTION:
            return Move(do=Do.WAIT, step=step.id)
        case Phase.APPROVED:
            return Move(do=Do.PERFORM, step=step.id)
        case Phase.REFUSED:
            return Move(do=Do.END, step=step.id, status=Status(state.refusal))
        case Phase.INTENDED | Phase.IN_DOUBT:
            return Move(do=Do.SETTLE, step=step.id)
        case Phase.FAILED:
            return _after_failure(step, state, run=run, now=now)
        case Phase.EXECUTED if step.verify is not None:
            return Move(do=Do.VERIFY, step=step.id)
    return None


def _after_failure(step: Step, state: StepState, *, run: str, now: datetime) -> Move:
    if not state.may_retry:
        return Move(do=Do.TROUBLE, step=step.id, why=state.error_class)
    policy = (step.retry or READ_RETRY).policy  # Only what certainly did not happen gets here.
    wait = next_try(state.failures, policy, salt=f"{run}/{step.id}")
    if isinstance(wait, GiveUp):
        return Move(do=Do.TROUBLE, step=step.id, why=state.error_class)
    until = (state.changed_at or now) + wait
    if now < until:
        return Move(do=Do.WAIT, step=step.id, until=until)
    again = Do.PERFORM if state.request is not None else Do.BEGIN
    return Move(do=again, step=step.id)


def doubt_deadline(step: Step, intended_at: datetime) -> datetime:
    """Return the moment from which a probe's "no" counts."""
    return intended_at + step.timeout + DOUBT_GRACE
