"""Continue runs in this process, on a pool of threads.

What has to be looked at stands in the runs' rows; the queue here only makes it soon. A sweep at
the start and every minute finds what a lost hint, a defect or a dead process left behind.
"""

import logging
import threading
from collections import deque
from datetime import timedelta

from storage.change import Clock
from storage.dispatch.deaths import OnStuck, bury
from storage.journal import utc_now
from storage.store import SqlStore
from workflows.dispatch import Handler
from workflows.entry import RunId
from workflows.errors import SigningKeyError, StorageError, UnreadableVersionError
from workflows.store import Unit

log = logging.getLogger(__name__)

THREADS = 8
SWEEP_EVERY = timedelta(minutes=1)
SWEEP_LIMIT = 1_000
STOP_PATIENCE = timedelta(seconds=30)


class EmbeddedDispatcher:
    """One process, a few threads: each run in one of them at most.

    `on_stuck` is told of a run whose segments died three times of a defect, so that somebody
    is asked. A hint for a run that is being worked on is remembered until that segment ends.
    """

    def __init__(
        self,
        store: SqlStore,
        *,
        threads: int = THREADS,
        sweep_every: timedelta = SWEEP_EVERY,
        on_stuck: OnStuck | None = None,
        now: Clock = utc_now,
    ) -> None:
        self._store = store
        self._threads = threads
        self._sweep_every = sweep_every
        self._on_stuck = on_stuck
        self._now = now
        guard = threading.RLock()
        self._work_is_there = threading.Condition(guard)  # Waited for by the segments' threads.
        self._changed = threading.Condition(guard)  # Waited for by `serve` and `stop`.
        self._waiting: deque[RunId] = deque()
        self._listed: set[RunId] = set()  # In the queue, each once.
        self._active: set[RunId] = set()
        self._again: set[RunId] = set()  # Hinted while active.
        self._is_stopping = False

    def on_stuck(self, tell: OnStuck) -> None:
        """Say who is told of stuck runs, for an engine that is made after its dispatcher."""
        self._on_stuck = tell

    def enqueue(self, unit: Unit, run: RunId) -> None:
        unit.mark_ready(run)
        unit.after_commit(lambda: self.hint(run))

    def hint(self, run: RunId) -> None:
        with self._changed:
            if self._is_stopping or run in self._listed:
                return
            if run in self._active:
                self._again.add(run)
                return
            self._list(run)

    def serve(self, handler: Handler) -> None:
        workers = [
            threading.Thread(target=self._work, args=(handler,), name=f"segment-{number}")
            for number in range(self._threads)
        ]
        for worker in workers:
            worker.start()
        while not self._is_stopping:
            self._sweep()
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping, self._sweep_every.total_seconds())
        for worker in workers:
            worker.join(STOP_PATIENCE.total_seconds())

    def stop(self) -> None:
        with self._changed:
            self._is_stopping = True
            self._waiting.clear()
            self._listed.clear()
            self._work_is_there.notify_all()
            self._changed.notify_all()
            # Those under way are at most as many as there are threads.
            self._changed.wait_for(lambda: not self._active, STOP_PATIENCE.total_seconds())

    def _list(self, run: RunId) -> None:
        self._listed.add(run)
        self._waiting.append(run)
        self._work_is_there.notify()

    def _sweep(self) -> None:
        """List every run that is ready, or held by a segment that is not in this process."""
        try:
            found = self._store.standing(claimed_before=self._now(), limit=SWEEP_LIMIT)
        except StorageError:
            log.exception("sweep failed")
            return
        with self._changed:
            for run in found:
                # An active run is looked after by its own segment, and by hints.
                if run not in self._active and run not in self._listed:
                    self._list(run)

    def _work(self, handler: Handler) -> None:
        while (run := self._next()) is not None:
            try:
                handler(run)
            except (UnreadableVersionError, SigningKeyError) as error:
                # Without a key that counts it is this process that ends.
                log.warning("a run waits", extra={"run": run, "why": str(error)})
            except Exception:
                # Whatever it was, the run's row still says that it stands.
                log.exception("segment died", extra={"run": run})
                bury(self._store, run, tell=self._on_stuck)
            finally:
                self._done(run)

    def _next(self) -> RunId | None:
        with self._work_is_there:
            self._work_is_there.wait_for(lambda: self._waiting or self._is_stopping)
            if self._is_stopping:
                return None
            run = self._waiting.popleft()
            self._listed.discard(run)
            self._active.add(run)
            return run

    def _done(self, run: RunId) -> None:
        with self._changed:
            self._active.discard(run)
            if run in self._again:
                self._again.discard(run)
                self._list(run)
            self._changed.notify_all()
