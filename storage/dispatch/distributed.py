"""Continue runs on any number of processes that share a Postgres, by Procrastinate's queue.

The job is added by the transaction that makes the run ready, on the same connection, so both
happen or neither. What has to be looked at stands in the runs' rows here too; a job only says
that somebody should look, and its only argument is the run.
"""

import logging
import threading
from datetime import timedelta

from storage.dispatch.deaths import OnStuck, bury
from storage.dispatch.handing_on import HandingOn
from storage.dispatch.job_worker import JobWorker, Server
from storage.dispatch.jobs_sql import QUEUE, JobsSql
from storage.patience import waiting_for_the_server
from storage.postgres_database import connection_arguments
from storage.store import SqlStore
from storage.transaction import Transaction
from storage.unit import SqlUnit
from workflows.dispatch import Handler
from workflows.entry import RunId
from workflows.errors import (
    AlteredVersionError,
    SigningKeyError,
    StorageError,
    UnreadableVersionError,
)
from workflows.store import Unit

log = logging.getLogger(__name__)

THREADS = 8
BEAT = timedelta(seconds=10)
GONE_AFTER = timedelta(seconds=30)
SWEEP_EVERY = timedelta(minutes=1)
STOP_PATIENCE = timedelta(seconds=30)
# A segment that cannot reach the server holds what it knows for so long: the outcome of an
# effect is better late than in doubt.
SERVER_PATIENCE = timedelta(minutes=3)


# A release whose workflow files can say more than those of the one before raises it by one.
FORMS = 1


class DistributedDispatcher:
    """One of the processes that continue runs. `enqueue` alone needs no `serve`.

    `on_stuck` is told of a run whose segments died three times of a defect, or whose workers
    went away five times, so that somebody is asked.
    """

    def __init__(
        self,
        store: SqlStore,
        *,
        threads: int = THREADS,
        beat: timedelta = BEAT,
        gone_after: timedelta = GONE_AFTER,
        sweep_every: timedelta = SWEEP_EVERY,
        forms: int = FORMS,
        on_stuck: OnStuck | None = None,
    ) -> None:
        self._store = store
        self._threads = threads
        self._beat = beat
        self._gone_after = gone_after
        self._sweep_every = sweep_every
        self._forms = forms
        self._on_stuck = on_stuck
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._worker: JobWorker | None = None
        self._handing_on = HandingOn(
            store, self.enqueue, gone_after=gone_after, tell=lambda: self._on_stuck
        )

    def on_stuck(self, tell: OnStuck) -> None:
        """Say who is told of stuck runs, for an engine that is made after its dispatcher."""
        self._on_stuck = tell

    def enqueue(self, unit: Unit, run: RunId) -> None:
        unit.mark_ready(run)
        JobsSql(_transaction_of(unit)).defer(run)

    def hint(self, run: RunId) -> None:
        with self._store.begin() as unit:
            unit.lock_run(run)
            self.enqueue(unit, run)

    def serve(self, handler: Handler) -> None:
        worker = JobWorker(
            self._server(),
            lambda run: self._handle(handler, run),
            queues=[QUEUE, *(queue_after(earlier) for earlier in range(1, self._forms))],
            threads=self._threads,
            beat=self._beat,
            lapse=self._gone_after / 2,
        )
        thread = threading.Thread(target=self._run, args=(worker,), name="jobs")
        self._worker = worker
        self._ended.clear()
        thread.start()
        try:
            self._keep_watch(worker)
        finally:
            worker.stop()
            thread.join(STOP_PATIENCE.total_seconds())

    def stop(self) -> None:
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()
        self._ended.wait(STOP_PATIENCE.total_seconds())

    def _run(self, worker: JobWorker) -> None:
        try:
            worker.run()
        finally:
            self._ended.set()

    def _keep_watch(self, worker: JobWorker) -> None:
        """Look for workers that are gone at each beat, for runs that stand each minute."""
        beats_a_sweep = max(1, round(self._sweep_every / self._beat))
        beats = 0
        while not self._stopping.is_set():
            try:
                self._handing_on.look_for_the_gone(worker)
                if beats % beats_a_sweep == 0:
                    self._handing_on.look_for_standing(self._stopping)
            except StorageError:
                log.warning("the sweep waits for the database", exc_info=True)
            except Exception:
                log.exception("the sweep failed")
            beats += 1
            self._stopping.wait(self._beat.total_seconds())

    def _handle(self, handler: Handler, run: RunId) -> None:
        try:
            with waiting_for_the_server(SERVER_PATIENCE):
                handler(run)
        except (AlteredVersionError, SigningKeyError) as error:
            # Swept each minute. Without a key that counts it is this process that ends.
            log.warning("a run waits", extra={"run": run, "why": str(error)})
        except UnreadableVersionError:
            self._leave_to_newer(run)
        except Exception:
            # Whatever it was, the run's row still says that it stands.
            log.exception("segment died", extra={"run": run})
            bury(self._store, run, tell=self._on_stuck)

    def _leave_to_newer(self, run: RunId) -> None:
        """Put the run where only workers of a newer release look. It stays as it is."""
        log.warning("a run waits for a worker of a newer release", extra={"run": run})
        with self._store.begin() as unit:
            unit.lock_run(run)
            unit.mark_ready(run)
            JobsSql(unit.transaction).defer(run, queue=queue_after(self._forms))

    def _server(self) -> Server:
        url = self._store.database.engine.url
        return Server(
            address=url.set(drivername="postgresql").render_as_string(hide_password=False),
            arguments=connection_arguments(url),
        )


def queue_after(forms: int) -> str:
    """Return the queue of runs that a release with so many forms could not read."""
    return f"{QUEUE}.after-{forms}"


def _transaction_of(unit: Unit) -> Transaction:
    if not isinstance(unit, SqlUnit):
        raise TypeError("A job is added by the transaction of a unit on Postgres.")
    return unit.transaction
