"""Finds runs that stand still on Postgres: their worker is gone, or no job is about them.

Several processes look at once; each finding is judged again under the run's lock. A worker
that was only frozen is fenced by the run's epoch, and its job is not the one handed on.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from storage.dispatch.deaths import OnStuck
from storage.dispatch.jobs_sql import Job, JobsSql
from storage.patience import in_a_hurry
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import RunId
from workflows.errors import StorageError, UnknownRunError

log = logging.getLogger(__name__)

SWEEP_LIMIT = 1_000
PATIENCE_MS = 1_000  # For a run that somebody else holds just now; others are waiting too.
# A worker may be killed for reasons that lie outside the run, so one takes more of these.
MOST_TAKE_OVERS = 5

Enqueue = Callable[[SqlUnit, RunId], None]
Drop = Callable[[JobsSql], bool]  # False if the job is not where it was any more.


class Watching(Protocol):
    """What a sweep asks of the worker of this process. `id` is None while it has none."""

    @property
    def id(self) -> int | None:
        """Return its number in the table of workers."""

    @property
    def active(self) -> frozenset[int]:
        """Return the jobs under way."""

    def heard_for(self) -> timedelta:
        """Return for how long the server has heard of it without a lapse."""


class HandingOn:
    """Gives runs that stand still to whichever worker is free."""

    def __init__(
        self,
        store: SqlStore,
        enqueue: Enqueue,
        *,
        gone_after: timedelta,
        tell: Callable[[], OnStuck | None],
    ) -> None:
        self._store = store
        self._enqueue = enqueue
        self._gone_after = gone_after
        self._tell = tell
        self._idle: frozenset[int] = frozenset()

    def look_for_the_gone(self, worker: Watching) -> None:
        """Hand on the jobs of workers that are silent, and of this one those it never got.

        Raises:
            StorageError: the database is away.
        """
        mine = worker.id
        active = worker.active
        with self._store.database.glance() as tx:
            jobs = JobsSql(tx)
            may_judge = worker.heard_for() >= self._gone_after
            gone = jobs.of_the_gone(self._gone_after) if may_judge else []
            held = [] if mine is None else jobs.of_worker(mine)
        for job in gone:
            self._hand_on(job, self._drop_of_the_gone(job))
        if mine is not None:
            self._look_at_own(mine, [one for one in held if one.id not in active])

    def look_for_standing(self, stopping: threading.Event) -> None:
        """Enqueue every run that is ready, or was left by its segment, and has no job.

        Raises:
            StorageError: the database is away.
        """
        with self._store.database.glance() as tx:
            found = JobsSql(tx).without_job(SWEEP_LIMIT)
        for run in found:
            if stopping.is_set():
                return
            self._enqueue_soon(run)

    def _enqueue_soon(self, run: RunId) -> None:
        try:
            with in_a_hurry(PATIENCE_MS), self._store.begin() as unit:
                unit.lock_run(run)
                self._enqueue(unit, run)
        except StorageError:
            log.warning("a run that stands cannot be taken up yet", extra={"run": run})

    def _look_at_own(self, mine: int, idle: list[Job]) -> None:
        """Hand on jobs whose arrival the server noted and this worker missed.

        Seen idle twice, one was not merely about to begin or just done.
        """
        missed = [one for one in idle if one.id in self._idle]
        self._idle = frozenset(one.id for one in idle)
        for job in missed:
            self._hand_on(job, _drop_of_worker(job, mine), died=False)

    def _drop_of_the_gone(self, job: Job) -> Drop:
        return lambda sql: sql.drop_of_the_gone(job.id, self._gone_after)

    def _hand_on(self, job: Job, drop: Drop, *, died: bool = True) -> None:
        try:
            with in_a_hurry(PATIENCE_MS):
                is_stuck = self._give_away(job, drop, died=died)
        except StorageError:
            # A worker that was frozen in the middle of a transaction holds the run for a while.
            log.warning("a run cannot be taken over yet", extra={"run": job.run}, exc_info=True)
            return
        except UnknownRunError:
            log.warning("a job is about no run", extra={"job": job.id, "run": job.run})
            with self._store.begin() as unit:
                drop(JobsSql(unit.transaction))
            return
        if is_stuck:
            self._ask_somebody(job.run)

    def _give_away(self, job: Job, drop: Drop, *, died: bool) -> bool:
        """Replace the job by a new one; True if the run had better be looked at by a person."""
        with self._store.begin() as unit:
            row = unit.lock_run(job.run)
            if not drop(JobsSql(unit.transaction)) or row.status.is_end:
                return False
            is_stuck = died and unit.count_death(job.run) >= MOST_TAKE_OVERS
            if is_stuck:
                unit.mark_ready(job.run)  # The sweep goes on with it, should telling fail.
            else:
                self._enqueue(unit, job.run)
        log.warning("a run was taken over from a worker that is gone", extra={"run": job.run})
        return is_stuck

    def _ask_somebody(self, run: RunId) -> None:
        tell = self._tell()
        try:
            if tell is not None:
                tell(run)
        except Exception:
            log.exception("stuck run not told", extra={"run": run})
        with self._store.begin() as unit:
            unit.lock_run(run)
            self._enqueue(unit, run)


def _drop_of_worker(job: Job, worker: int) -> Drop:
    return lambda sql: sql.drop_of_worker(job.id, worker)
