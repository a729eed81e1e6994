"""Reads schedules: those that have not ended, one of them, and what its runs are given.

They are written by entries alone (`schedule_projections`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.history import find_entry
from storage.transaction import Database
from workflows.entry import Ref
from workflows.schedule import ScheduleRow, ScheduleState
from workflows.triggers import Missed, Overlap

_COLUMNS = (
    "id",
    "workflow",
    "state",
    "changed_at",
    "entry_id",
    "version",
    "cron",
    "at",
    "timezone",
    "missed",
    "overlap",
    "channel",
    "set_by",
    "set_at",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM schedule"  # noqa: S608  our own column names


class ScheduleSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def hold(self, schedule: str) -> ScheduleRow | None:
        """Return a schedule's row; two units that ask for one wait for each other."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 2))", schedule)
        found = self.run(f"{_SELECT} WHERE id = ?", schedule).fetchone()
        return None if found is None else _row(found)

    def live(self) -> list[ScheduleRow]:
        """Return the rows that have not ended. The clock asks each time it looks."""
        return [_row(one) for one in self.run(f"{_SELECT} WHERE ended_at IS NULL ORDER BY id")]


def live_schedules(database: Database) -> list[ScheduleRow]:
    """Return every schedule's row that has not ended, in order of their ids."""
    with database.glance() as tx:
        return ScheduleSql(tx).live()


def schedule_inputs(database: Database, row: ScheduleRow) -> Mapping[str, Any] | None:
    """Return what a schedule's runs are given, None once that was erased."""
    if row.entry is None:
        return None
    with database.read() as connection:
        entry = find_entry(connection, row.entry)
    part = entry.parts.get("input") if entry is not None else None
    if part is None or part.value is None:
        return None
    found: dict[str, Any] = json.loads(part.value)
    return found


def _row(values: Sequence[Any]) -> ScheduleRow:
    found = dict(zip(_COLUMNS, values, strict=True))
    missed, overlap, set_by = found["missed"], found["overlap"], found["set_by"]
    return ScheduleRow(
        id=found["id"],
        workflow=found["workflow"],
        state=ScheduleState(found["state"]),
        changed_at=read_moment(found["changed_at"]),
        entry=found["entry_id"],
        version=found["version"],
        cron=found["cron"],
        at=read_moment_or_none(found["at"]),
        timezone=found["timezone"],
        missed=None if missed is None else Missed(missed),
        overlap=None if overlap is None else Overlap(overlap),
        channel=found["channel"],
        set_by=None if set_by is None else Ref(set_by),
        set_at=read_moment_or_none(found["set_at"]),
    )
