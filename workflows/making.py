"""Makes one move of one branch, and says what becomes of a refusal on the way."""

from workflows.acting import act, act_on_approval
from workflows.actions.base import Effect
from workflows.asking import ask
from workflows.blast_radius import is_weighed_by_plan, weighed
from workflows.calling import begin_call, look_at_call
from workflows.closing import cancel_run, end_run
from workflows.definition_flow import Ask, Call, Flow, ForEach, Parallel, Wait
from workflows.definition_steps import Step
from workflows.demand import Why
from workflows.entry import Draft, Json, RunId
from workflows.errors import (
    ActionError,
    InterlockError,
    PeopleUnreadableError,
    StorageError,
    TransientReadError,
)
from workflows.flow import DEADLINE
from workflows.instances import is_undo
from workflows.judging import judged
from workflows.looping import begin_branches, begin_loop
from workflows.moves import UNANSWERED, Do, Move
from workflows.questioning import begin_question
from workflows.reading import note_failure, read
from workflows.ready import Ready, make_ready
from workflows.run import Phase, Status, StepState
from workflows.segment import After, Next, Segment
from workflows.settling import settle
from workflows.shadowing import ask_what_was_done
from workflows.stopping import code_of, stop_draft
from workflows.store import Unit
from workflows.telling import question_card
from workflows.verifying import verify
from workflows.waiting import begin_wait, resume

_FAILED = "No attempt succeeded."
_STOPPED = {
    DEADLINE: "The run has worked longer than its deadline allows.",
    UNANSWERED: "Nobody answered in time.",
}


def make(segment: Segment, move: Move, *, news: int) -> Next:
    """Make one move that comes from a state with that `news`.

    Raises:
        SupersededError: another process has taken the run over.
        StorageError: a fact could not be recorded.
    """
    segment.begin_move(news)
    told_soon = move.do is Do.BEGIN or (move.do is Do.END and not segment.has_outcome)
    waits_too_long = segment.tells_of_effect and not told_soon
    if (segment.is_full or waits_too_long) and not segment.commit():
        return After.LOOK
    match move.do:
        case Do.END:
            return end_run(segment, _end(segment, move))
        case Do.CANCEL:
            return cancel_run(segment)
        case Do.TROUBLE:
            return trouble(segment, move.step, move.why, _STOPPED.get(move.why, _FAILED))
    return _make_step(segment, move)


def _end(segment: Segment, move: Move) -> Status:
    """Return how the run ends; one in shadow has done nothing, whichever way it went."""
    return Status.WITHDRAWN if segment.state.is_shadow else move.status or Status.DONE


def _make_step(segment: Segment, move: Move) -> Next:
    """Make a move of one step. What refuses it becomes an exception for a person to settle."""
    try:
        return _made(segment, move)
    except StorageError:
        raise
    except ActionError as error:
        return _failed(segment, move.step, error)
    except PeopleUnreadableError as error:
        unread = TransientReadError(str(error), error_class="people_unreadable")
        return _failed(segment, move.step, unread)
    except InterlockError as error:
        return trouble(segment, move.step, code_of(error), str(error))


def _failed(segment: Segment, name: str, error: ActionError) -> Next:
    note_failure(segment, name, error)
    return After.LOOK


def _made(segment: Segment, move: Move) -> Next:
    match move.do:
        case Do.RESUME:
            return resume(segment, move.step)
        case Do.CALL:
            return look_at_call(segment, move.step)
        case Do.PERFORM:
            return act_on_approval(segment, move.step)
        case Do.SETTLE:
            return settle(segment, segment.definition.step(move.step))
        case Do.VERIFY:
            return verify(segment, segment.definition.step(move.step))
    return _begin(segment, move.step)


def _begin(segment: Segment, name: str) -> Next:
    """Begin a step: leave it out, or do what its form begins with."""
    form = segment.definition.form(name)
    when = None if is_undo(name) else form.when
    if when is not None and not _holds(segment, name, when):
        data: dict[str, Json] = {"step": name, "decision": "skip", "rule": "when"}
        segment.note(segment.draft("decision.made", data))
        return After.LOOK
    if isinstance(form, Step):
        return _begin_step(segment, segment.definition.step(name))
    if segment.tells_of_effect and not segment.commit():
        return After.LOOK
    return _begin_form(segment, form, name)


def _holds(segment: Segment, name: str, when: str) -> bool:
    return segment.scopes.before(name).holds(when, segment.scope(name))


def _begin_form(segment: Segment, form: Flow, name: str) -> Next:
    match form:
        case Parallel():
            return begin_branches(segment, name)
        case ForEach():
            return begin_loop(segment, form, name)
        case Wait():
            return begin_wait(segment, form, name)
        case Ask():
            return begin_question(segment, form, name)
        case Call():
            return begin_call(segment, form, name)
    raise InterlockError(f"Step {name} has a form that this release does not know.")


def _begin_step(segment: Segment, step: Step) -> Next:
    """Begin an action: read, ask people, or go on to the effect."""
    ready = make_ready(segment, step)
    by_plan = is_weighed_by_plan(segment.house.policy(), ready)
    if segment.tells_of_effect and by_plan and not segment.commit():
        return After.LOOK
    ready = weighed(segment, ready)
    is_read = ready.effect is Effect.READ
    if segment.state.is_shadow and not is_read:
        return ask_what_was_done(segment, ready)
    verdict, denied = (None, None) if is_read else judged(segment, ready)
    demand = None if verdict is None else verdict.demand
    if segment.tells_of_effect and (is_read or demand is not None) and not segment.commit():
        return After.LOOK  # What has happened is recorded before a read or a plan that takes time.
    if demand is not None:
        return ask(segment, ready, demand, denied)
    if verdict is not None:
        spared = [_auto_approval(segment, ready, one) for one in verdict.auto]
        return act(segment, ready, segment.state.step(step.id), spared=spared)
    read(segment, ready)
    return After.LOOK


def _auto_approval(segment: Segment, ready: Ready, why: Why) -> Draft:
    """Return the fact that a rule spared people, with its explanation."""
    data: dict[str, Json] = {
        "step": ready.step.id,
        "decision": "auto_approved",
        "rule": why.rule,
    }
    return segment.draft("decision.made", data, {"reason": segment.words(why.because)})


def trouble(segment: Segment, name: str, code: str, words: str) -> Next:
    """Have a person say how a step goes on; an item of a loop that goes on is left behind."""
    state = segment.state.step(name)
    draft = stop_draft(segment, name, code, words)
    segment.commit(draft, also=lambda unit: _redraw(unit, segment.state.id, state))
    return After.LOOK


def _redraw(unit: Unit, run: RunId, step: StepState) -> None:
    """Show on a question's card that nobody can answer it any more."""
    if step.phase is Phase.QUESTIONED and step.request is not None:
        unit.send(question_card(run, step.request))
