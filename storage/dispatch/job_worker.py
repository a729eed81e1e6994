"""Procrastinate's worker in an event loop of its own thread; the rest stays synchronous.

It takes one job a run at a time, for as many runs as it has threads. What a segment does, and
what becomes of one that dies, is for `distributed`; here a job only ever ends well.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from procrastinate import App, JobContext
from procrastinate.worker import Worker

from storage.dispatch.job_connector import PatientConnector
from storage.dispatch.jobs_sql import TASK
from workflows.dispatch import Handler
from workflows.entry import RunId

log = logging.getLogger(__name__)

# The event loop needs a thread too, to find the server's address while all others are at work.
SPARE_THREADS = 2
MOST_CONNECTIONS = 4
LOOK_SECONDS = 5.0  # How long a notice that was lost costs at most.
AGAIN_SECONDS = 1.0
SOON_SECONDS = 0.05
NEVER = timedelta(days=1).total_seconds()
# A worker that was frozen for less finds its place again.
FORGOTTEN = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where Postgres is, and how to speak to it."""

    address: str
    arguments: dict[str, Any]


class JobWorker:
    """Takes jobs until it is stopped, and says every few seconds that it lives."""

    def __init__(
        self,
        server: Server,
        handler: Handler,
        *,
        queues: Sequence[str],
        threads: int,
        beat: timedelta,
        lapse: timedelta,
    ) -> None:
        """A server that did not hear of this worker for longer than `lapse` was away for it."""
        self._server = server
        self._handler = handler
        self._queues = queues
        self._threads = threads
        self._beat_seconds = beat.total_seconds()
        self._lapse_seconds = lapse.total_seconds()
        self._heard_at = self._heard_since = float("-inf")
        self._guard = threading.Lock()
        self._active: set[int] = set()
        self._stopping = threading.Event()
        self._wake: Callable[[], None] = lambda: None
        self._id: int | None = None

    @property
    def id(self) -> int | None:
        """Return its number in the table of workers, None before it has one."""
        return self._id

    @property
    def active(self) -> frozenset[int]:
        """Return the jobs under way."""
        with self._guard:
            return frozenset(self._active)

    def heard_for(self) -> timedelta:
        """Return for how long the server has heard of this worker without a lapse.

        After an outage every worker looks silent for a moment, so only one that was heard for
        as long as others are given may judge them.
        """
        now = time.monotonic()
        if now - self._heard_at > self._lapse_seconds:
            return timedelta(0)
        return timedelta(seconds=now - self._heard_since)

    def run(self) -> None:
        """Work until `stop`; what ends the loop otherwise is logged, and it begins again."""
        while not self._stopping.is_set():
            try:
                asyncio.run(self._work())
            except Exception:
                if not self._stopping.is_set():
                    log.exception("the job queue begins again")
                self._stopping.wait(AGAIN_SECONDS)

    def stop(self) -> None:
        """Take no new job. Returns at once; `run` returns when those under way are done."""
        self._stopping.set()
        self._wake()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._threads + SPARE_THREADS, "segment"))
        loop.set_exception_handler(_log_loop_error)
        connector = PatientConnector(
            address=self._server.address,
            arguments=self._server.arguments,
            most=MOST_CONNECTIONS,
        )
        app = App(connector=connector)
        app.task(name=TASK, pass_context=True)(self._perform)
        async with app.open_async():
            worker = self._worker(app)
            async with self._attended(worker, connector):
                await worker.run()  # type: ignore[no-untyped-call]  # As in its library.

    def _worker(self, app: App) -> Worker:
        return Worker(
            app,
            queues=self._queues,
            name="interlock",
            concurrency=self._threads,
            fetch_job_polling_interval=LOOK_SECONDS,
            abort_job_polling_interval=NEVER,  # Nothing of ours is aborted that way.
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=NEVER,  # It would end with the first wish to stop.
            stalled_worker_timeout=FORGOTTEN,
        )

    @asynccontextmanager
    async def _attended(self, worker: Worker, connector: PatientConnector) -> Any:  # noqa: ANN401  an async generator
        """Stop the worker when asked to; say that it lives for as long as its jobs take."""
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: _call_soon(loop, asked.set)
        if self._stopping.is_set():
            asked.set()
        tasks = [
            asyncio.create_task(self._stop_when(asked, worker, connector)),
            asyncio.create_task(self._beat(worker)),
        ]
        try:
            yield
        finally:
            self._wake = lambda: None
            self._id = None
            await _ended(tasks)

    async def _stop_when(
        self, asked: asyncio.Event, worker: Worker, connector: PatientConnector
    ) -> None:
        await asked.wait()
        connector.is_stopping = True
        while True:  # A worker that is just beginning forgets what it was told before.
            worker.stop()  # type: ignore[no-untyped-call]  # As in its library.
            await asyncio.sleep(AGAIN_SECONDS)

    async def _beat(self, worker: Worker) -> None:
        while True:
            self._id = worker.worker_id
            if worker.worker_id is not None:
                await self._say_that_it_lives(worker, worker.worker_id)
            await asyncio.sleep(self._beat_seconds if self._id is not None else SOON_SECONDS)

    async def _say_that_it_lives(self, worker: Worker, ident: int) -> None:
        try:
            await worker.app.job_manager.update_heartbeat(ident)
        except Exception:
            # Silence would give away the runs of a worker that lives.
            log.exception("a beat of the job queue failed")
        else:
            self._note_heard()

    def _note_heard(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > self._lapse_seconds:
            self._heard_since = now
        self._heard_at = now

    def _perform(self, context: JobContext, /, run: str, **_: object) -> None:
        """Do one job. A later release may say more with it than this one understands."""
        with self._under_way(context.job.id):
            self._handler(RunId(run))

    @contextmanager
    def _under_way(self, job: int | None) -> Iterator[None]:
        ident = job or 0
        with self._guard:
            self._active.add(ident)
        try:
            yield
        finally:
            with self._guard:
                self._active.discard(ident)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Return once all of them have ended; they are asked again until they have.

    A cancellation that meets the end of what a task waits for is lost, `wait_for` of Python 3.11
    and a connection that breaks answer instead of it. Such a worker would never end.
    """
    while still := [one for one in tasks if not one.done()]:
        for one in still:
            one.cancel()
        await asyncio.wait(still, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # The loop has ended meanwhile.
        loop.call_soon_threadsafe(call)


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.warning("a job's end was not noted", exc_info=context.get("exception"))
