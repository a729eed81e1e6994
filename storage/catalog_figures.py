"""How workflows stand and how their runs went: level, success, failures, and what goes on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from storage.run_models import GOES_ON, ActiveDefinitionRecord, RunRecord
from storage.transaction import Database
from workflows.entry import Ref
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """Runs of one version that have not ended, and who asked for them, the most runs first."""

    version: str
    runs: int
    requesters: tuple[Ref, ...]


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


def going_on(database: Database) -> Mapping[str, Sequence[GoingOn]]:
    """Return by workflow what has not ended, by version: the one with the most runs first."""
    row, runs = RunRecord, func.count().label("runs")
    wanted = (
        select(row.workflow, row.version, row.requester, runs)
        .where(GOES_ON)
        .group_by(row.workflow, row.version, row.requester)
        .order_by(row.workflow, row.version, runs.desc(), row.requester)
    )
    asked: dict[tuple[str, str], dict[Ref, int]] = defaultdict(dict)
    with database.read() as connection:
        for workflow, version, requester, count in connection.execute(wanted):
            asked[workflow, version][Ref(requester)] = count
    found: dict[str, list[GoingOn]] = defaultdict(list)
    for (workflow, version), by in asked.items():
        one = GoingOn(version=version, runs=sum(by.values()), requesters=tuple(by))
        found[workflow].append(one)
    return {name: sorted(some, key=lambda one: -one.runs) for name, some in found.items()}
