"""Reads schedules: those that have not ended, one of them, and what its runs are given.

They are written by entries alone (`schedule_projections`).
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.history import find_entry
from storage.schedule_models import ScheduleRecord
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


class ScheduleSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def hold(self, schedule: str) -> ScheduleRow | None:
        """Return a schedule's row; two units that ask for one wait for each other."""
        if not self._is_sqlite:
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 2))", schedule)
        names = ", ".join(_COLUMNS)
        found = self.run(f"SELECT {names} FROM schedule WHERE id = ?", schedule).fetchone()  # noqa: S608  our own column names
        return None if found is None else _row(dict(zip(_COLUMNS, found, strict=True)))


def live_schedules(database: Database) -> list[ScheduleRow]:
    """Return every schedule's row that has not ended, in order of their ids."""
    query = select(*(ScheduleRecord.__table__.c[name] for name in _COLUMNS)).where(
        ScheduleRecord.ended_at.is_(None)
    )
    with database.read() as connection:
        return [_listed(row) for row in connection.execute(query.order_by(ScheduleRecord.id))]


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


def _listed(row: Row[Any]) -> ScheduleRow:
    return _row(dict(zip(_COLUMNS, row, strict=True)))


def _row(found: Mapping[str, Any]) -> ScheduleRow:
    """Return a row, as a driver or SQLAlchemy read it."""
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
