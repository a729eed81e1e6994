"""What became of the moments of a schedule, read for the clock that counts them.

A moment is taken by a unit (`take_firing`), and its row follows from the entry that tells of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage.run_models import ActiveDefinitionRecord, FiringRecord, RunRecord
from storage.transaction import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """Where a schedule stands: its newest moment that was handled, and its newest run.

    `has_run` says that a run came of that moment: it was not skipped. `is_running` says that some
    run of the schedule has not ended; `finished_at` is when the newest one did.
    """

    last: datetime | None = None
    has_run: bool = False
    is_running: bool = False
    finished_at: datetime | None = None


def fired(database: Database, schedule: str, *, until: datetime) -> Fired:
    """Return where a schedule stands at `until`.

    A later moment was handled by a clock that went ahead and came back. It stays handled, and
    holds back none of those before it.
    """
    with database.read() as connection:
        newest = connection.execute(
            select(FiringRecord.due, FiringRecord.run_id)
            .where(FiringRecord.schedule == schedule, FiringRecord.due <= until)
            .order_by(FiringRecord.due.desc())
            .limit(1)
        ).first()
        return Fired(
            last=None if newest is None else newest.due,
            has_run=newest is not None and newest.run_id is not None,
            is_running=_is_running(connection, schedule),
            finished_at=_finished_at(connection, schedule),
        )


def _is_running(connection: Connection, schedule: str) -> bool:
    going = (
        select(RunRecord.id)
        .join(FiringRecord, FiringRecord.run_id == RunRecord.id)
        .where(FiringRecord.schedule == schedule, RunRecord.outcome.is_(None))
        .limit(1)
    )
    return connection.execute(going).scalar() is not None


def _finished_at(connection: Connection, schedule: str) -> datetime | None:
    newest = (
        select(RunRecord.finished_at)
        .join(FiringRecord, FiringRecord.run_id == RunRecord.id)
        .where(FiringRecord.schedule == schedule)
        .order_by(FiringRecord.due.desc())
        .limit(1)
    )
    return connection.execute(newest).scalar()


def active_since(database: Database) -> Mapping[str, datetime]:
    """Return since when each workflow has the version that new runs take."""
    wanted = (
        select(ActiveDefinitionRecord.workflow, ActiveDefinitionRecord.activated_at)
        .where(ActiveDefinitionRecord.retired_at.is_(None))
        .order_by(ActiveDefinitionRecord.workflow)
    )
    with database.read() as connection:
        return {row.workflow: row.activated_at for row in connection.execute(wanted)}
