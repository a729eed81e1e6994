"""Taking a run up: the history it is replayed from, the claim, its lock.

A segment that is about to commit claims the run in that commit, which spares one. Before
that it only reads: should two processes begin, the first to commit has the run.
"""

from dataclasses import replace

from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.flow import Walk
from workflows.house import House
from workflows.moves import Do
from workflows.orders import Start, Started
from workflows.procedure import Procedure, Procedures
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import Status
from workflows.segment import Segment, StartRun
from workflows.starting import start
from workflows.store import RunRow, Unit

# Moves that look at the world and may then only rest. Claimed before that, the run is not
# ready any more, so that whoever marks it meanwhile is noticed.
LOOKS_FIRST = frozenset({Do.WAIT, Do.VERIFY, Do.SETTLE, Do.CALL})


def claim(house: House, procedures: Procedures, run: RunId) -> Segment | None:
    """Take up `run` in this process; None when there is nothing to do for it now.

    Raises:
        StorageError: it could not be claimed.
    """
    row, entries = house.store.history(run)
    if row.status.is_end:
        return None

    def start_run(order: Start) -> Started:
        return start(house, procedures, order)

    procedure = procedures.of(house.definitions.version(row.version))
    state = replay(run, entries)
    move, *others = Walk(procedure.definition).moves(state, now=house.now())
    if row.lock_key is not None or others or move.do in LOOKS_FIRST:
        return _claimed(house, procedure, run, start_run)
    return Segment(house, row, procedure, state, start_run=start_run, is_claimed=False)


def _claimed(house: House, procedure: Procedure, run: RunId, start_run: StartRun) -> Segment | None:
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if row.status.is_end:
            unit.release(run)
            return None
        epoch = unit.claim(run, by=house.name)
        if row.lock_key is not None and not _holds_lock(unit, row, row.lock_key):
            unit.release(run)
            return None
        state = replay(run, unit.entries(run))
    return Segment(house, replace(row, epoch=epoch), procedure, state, start_run=start_run)


def _holds_lock(unit: Unit, row: RunRow, key: str) -> bool:
    """Take the run's lock; where another run holds it, say so once and wait in its queue."""
    holder = unit.take_lock(key, row.id)
    if holder == row.id:
        return True
    if row.status is not Status.QUEUED:
        data: dict[str, Json] = {
            "step": "",
            "decision": "queue",
            "rule": "lock",
            "holder": holder,
        }
        record(unit, Draft(kind="decision.made", actor=INTERLOCK, data=data, run=row.id))
    return False
