"""Taking a run up: the claim, its lock, and the history it is replayed from."""

from dataclasses import replace

from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.house import House
from workflows.procedure import Procedures
from workflows.run import Status, replay
from workflows.segment import Segment, record
from workflows.store import RunRow, Unit


def claim(house: House, procedures: Procedures, run: RunId) -> Segment | None:
    """Claim `run` for this process; None when there is nothing to do for it now.

    Raises:
        StorageError: it could not be claimed.
    """
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
    procedure = procedures.of(house.definitions.version(row.version))
    return Segment(house, replace(row, epoch=epoch), procedure, state)


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
