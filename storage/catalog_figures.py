"""How workflows stand and how their runs went: level, success, the last failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from storage.run_models import ActiveDefinitionRecord, RunRecord
from storage.transaction import Database
from workflows.run import Status

WENT_WRONG = (Status.FAILED.value, Status.ABORTED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How the runs of a workflow went that ended since some moment; `failed_at` is the newest."""

    done: int = 0
    failed: int = 0
    failed_at: datetime | None = None

    @property
    def rate(self) -> int | None:
        """Return how many of a hundred came to their end, None where none could have.

        What people rejected, took back or let expire did not fail.
        """
        ended = self.done + self.failed
        return None if ended == 0 else round(100 * self.done / ended)


def levels(database: Database) -> Mapping[str, str]:
    """Return at which level each active workflow is."""
    wanted = select(ActiveDefinitionRecord.workflow, ActiveDefinitionRecord.level).where(
        ActiveDefinitionRecord.retired_at.is_(None)
    )
    with database.read() as connection:
        return {row.workflow: row.level for row in connection.execute(wanted)}


def went(database: Database, *, since: datetime) -> Mapping[str, Went]:
    """Return how the runs went that ended since then, by workflow."""
    has_failed = RunRecord.outcome.in_(WENT_WRONG)
    wanted = (
        select(
            RunRecord.workflow,
            func.sum(case((RunRecord.outcome == Status.DONE.value, 1), else_=0)).label("done"),
            func.sum(case((has_failed, 1), else_=0)).label("failed"),
            func.max(case((has_failed, RunRecord.finished_at))).label("failed_at"),
        )
        .where(RunRecord.finished_at >= since)
        .group_by(RunRecord.workflow)
    )
    with database.read() as connection:
        return {
            row.workflow: Went(done=int(row.done), failed=int(row.failed), failed_at=row.failed_at)
            for row in connection.execute(wanted)
        }
