"""Taking a run up: the history it is replayed from, the claim, its lock.

A segment that is about to commit claims the run in that commit, which spares one. Before
that it only reads: should two processes begin, the first to commit has the run.
"""

from dataclasses import replace
from datetime import timedelta

from workflows.definition import Definition
from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.flow import Walk
from workflows.holders import HOUSE, place_of
from workflows.house import House
from workflows.lock_circles import closes_circle
from workflows.moves import Do
from workflows.orders import Start, Started
from workflows.procedure import Procedure, Procedures
from workflows.recorder import record
from workflows.remembered import Remembered, following
from workflows.run import RunState, Status
from workflows.segment import Segment, StartRun
from workflows.starting import start
from workflows.store import Due, DueKind, RunRow, Unit

# Moves that look at the world and may then only rest. Claimed before that, the run is not
# ready any more, so that whoever marks it meanwhile is noticed.
LOOKS_FIRST = frozenset({Do.WAIT, Do.VERIFY, Do.SETTLE, Do.CALL})
STEPS_BACK = timedelta(seconds=15)


def claim(
    house: House, procedures: Procedures, remembered: Remembered, run: RunId
) -> Segment | None:
    """Take up `run` in this process; None when there is nothing to do for it now.

    Raises:
        StorageError: it could not be claimed.
    """
    row, state = remembered.history(house.store, run, now=house.now())
    if row.status.is_end:
        return None

    def start_run(order: Start) -> Started:
        return start(house, procedures, order)

    procedure = procedures.of(house.definitions.version(row.version))
    move, *others = Walk(procedure.definition).moves(state, now=house.now())
    if _queues(house, procedure.definition, row) or others or move.do in LOOKS_FIRST:
        return _claimed(house, procedure, state, start_run)
    return Segment(house, row, procedure, state, start_run=start_run, is_claimed=False)


def _claimed(
    house: House, procedure: Procedure, before: RunState, start_run: StartRun
) -> Segment | None:
    run = before.id
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if row.status.is_end:
            unit.release(run)
            return None
        if row.version != before.version:
            return None  # It was moved just now, and whoever did that has it looked at again.
        epoch = unit.claim(run, by=house.name)
        state = following(before, unit.entries(run, after=before.rseq))
        if not _may_go_on(unit, house, procedure.definition, row, state):
            unit.release(run)
            return None
    return Segment(house, replace(row, epoch=epoch), procedure, state, start_run=start_run)


def _queues(house: House, definition: Definition, row: RunRow) -> bool:
    """Say whether a run may have to wait for others before it begins."""
    return bool(row.lock_key or definition.at_once or house.most_runs)


def _may_go_on(
    unit: Unit, house: House, definition: Definition, row: RunRow, state: RunState
) -> bool:
    """Take the places and the lock that the run needs, or queue for the first that is not free.

    Where it waits then, and somebody for whom it waits needs a place that it has, it gives its
    places back and comes again a little later.
    """
    if _has_all(unit, house, definition, row, state):
        return True
    if unit.holders.has_place(row.id) and closes_circle(unit, row.id):
        for heir in unit.pass_places(row.id):
            unit.set_due(Due(kind=DueKind.WAKE, key=heir, run=heir, at=unit.now))
        again = unit.now + STEPS_BACK
        unit.set_due(Due(kind=DueKind.WAKE, key=row.id, run=row.id, at=again))
    return False


def _has_all(
    unit: Unit, house: House, definition: Definition, row: RunRow, state: RunState
) -> bool:
    """Take what the run needs; False where it has to wait for the first that is not free.

    Everybody takes them in this order, so no two runs that begin wait for each other. A run that
    another one started goes on in that one's place of the house.
    """
    of_house = house.most_runs if state.parent is None else None
    places = ((place_of(definition.workflow), definition.at_once), (HOUSE, of_house))
    for key, most in places:
        if most and not _holds(unit, row, "limit", unit.take_place(key, row.id, most=most)):
            return False
    lock = row.lock_key
    return lock is None or _holds(unit, row, "lock", unit.take_lock(lock, row.id))


def _holds(unit: Unit, row: RunRow, rule: str, holder: RunId) -> bool:
    """Say whether the run holds it; where another one does, say so once in the run's history."""
    if holder == row.id:
        return True
    if row.status is not Status.QUEUED:
        data: dict[str, Json] = {"step": "", "decision": "queue", "rule": rule, "holder": holder}
        record(unit, Draft(kind="decision.made", actor=INTERLOCK, data=data, run=row.id))
    return False
