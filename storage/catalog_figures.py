"""How workflows stand and how their runs went: level, success, failures, and what goes on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from storage.run_models import ActiveDefinitionRecord, RunRecord
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
    """Runs of one version that have not ended, and a few who asked for the most of them."""

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
    """Return how the runs went that ended since then, by workflow.

    However many they are, an index alone is read, and of it what is so young.
    """
    wanted = (
        select(
            RunRecord.workflow,
            RunRecord.outcome,
            func.count().label("runs"),
            func.max(RunRecord.finished_at).label("newest"),
        )
        .where(
            RunRecord.workflow.in_(select(ActiveDefinitionRecord.workflow)),
            RunRecord.outcome.in_((Status.DONE.value, *WENT_WRONG)),
            RunRecord.finished_at >= since,
        )
        .group_by(RunRecord.workflow, RunRecord.outcome)
    )
    found: dict[str, Went] = defaultdict(Went)
    with database.read() as connection:
        for workflow, outcome, runs, newest in connection.execute(wanted):
            before = found[workflow]
            if outcome == Status.DONE.value:
                found[workflow] = replace(before, done=runs)
                continue
            times = [one for one in (newest, before.failed_at) if one is not None]
            failed = before.failed + runs
            found[workflow] = replace(before, failed=failed, failed_at=max(times))
    return found


def going_on(database: Database, *, named: int) -> Mapping[str, Sequence[GoingOn]]:
    """Return by workflow what has not ended, by version: the one with the most runs first.

    However many wait, an index alone is read, and of each version so many requesters come back.
    """
    found: dict[tuple[str, str], GoingOn] = {}
    with database.glance() as tx:
        statement = _GOING.format(by=_BY_VERSION if tx.is_sqlite else "")
        for workflow, version, requester, runs in tx.run(statement, (named,)).fetchall():
            before = found.get((workflow, version))
            asked = (*(before.requesters if before is not None else ()), Ref(requester))
            found[workflow, version] = GoingOn(version=version, runs=int(runs), requesters=asked)
    by_workflow: dict[str, list[GoingOn]] = defaultdict(list)
    for (workflow, _), one in found.items():
        by_workflow[workflow].append(one)
    return {name: sorted(some, key=lambda one: -one.runs) for name, some in by_workflow.items()}


# SQLite would take another index and look up each run that has no end.
_BY_VERSION = "INDEXED BY ix_run_version_going"
_GOING = """SELECT workflow, version, requester, total FROM (
  SELECT workflow, version, requester,
    sum(runs) OVER (PARTITION BY workflow, version) AS total,
    row_number() OVER (PARTITION BY workflow, version ORDER BY runs DESC, requester) AS place
  FROM (
    SELECT workflow, version, requester, count(*) AS runs FROM run {by}
    WHERE finished_at IS NULL GROUP BY workflow, version, requester
  ) AS asked
) AS placed WHERE place <= ? ORDER BY workflow, version, place
"""
