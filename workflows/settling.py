"""Doubt: an announced effect has no end, and nobody knows whether it happened.

The action's probe is asked, then the step's own verification. A "yes" counts at once. A "no"
counts only after the attempt's deadline, since the old request may still be on its way. What
stays unknown waits for a person. Nothing is ever sent again on a guess.
"""

from datetime import datetime

from workflows.actions.base import Happened
from workflows.actions.timed import LEFT_RUNNING
from workflows.definition_steps import Step
from workflows.entry import Draft, Json
from workflows.errors import InterlockError, StorageError
from workflows.moves import doubt_deadline
from workflows.quick_json import loaded
from workflows.reading import look
from workflows.ready import fitting
from workflows.run import Phase, StepState
from workflows.segment import After, Next, Pause, Segment
from workflows.telling import doubt_card


def settle(segment: Segment, step: Step) -> Next:
    """Find out whether the effect of `step` happened."""
    state = segment.state.step(step.id)
    if segment.action(step).is_delivered:
        return Pause()  # The outbox delivers it, or says that it cannot.
    happened = _found_out(segment, step, state)
    deadline = doubt_deadline(step, _intended_at(segment, state))
    is_certain = happened is Happened.YES or (
        happened is Happened.NO and segment.house.now() >= deadline
    )
    if is_certain:
        segment.commit(*_doubt(segment, state), _resolution(segment, state, happened))
        return After.LOOK
    return _wait(segment, state, happened, deadline)


def _intended_at(segment: Segment, state: StepState) -> datetime:
    return state.intended.at if state.intended is not None else segment.house.now()


def _found_out(segment: Segment, step: Step, state: StepState) -> Happened:
    """Ask the probe, then the verification; an answer that fails is no answer."""
    try:
        probed = _probe(segment, step, state)
        if probed is Happened.UNKNOWN and _shows(segment, step):
            return Happened.YES
    except StorageError:
        raise
    except InterlockError:
        return Happened.UNKNOWN
    return probed


def _probe(segment: Segment, step: Step, state: StepState) -> Happened:
    part = state.intended.parts.get("args") if state.intended is not None else None
    if part is None or part.value is None:
        return Happened.UNKNOWN
    action = segment.action(step)
    was_late = state.phase is Phase.IN_DOUBT and state.error_class == LEFT_RUNNING
    call = segment.call(step, step, was_late=was_late)
    return action.probe(fitting(action, loaded(part.value)), call)


def _shows(segment: Segment, step: Step) -> bool:
    """Say whether the verification, true only if this very effect happened, is true."""
    if step.verify is None:
        return False
    result = look(segment, step, step.verify)
    return segment.scopes.verifying(step.id).holds(
        step.verify.expect, segment.scope(step.id, result=result)
    )


def _doubt(segment: Segment, state: StepState) -> tuple[Draft, ...]:
    """Return the fact that there is a doubt, unless the run's history has it already."""
    if state.phase is Phase.IN_DOUBT:
        return ()
    return (segment.draft("action.in_doubt", {**named(state), "cause": "crash"}),)


def _resolution(segment: Segment, state: StepState, happened: Happened) -> Draft:
    data: dict[str, Json] = {**named(state), "happened": happened.value, "by": "probe"}
    return segment.draft("action.resolved", data)


def named(state: StepState) -> dict[str, Json]:
    """Return the fields that name an attempt."""
    intent = state.intended.data if state.intended is not None else {}
    return {name: intent.get(name) for name in ("step", "attempt", "idem")}


def _wait(segment: Segment, state: StepState, happened: Happened, deadline: datetime) -> Next:
    drafts, card = _doubt(segment, state), doubt_card(segment.state.id, state)
    asks = happened is not Happened.NO
    if (drafts or asks) and not segment.commit(
        *drafts, also=(lambda unit: unit.send(card)) if asks else None
    ):
        return After.LOOK
    return Pause(until=deadline if segment.house.now() < deadline else None)
