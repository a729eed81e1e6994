"""Ending a run: what is withdrawn first, and what it lets go of."""

from workflows.entry import INTERLOCK, Draft, Json
from workflows.run import RunState
from workflows.store import Due, DueKind, RunRow, Unit


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
            },
        )
        for one in state.steps.values()
        if one.stands
    ]


def close_run(unit: Unit, row: RunRow) -> None:
    """Let go of everything an ended run held; whoever queued for its lock is woken by a due-row.

    This unit has locked this run only, so the next one is not touched here.
    """
    unit.clear_due(row.id)
    unit.set_due(Due(kind=DueKind.SUMMARISE, key=row.id, run=row.id, at=unit.now))
    unit.release(row.id)
    following = unit.pass_lock(row.lock_key, row.id) if row.lock_key else None
    if following is not None:
        unit.set_due(Due(kind=DueKind.WAKE, key=following, run=following, at=unit.now))
