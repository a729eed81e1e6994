"""Ending a run: what is withdrawn first, and what it lets go of."""

from workflows.batching import same_batch
from workflows.builder_step import is_builder_step
from workflows.entry import INTERLOCK, Actor, Draft, Json, RunId
from workflows.recorder import record
from workflows.run import Phase, RunState, Status, StepState
from workflows.segment import After, Next, Segment
from workflows.store import Due, DueKind, Message, RunRow, Subject, Unit
from workflows.telling import question_card, trouble_card

MOST_TOLD = 10  # Of a longer line, those who stand further back are told once they come nearer.


def end_run(segment: Segment, status: Status) -> Next:
    """End a run whose branches are all over, or of which one was refused."""
    state = segment.state
    is_ended = segment.commit(
        *withdrawals(state, reason="run_ended"),
        segment.draft("run.finished", {"outcome": status.value}),
        also=lambda unit: close_run(unit, segment.row, state),
        ends=True,
    )
    return After.GONE if is_ended else After.LOOK


def cancel_run(segment: Segment) -> Next:
    """End a run that somebody cancelled, now that no effect is under way."""
    state = segment.state
    is_ended = segment.commit(
        *ending_drafts(state, reason="cancelled"),
        also=lambda unit: close_run(unit, segment.row, state),
        ends=True,
    )
    return After.GONE if is_ended else After.LOOK


def abort_run(unit: Unit, row: RunRow, state: RunState, *, actor: Actor) -> None:
    """End a run that a person aborted; nothing of it is under way."""
    for draft in withdrawals(state, reason="aborted"):
        record(unit, draft)
    outcome: dict[str, Json] = {"outcome": "aborted"}
    record(unit, Draft(kind="run.finished", actor=actor, data=outcome, run=state.id))
    close_run(unit, row, state)


def ending_drafts(state: RunState, *, reason: str) -> list[Draft]:
    """Return the facts that cancel a run: an open or unused request is withdrawn first."""
    asked = next((name for name, one in state.steps.items() if one.stands), None)
    data: dict[str, Json] = {"step": asked, "reason": reason}
    ended = Draft(kind="run.cancelled", actor=INTERLOCK, run=state.id, data=data)
    return [*withdrawals(state, reason=reason), ended]


def withdrawals(state: RunState, *, reason: str) -> list[Draft]:
    """Return the facts that take back every request of the run that is open or unused."""
    return [
        Draft(
            kind="approval.withdrawn",
            actor=INTERLOCK,
            run=state.id,
            data={
                "request": one.request,
                "binding": one.asked.data["binding"] if one.asked is not None else None,
                "reason": reason,
                **same_batch(one.asked),
            },
        )
        for one in state.steps.values()
        if one.stands
    ]


def stand_down(unit: Unit, state: RunState, *, reason: str) -> None:
    """Take back what a run asks and end what it started, before something keeps it from its end.

    That may be for days, and whoever is asked meanwhile would answer for nothing.
    """
    for draft in withdrawals(state, reason=reason):
        record(unit, draft)
    for name, one in state.steps.items():
        if one.phase in (Phase.QUESTIONED, Phase.CALLED):
            _let_go(unit, state, name, one)


def close_run(unit: Unit, row: RunRow, state: RunState) -> None:
    """Let go of everything an ended run held; other runs it concerns are woken by due-rows.

    This unit has locked this run only, so neither the next in a queue, nor the run that this one
    was started for, nor those that it started are touched here.
    """
    unit.clear_due(row.id)
    unit.set_due(Due(kind=DueKind.SUMMARISE, key=row.id, run=row.id, at=unit.now))
    unit.release(row.id)
    for other in (_lock_passed(unit, row), state.parent, *unit.pass_places(row.id)):
        if other is not None:
            unit.set_due(Due(kind=DueKind.WAKE, key=other, run=other, at=unit.now))
    if is_builder_step(state.source):
        unit.send(Message(subject=Subject.BUILDER, key=row.id, run=row.id))
    for name, one in state.steps.items():
        _let_go(unit, state, name, one)


def _lock_passed(unit: Unit, row: RunRow) -> RunId | None:
    """Give the run's lock back; return who has it next. Those who still wait say so anew."""
    if row.lock_key is None:
        return None
    following = unit.pass_lock(row.lock_key, row.id)
    if following is not None:
        for one in unit.queued_for_lock(row.lock_key, most=MOST_TOLD):
            unit.send(Message(subject=Subject.ROOT, key=one, run=one))
    return following


def _let_go(unit: Unit, state: RunState, name: str, step: StepState) -> None:
    """Tell whoever a step still waits for that nothing is waited for any more."""
    match step.phase:
        case Phase.EXCEPTION:
            unit.send(trouble_card(state.id, name, step))
        case Phase.PENDING if step.trouble and not state.goes_on:
            unit.send(trouble_card(state.id, name, step))  # Its approval was taken back already.
        case Phase.REFUSED if state.is_undoing and step.trouble:
            unit.send(trouble_card(state.id, name, step))  # It says what was undone in the end.
        case Phase.QUESTIONED if step.request is not None:
            unit.send(question_card(state.id, step.request))
        case Phase.CALLED if step.child is not None:
            # It may not be there yet, so the row belongs to this run.
            unit.set_due(Due(kind=DueKind.CANCEL, key=step.child, run=state.id, at=unit.now))
