"""What we say to Procrastinate's tables inside our own transactions.

Adding a job calls the function of its schema that its own `defer` calls. Asked for like this,
a job that waits already costs neither an error nor a savepoint. Whoever adds one holds the
run's row, so nobody else adds one for that run meanwhile.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from storage.change import RowSql
from workflows.entry import RunId

QUEUE = "interlock"
TASK = "interlock.advance"

_DEFER = (
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(?, ?, 0, ?, ?, ?, NULL)"
    "::procrastinate_job_to_defer_v1]) WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs"
    " WHERE queueing_lock = ? AND status = 'todo')"
)
_IS_GONE = (
    "(j.worker_id IS NULL OR NOT EXISTS (SELECT 1 FROM procrastinate_workers w"
    " WHERE w.id = j.worker_id AND w.last_heartbeat >= now() - make_interval(secs => ?)))"
)
_NO_JOB = (
    "NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.lock = run.id AND j.status = 'doing')"
    " AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j"
    " WHERE j.queueing_lock = run.id AND j.status = 'todo')"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a worker took: its number, and the run it is about."""

    id: int
    run: RunId


class JobsSql(RowSql):
    """The statements, on one transaction of Postgres."""

    __slots__ = ()

    def defer(self, run: RunId, *, queue: str = QUEUE) -> None:
        """Have a worker look at the run, unless a job for it waits already."""
        self.later(_DEFER, queue, TASK, run, run, json.dumps({"run": run}), run)

    def of_the_gone(self, silent_for: timedelta) -> list[Job]:
        """Return the jobs of workers that have not been heard of for so long."""
        found = self.run(
            "SELECT j.id, j.lock FROM procrastinate_jobs j"  # noqa: S608  fixed texts
            f" WHERE j.status = 'doing' AND j.task_name = ? AND {_IS_GONE} ORDER BY j.id",
            *(TASK, silent_for.total_seconds()),
        ).fetchall()
        return [Job(ident, RunId(run)) for ident, run in found]

    def drop_of_the_gone(self, job: int, silent_for: timedelta) -> bool:
        """Remove a job, if it is still one of a worker that is gone."""
        dropped = self.run(
            "DELETE FROM procrastinate_jobs j WHERE j.id = ?"  # noqa: S608  fixed texts
            f" AND j.status = 'doing' AND {_IS_GONE}",
            *(job, silent_for.total_seconds()),
        )
        return bool(dropped.rowcount)

    def of_worker(self, worker: int) -> list[Job]:
        """Return the jobs that a worker has taken."""
        found = self.run(
            "SELECT id, lock FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ?",
            worker,
        ).fetchall()
        return [Job(ident, RunId(run)) for ident, run in found]

    def drop_of_worker(self, job: int, worker: int) -> bool:
        """Remove a job, if that worker still has it."""
        dropped = self.run(
            "DELETE FROM procrastinate_jobs WHERE id = ? AND status = 'doing' AND worker_id = ?",
            *(job, worker),
        )
        return bool(dropped.rowcount)

    def without_job(self, limit: int) -> Sequence[RunId]:
        """Return runs that are ready or claimed and that no job is about, oldest first."""
        ready = self.run(
            f"SELECT id FROM run WHERE ready_at IS NOT NULL AND {_NO_JOB}"  # noqa: S608  fixed texts
            " ORDER BY ready_at, id LIMIT ?",
            limit,
        ).fetchall()
        claimed = self.run(
            f"SELECT id FROM run WHERE claimed_at IS NOT NULL AND {_NO_JOB}"  # noqa: S608  fixed texts
            " ORDER BY claimed_at, id LIMIT ?",
            limit,
        ).fetchall()
        return [RunId(run) for run in dict.fromkeys(one[0] for one in (*ready, *claimed))][:limit]
