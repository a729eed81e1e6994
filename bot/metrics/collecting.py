"""Reads how everything stands when Prometheus asks, at most every few seconds.

Two that ask at once are given the same answer. While the database is away, what the process
knows by itself is still told.
"""

import logging
import platform
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection

from bot.metrics.catalogue import one, several
from bot.metrics.events import MOST_WORKFLOWS, OTHERS, EventCounts
from bot.metrics.exposition import Family, written
from bot.metrics.meters import Meters
from bot.readiness import Readiness
from bot.release import RELEASE
from storage.anchors import newest_of_each, read_turns
from storage.gauges import (
    read_going,
    read_grown,
    read_oldest,
    read_verified,
    read_waiting,
    read_workers,
)
from storage.pushing import read_failing
from storage.transaction import Database
from workflows.errors import StorageError
from workflows.run import Status

CACHED_SECONDS = 5.0
OLDEST = (Status.QUEUED, Status.WAITING, Status.EXCEPTION, Status.IN_DOUBT)
STARTED_AT = time.time()

log = logging.getLogger(__name__)


class Collector:
    """Everything that is measured of one process and its log, as text."""

    def __init__(
        self,
        database: Database,
        meters: Meters,
        readiness: Readiness,
        *,
        now: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Events are counted from here on.

        Raises:
            StorageError: the log cannot be read.
        """
        self._database, self._meters, self._readiness = database, meters, readiness
        self._now, self._ticks = now, ticks
        with database.read() as connection:
            self._events = EventCounts(after=read_grown(connection).size)
        self._guard = threading.Lock()
        self._text, self._read_at = "", float("-inf")

    def text(self) -> str:
        """Return the measurements, at most five seconds old."""
        with self._guard:
            if self._ticks() - self._read_at >= CACHED_SECONDS:
                self._text, self._read_at = self._collected(), self._ticks()
            return self._text

    def _collected(self) -> str:
        began = self._ticks()
        families = [*self._of_process(), *self._meters.families(), *self._of_log()]
        return written([*families, one("interlock_collect_seconds", self._ticks() - began)])

    def _of_process(self) -> Iterator[Family]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        build = (RELEASE, platform.python_version(), self._database.dialect)
        ready = {(part,): float(told is None) for part, told in self._readiness.look().items()}
        yield several("interlock_build_info", {build: 1})
        yield one("process_start_time_seconds", STARTED_AT)
        yield one("process_resident_memory_bytes", _resident_bytes())
        yield one("process_cpu_seconds_total", used.ru_utime + used.ru_stime)
        yield several("interlock_ready", ready)
        room = self._readiness.room()
        if room is not None:
            yield one("interlock_disk_free_bytes", room)

    def _of_log(self) -> list[Family]:
        try:
            with self._database.read() as connection:
                found = [*self._waiting(connection), *self._trust(connection)]
                self._events.take_up(connection, size=read_grown(connection).size)
        except StorageError:
            log.warning("the figures could not be read", exc_info=True)
            found = []
        return [*found, *self._events.families()]

    def _waiting(self, connection: Connection) -> Iterator[Family]:
        waiting, age = read_waiting(connection), self._age
        oldest = read_oldest(connection, OLDEST)
        ages = {(status.value,): age(at) for status, at in oldest.items()}
        yield several("interlock_runs", _bounded(read_going(connection)))
        yield several("interlock_oldest_run_age_seconds", ages)
        yield one("interlock_approval_requests_open", waiting.requests)
        yield one("interlock_approval_request_oldest_age_seconds", age(waiting.requests_since))
        yield one("interlock_outbox_messages", waiting.messages)
        yield one("interlock_outbox_oldest_due_seconds", age(waiting.messages_since))
        if self._database.dialect != "sqlite":
            yield one("interlock_workers_alive", read_workers(connection))

    def _trust(self, connection: Connection) -> Iterator[Family]:
        grown, verified = read_grown(connection), read_verified(connection)
        anchors = {(this.type,): self._age(this.at) for this in newest_of_each(connection)}
        failing = {(turn.name,): float(turn.failures) for turn in read_turns(connection)}
        yield one("interlock_log_entries", grown.size)
        yield one("interlock_log_pending_entries", grown.pending)
        yield one("interlock_checkpoint_age_seconds", self._age(grown.head_at))
        yield several("interlock_anchor_age_seconds", anchors)
        yield several("interlock_anchor_failures", failing)
        unpushed = [
            self._age(this.failing_since) for this in read_failing(connection, now=self._now())
        ]
        yield one("interlock_push_failing_seconds", max(unpushed, default=0.0))
        if verified is not None:
            yield one("interlock_verification_failures", verified.failures)
            yield one("interlock_verification_age_seconds", self._age(verified.at))

    def _age(self, since: datetime | None) -> float:
        return 0.0 if since is None else max(0.0, (self._now() - since).total_seconds())


def _bounded(going: Mapping[tuple[str, Status], int]) -> Mapping[tuple[str, ...], float]:
    """Return the counts by workflow and status; the workflows with the fewest count together."""
    sizes: Counter[str] = Counter()
    for (workflow, _), n in going.items():
        sizes[workflow] += n
    shown = {workflow for workflow, _ in sizes.most_common(MOST_WORKFLOWS)}
    found: Counter[tuple[str, ...]] = Counter()
    for (workflow, status), n in going.items():
        found[workflow if workflow in shown else OTHERS, status.value] += n
    return found


def _resident_bytes() -> int:
    """Return what the process holds in memory now, as the kernel counts it."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  as quick as it gets.
        return int(file.read().split()[1]) * resource.getpagesize()
