"""How far entries have been pushed to a system that watches, and what comes next.

A cursor only moves once the target has taken what is before it. Of several processes one holds
a target at a time; whoever stops holding it in the middle leaves entries that are pushed twice,
never some that are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from sqlalchemy import Connection, select

from storage.audit_models import AuditTreeRow
from storage.change import RowSql
from storage.evidence.derived.sealed import Sealed, sealed
from storage.heads import head
from storage.push_models import PushCursorRecord
from storage.transaction import Database

MOST = 500  # Entries in a batch.
MOST_BYTES = 1024 * 1024
HELD = timedelta(minutes=2)
IN_USE = timedelta(hours=2)  # Longer than a target may be left alone.


@dataclass(frozen=True, slots=True, kw_only=True)
class PushState:
    """Where a target stands, and how many entries the log has."""

    target: str
    next_idx: int
    size: int
    sent_at: datetime | None = None
    failing_since: datetime | None = None
    trouble: str = ""  # While nothing fails, what the target took in short, if anything.

    @property
    def behind(self) -> int:
        """How many entries the target has not taken."""
        return max(self.size - self.next_idx, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries to be sent, in the log's order, and the log they are of."""

    origin: str
    entries: Sequence[Sealed]


class PushRows:
    """The cursor of one target, on one database, in the hands of the process `name`."""

    def __init__(self, database: Database, target: str, *, name: str) -> None:
        self._database = database
        self._target = target
        self._name = name

    def state(self) -> PushState:
        """Return where the target stands."""
        query = select(PushCursorRecord).where(PushCursorRecord.target == self._target)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            size = connection.execute(select(AuditTreeRow.size)).scalar() or 0
        if row is None:
            return PushState(target=self._target, next_idx=0, size=size)
        return PushState(
            target=self._target,
            next_idx=row.next_idx,
            size=size,
            sent_at=row.sent_at,
            failing_since=row.failing_since,
            trouble=row.trouble,
        )

    def take(self, *, now: datetime) -> Batch | None:
        """Return what comes next and hold the target; None if another process holds it."""
        with self._database.begin() as tx:
            sql = RowSql(tx)
            sql.run(
                "INSERT INTO push_cursor (target, next_idx, trouble, held_by) VALUES (?, 0, '', '')"
                " ON CONFLICT DO NOTHING",
                self._target,
            )
            held = sql.run(
                "UPDATE push_cursor SET held_by = ?, held_until = ? WHERE target = ?"
                " AND (held_by = ? OR held_until IS NULL OR held_until < ?)",
                *(self._name, now + HELD, self._target, self._name, now),
            )
            if held.rowcount == 0:
                return None
        first = self.state().next_idx
        with self._database.read() as connection:
            found = head(connection)
            entries = list(sealed(connection, first, min(first + MOST, found.size)))
        return Batch(origin=found.origin, entries=_up_to_size(entries))

    def sent(self, batch: Batch, *, now: datetime, told: str = "") -> bool:
        """Move the cursor behind `batch`; False if another process holds the target by now.

        `told` is what people should know of it. It stands there until the target fails, or
        something else is to be told.
        """
        first, last = batch.entries[0].idx, batch.entries[-1].idx
        with self._database.begin() as tx:
            moved = RowSql(tx).run(
                "UPDATE push_cursor SET next_idx = ?, sent_at = ?, failing_since = NULL,"
                " trouble = CASE WHEN ? <> '' THEN ? WHEN failing_since IS NULL THEN trouble"
                " ELSE '' END WHERE target = ? AND held_by = ? AND next_idx = ?",
                *(last + 1, now, told, told, self._target, self._name, first),
            )
            return bool(moved.rowcount)

    def failed(self, trouble: str, *, now: datetime) -> None:
        """Note why the target does not take anything, and since when."""
        with self._database.begin() as tx:
            RowSql(tx).run(
                "UPDATE push_cursor SET trouble = ?, failing_since = COALESCE(failing_since, ?)"
                " WHERE target = ? AND held_by = ?",
                *(trouble, now, self._target, self._name),
            )

    def let_go(self) -> None:
        """Let another process push, without waiting until this one's hold is over."""
        with self._database.begin() as tx:
            RowSql(tx).run(
                "UPDATE push_cursor SET held_until = NULL WHERE target = ? AND held_by = ?",
                *(self._target, self._name),
            )


def read_failing(connection: Connection, *, now: datetime) -> list[PushState]:
    """Return the targets that take no entries; not those that nobody pushes to any more."""
    row = PushCursorRecord
    query = select(row.target, row.next_idx, row.failing_since, row.trouble).where(
        row.failing_since.is_not(None), row.held_until > now - IN_USE
    )
    return [
        PushState(
            target=one.target,
            next_idx=one.next_idx,
            size=one.next_idx,
            failing_since=one.failing_since,
            trouble=one.trouble,
        )
        for one in connection.execute(query.order_by(row.target))
    ]


def _up_to_size(entries: list[Sealed]) -> list[Sealed]:
    """Return the first entries that fit into one batch: at least one."""
    total = accumulate(len(one.line) for one in entries)
    fitting = sum(1 for size in total if size <= MOST_BYTES)
    return entries[: max(fitting, 1)]
