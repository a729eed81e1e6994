"""A segment walks: one move after the other, until the run waits or ends."""

from workflows.acting import act, act_on_approval
from workflows.actions.base import Effect
from workflows.asking import ask, requester_of
from workflows.closing import close_run, ending_drafts
from workflows.definition_steps import Step
from workflows.demand import Demand
from workflows.entry import Json
from workflows.errors import (
    ActionError,
    InterlockError,
    PeopleUnreadableError,
    StorageError,
    TransientReadError,
)
from workflows.moves import Do, Move, next_move
from workflows.policy import Facts
from workflows.reading import note_failure, read
from workflows.ready import Ready, make_ready
from workflows.run import Status
from workflows.segment import Segment, SupersededError
from workflows.settling import settle
from workflows.verifying import verify


def walk(segment: Segment) -> None:
    """Make one move after the other until the run waits or ends.

    Raises:
        SupersededError: another process has taken the run over.
        StorageError: a fact could not be recorded; the run stays as its entries say.
    """
    try:
        while _make(segment, next_move(segment.definition, segment.state, now=segment.house.now())):
            pass
    except (SupersededError, StorageError):
        raise
    except Exception:
        if segment.has_outcome:
            segment.commit()  # A defect in what follows casts no doubt on what has happened.
        raise


def _make(segment: Segment, move: Move) -> bool:
    """Make one move; False when the segment has let go of the run."""
    waits_too_long = segment.has_outcome and move.do is not Do.BEGIN
    if (segment.is_full or waits_too_long) and not segment.commit():
        return True
    match move.do:
        case Do.WAIT:
            return segment.rest(move.until)
        case Do.END:
            return not _end(segment, move.status or Status.DONE)
        case Do.CANCEL:
            return not _cancel(segment)
        case Do.TROUBLE:
            step = segment.definition.step(move.step)
            return _trouble(segment, step, move.why, "No attempt succeeded.")
    return _make_step(segment, segment.definition.step(move.step), move.do)


def _make_step(segment: Segment, step: Step, do: Do) -> bool:
    """Make a move of one step. What refuses it becomes an exception for a person to settle."""
    try:
        match do:
            case Do.PERFORM:
                return act_on_approval(segment, step.id)
            case Do.SETTLE:
                return settle(segment, step)
            case Do.VERIFY if step.verify is not None:
                return verify(segment, step, step.verify)
        return _begin(segment, step)
    except StorageError:
        raise
    except ActionError as error:
        note_failure(segment, step, error)
    except PeopleUnreadableError as error:
        note_failure(segment, step, TransientReadError(str(error), error_class="people_unreadable"))
    except InterlockError as error:
        return _trouble(segment, step, code_of(error), str(error))
    return True


def _begin(segment: Segment, step: Step) -> bool:
    """Begin a step: leave it out, read, ask people, or go on to the effect."""
    environment = segment.scopes.before(step.id)
    if step.when is not None and not environment.holds(step.when, segment.scope):
        data: dict[str, Json] = {"step": step.id, "decision": "skip", "rule": "when"}
        segment.note(segment.draft("decision.made", data))
        return True
    ready = make_ready(segment, step)
    is_read = ready.effect is Effect.READ
    demand = None if is_read else _demand(segment, ready)
    if segment.has_outcome and (is_read or demand is not None) and not segment.commit():
        return True  # What has happened is recorded before a read or a plan that takes its time.
    if is_read:
        read(segment, ready)
        return True
    if demand is None:
        return act(segment, ready, segment.state.step(step.id))
    return not ask(segment, ready, demand)


def _demand(segment: Segment, ready: Ready) -> Demand | None:
    return segment.house.policy().demand(_facts(segment, ready), ready.step.approval)


def _facts(segment: Segment, ready: Ready) -> Facts:
    """Return what the policy's rules may look at."""
    requester, person = segment.state.requester, requester_of(segment)
    told = requester.kind.value if requester is not None else ""
    return Facts(
        workflow=segment.definition.workflow,
        step=ready.step.id,
        action=ready.action.name,
        effect=ready.effect,
        inputs=segment.state.inputs,
        args=ready.args,
        requester=f"@{person.handle or person.name}" if person is not None else told,
        at=segment.house.now(),
    )


def code_of(error: InterlockError) -> str:
    """Return the short name of a refusal: `NoGateError` is `no_gate`."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")


def _trouble(segment: Segment, step: Step, code: str, words: str) -> bool:
    data: dict[str, Json] = {"step": step.id, "decision": "exception", "rule": code}
    reason = {"reason": segment.words(words)}
    segment.commit(segment.draft("decision.made", data, reason))
    return True


def _end(segment: Segment, status: Status) -> bool:
    return segment.commit(
        segment.draft("run.finished", {"outcome": status.value}),
        also=lambda unit: close_run(unit, segment.row),
    )


def _cancel(segment: Segment) -> bool:
    drafts = ending_drafts(segment.state, reason="cancelled")
    return segment.commit(*drafts, also=lambda unit: close_run(unit, segment.row))
