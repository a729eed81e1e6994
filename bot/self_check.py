"""The bot verifies its own log: every night quickly, once a week fully.

The look is done by a child process of least priority (`self_check_child`); here it is begun,
waited for and recorded as `verify.run`. What does not hold is told in the channel. Where the disk
is full meanwhile, what was found waits until there is room. It proves nothing to an outsider, who
verifies without us; it only tells early.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.logs import attributed
from bot.timetable import Schedule, minute_of
from bot.wording import code, escape, plural
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import StorageError, StorageUnavailableError
from workflows.store import Delivery, Message, Subject
from workflows.triggers import Missed, Trigger

QUICK, FULL = "quick", "full"
BROKEN, MALFORMED = 1, 2
# What the child needs to find its code and the database; no token is among it.
KEPT = ("HOME", "PATH", "LANG", "TZ")
STOP_SECONDS = 10.0
AGAIN_SECONDS = 5.0  # What was found waits so long for a database that is away or full.
PAUSE_SECONDS = 60.0  # A look takes more than a record.
MOST_WORDS = 300
# After an outage at night all logs of a host would be looked at together.
AT_ONCE = threading.BoundedSemaphore(2)
NO_ANSWER = (
    "⚠️ I could not verify my own log ({mode}): the process that looks ended without an answer. My"
    " machine's log says why; `interlock audit verify` asks again. Until then nobody knows"
    " whether the log holds."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The log to look at: where it is, how it is known, and the keys it began with."""

    database: str
    log_id: str
    vkeys: Sequence[str]
    channel: str


class NoAnswerError(Exception):
    """The process that looks ended without an answer; the words say how."""


class SelfCheck:
    """Verifies at night. A part of each long-lived process; of several, one takes each moment."""

    def __init__(
        self, store: SqlStore, watched: Watched, *, ticks: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._store = store
        self._watched = watched
        self._ticks = ticks
        self._guard = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Nothing is to be done before the first night."""

    def stop(self) -> None:
        """End a look that is under way; the next night begins anew."""
        with self._guard:
            self._stopping.set()
            child, thread = self._child, self._thread
        if child is not None:
            child.kill()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def schedules(self) -> list[Schedule]:
        """Return when it looks: at a minute of the log's own, since hosts hold many logs."""
        minute = minute_of(self._watched.log_id)
        return [
            # Where both waited for the database, the one that begins first is the only one.
            self._schedule(FULL, f"{minute} 2 * * 0"),
            self._schedule(QUICK, f"{minute} 2 * * 1-6"),
        ]

    def _schedule(self, mode: str, cron: str) -> Schedule:
        def begin(due: datetime) -> None:
            self._begin(mode, due)

        name = f"self-check-{mode}"
        return Schedule(
            name=name,
            workflow=name,
            title=f"Self-verification ({mode})",
            trigger=Trigger(cron=cron, missed=Missed.SKIP),
            begin=begin,
            makes_up=True,
        )

    def _begin(self, mode: str, due: datetime) -> None:
        """Begin a look, unless another process took this moment or the last look goes on."""
        once = Delivery(team="", kind="self_check", key=f"{mode}/{due.isoformat()}")
        with self._store.begin() as unit:
            if unit.is_repeat(once):
                return
        with self._guard:
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(
                target=attributed(self.look), args=(mode,), name="self-check", daemon=True
            )
            self._thread.start()

    def look(self, mode: str) -> None:
        """Verify once, record what was found, and tell the channel if it does not hold."""
        try:
            found = self._looked_in_time(mode)
        except (OSError, NoAnswerError) as error:
            why = str(error)[:MOST_WORDS]
            log.error("the log could not be verified", extra={"mode": mode, "why": why})  # noqa: TRY400 - a trace would show this process, and it is the other one that ended.
            self._keep(lambda: self._tell_of_no_answer(mode), mode)
            return
        if found is None:
            return  # It was stopped.
        report, ms = found
        log.info("verified the log", extra={"mode": mode, "exit": report["exit"], "ms": ms})
        self._keep(lambda: self._record(report, mode, ms), mode)

    def _keep(self, record: Callable[[], None], mode: str) -> None:
        """Record what a look came to, as soon as the database takes it."""
        while True:
            try:
                record()
            except StorageUnavailableError:
                told = {"mode": mode}
                log.warning("a verification waits to be recorded", extra=told, exc_info=True)
            except StorageError:
                log.exception("a verification could not be recorded", extra={"mode": mode})
                return
            else:
                return
            if self._stopping.wait(AGAIN_SECONDS):
                log.error("a verification was never recorded", extra={"mode": mode})
                return

    def _looked_in_time(self, mode: str) -> tuple[Mapping[str, Any], int] | None:
        """Look as soon as the database can be read."""
        while True:
            try:
                return self._looked(mode)
            except StorageUnavailableError:
                told = {"mode": mode}
                log.warning("a verification waits for the database", extra=told, exc_info=True)
            if self._stopping.wait(PAUSE_SECONDS):
                return None

    def _looked(self, mode: str) -> tuple[Mapping[str, Any], int] | None:
        """Return the report and how many milliseconds it took; None if this was stopped."""
        while not AT_ONCE.acquire(timeout=1):
            if self._stopping.is_set():
                return None
        try:
            before = self._ticks()
            report = self._ask(mode)
            return None if report is None else (report, round((self._ticks() - before) * 1000))
        finally:
            AT_ONCE.release()

    def _ask(self, mode: str) -> Mapping[str, Any] | None:
        asked = {
            "database": self._watched.database,
            "vkeys": list(self._watched.vkeys),
            "mode": mode,
        }
        with self._guard:
            if self._stopping.is_set():
                return None
            child = self._child = subprocess.Popen(
                [sys.executable, "-m", "bot.self_check_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=_environment(),
            )
        told, trouble = child.communicate(json.dumps(asked) + "\n")
        with self._guard:
            self._child = None
            if self._stopping.is_set():
                return None
        try:
            found: dict[str, Any] = json.loads(told)
        except ValueError as error:
            raise NoAnswerError(_how_it_ended(child.returncode, trouble)) from error
        if "away" in found:
            raise StorageUnavailableError(found["away"])
        return found

    def _tell_of_no_answer(self, mode: str) -> None:
        """Tell the channel that nobody knows whether the log holds; once a day at most."""
        with self._store.begin() as unit:
            key = f"self-check/{mode}/{unit.now:%Y-%m-%d}"
            self._tell(unit, key, NO_ANSWER.format(mode=mode))

    def _record(self, report: Mapping[str, Any], mode: str, ms: int) -> None:
        counts = report["counts"]
        data: dict[str, Json] = {
            "size": counts.get("entries", 0),
            "mode": mode,
            "exit": report["exit"],
            "failures": report["n_failures"],
            "unproven": len(report["unproven"]),
            "ms": ms,
        }
        with self._store.begin() as unit:
            recorded = unit.append(Draft(kind="verify.run", actor=SYSTEM, data=data))
            if report["exit"] in {BROKEN, MALFORMED}:
                self._tell(unit, f"self-check/{recorded.id}", _alert(report))

    def _tell(self, unit: SqlUnit, key: str, text: str) -> None:
        channel = self._watched.channel
        if channel:
            body: dict[str, Json] = {"text": text}
            unit.send(Message(subject=Subject.NOTICE, key=key, channel=channel, body=body))


def _alert(report: Mapping[str, Any]) -> str:
    name, words = report["failures"][0]
    count = plural(report["n_failures"], "failure")
    return (
        f"🚨 My own log does not verify: {count}. The first is {code(name)} {escape(words, 500)}\n"
        "What it shows is not what was recorded, so take nothing that I say of the past on trust."
        f" Keep a copy of the database as it is, and run {code('interlock audit verify')} on it"
        " with a key and a head that were kept elsewhere."
    )


def _how_it_ended(code: int, trouble: str) -> str:
    """Return how the process ended, with the last line it wrote: that names an error."""
    lines = trouble.split("\n")
    said = next((one for one in reversed(lines) if one.strip()), "")
    how = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
    return f"{how}: {said}" if said else f"{how}."


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name[:2] == "PG"}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
