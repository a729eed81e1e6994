"""Dispatchers on a Postgres of one test, their runs and jobs, and a worker that is gone."""

from datetime import timedelta

from storage.dispatch.deaths import OnStuck
from storage.dispatch.distributed import DistributedDispatcher
from storage.store import SqlStore
from workflows.entry import RunId

BEAT = timedelta(milliseconds=100)
# A job not begun at two beats in a row is taken for one that never arrived. Where a test counts
# how often a run is looked at, no thread of a busy machine is so late.
CALM_BEAT = timedelta(seconds=10)
GONE_AFTER = timedelta(seconds=5)


def dispatcher_of(
    store: SqlStore,
    *,
    threads: int = 2,
    beat: timedelta = BEAT,
    gone_after: timedelta = GONE_AFTER,
    forms: int = 1,
    on_stuck: OnStuck | None = None,
) -> DistributedDispatcher:
    return DistributedDispatcher(
        store,
        threads=threads,
        beat=beat,
        gone_after=gone_after,
        sweep_every=beat,
        forms=forms,
        on_stuck=on_stuck,
    )


def jobs(store: SqlStore) -> list[tuple[str, str]]:
    with store.database.begin() as tx:
        found = tx.driver.execute("SELECT lock, status FROM procrastinate_jobs ORDER BY id")
        return [(one[0], one[1]) for one in found.fetchall()]


def is_standing(store: SqlStore, run: RunId) -> bool:
    with store.begin() as unit:
        row = unit.lock_run(run)
        claimed = unit.transaction.driver.execute(
            "SELECT claimed_at FROM run WHERE id = %s", [run]
        ).fetchone()
    return row.is_ready or claimed[0] is not None


def take_as_the_dead(store: SqlStore, run: RunId) -> int:
    """Take the run's job as a worker that has not been heard of for long; return the job."""
    with store.database.begin() as tx:
        worker = tx.driver.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id"
        ).fetchone()[0]
        taken = tx.driver.execute(
            "SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [worker]
        ).fetchone()[0]
    with store.begin() as unit:
        unit.lock_run(run)
        unit.claim(run, by="the dead")
    return int(taken)


class Heard:
    """A worker as far as a sweep asks: for how long the server has heard of it."""

    id: int | None = None
    active: frozenset[int] = frozenset()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def heard_for(self) -> timedelta:
        return timedelta(seconds=self._seconds)
