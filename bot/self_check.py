"""The bot verifies its own log: every night quickly, once a week fully.

The look is done by a child process of least priority (`self_check_child`); here it is begun,
waited for and recorded as `verify.run`. What does not hold is told in the channel. It proves
nothing to an outsider, who verifies without us; it only tells early.
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

from bot.timetable import Schedule, minute_of
from bot.wording import code, escape, plural
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import StorageError
from workflows.store import Delivery, Message, Subject
from workflows.triggers import Missed, Trigger

QUICK, FULL = "quick", "full"
BROKEN, MALFORMED = 1, 2
# What the child needs to find its code and the database; no token is among it.
KEPT = ("HOME", "PATH", "LANG", "TZ")
STOP_SECONDS = 10.0
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
        self._is_stopping = False

    def start(self) -> None:
        """Nothing is to be done before the first night."""

    def stop(self) -> None:
        """End a look that is under way; the next night begins anew."""
        with self._guard:
            self._is_stopping = True
            child, thread = self._child, self._thread
        if child is not None:
            child.kill()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def schedules(self) -> list[Schedule]:
        """Return when it looks: at a minute of the log's own, since hosts hold many logs."""
        minute = minute_of(self._watched.log_id)
        return [
            self._schedule(QUICK, f"{minute} 2 * * 1-6"),
            self._schedule(FULL, f"{minute} 2 * * 0"),
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
        )

    def _begin(self, mode: str, due: datetime) -> None:
        """Begin a look, unless another process took this moment or the last look goes on."""
        once = Delivery(team="", kind="self_check", key=f"{mode}/{due.isoformat()}")
        with self._store.begin() as unit:
            if unit.is_repeat(once):
                return
        with self._guard:
            if self._is_stopping or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(
                target=self.look, args=(mode,), name="self-check", daemon=True
            )
            self._thread.start()

    def look(self, mode: str) -> None:
        """Verify once, record what was found, and tell the channel if it does not hold."""
        before = self._ticks()
        try:
            report = self._ask(mode)
        except (OSError, ValueError):
            log.exception("the log could not be verified", extra={"mode": mode})
            self._tell_of_no_answer(mode)
            return
        if report is None:
            return  # It was stopped.
        ms = round((self._ticks() - before) * 1000)
        log.info("verified the log", extra={"mode": mode, "exit": report["exit"], "ms": ms})
        try:
            self._record(report, mode, ms)
        except StorageError:
            log.exception("a verification could not be recorded", extra={"exit": report["exit"]})

    def _ask(self, mode: str) -> Mapping[str, Any] | None:
        asked = {
            "database": self._watched.database,
            "vkeys": list(self._watched.vkeys),
            "mode": mode,
        }
        with self._guard:
            if self._is_stopping:
                return None
            self._child = subprocess.Popen(
                [sys.executable, "-m", "bot.self_check_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=_environment(),
            )
        told, _ = self._child.communicate(json.dumps(asked) + "\n")
        with self._guard:
            self._child = None
            if self._is_stopping:
                return None
        found: dict[str, Any] = json.loads(told)
        return found

    def _tell_of_no_answer(self, mode: str) -> None:
        """Tell the channel that nobody knows whether the log holds; once a day at most."""
        try:
            with self._store.begin() as unit:
                key = f"self-check/{mode}/{unit.now:%Y-%m-%d}"
                self._tell(unit, key, NO_ANSWER.format(mode=mode))
        except StorageError:
            log.exception("nobody could be told that the log was not verified")

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
    count = plural(max(report["n_failures"], 1), "failure")
    return (
        f"🚨 My own log does not verify: {count}. The first is {code(name)} {escape(words, 500)}\n"
        "What it shows is not what was recorded, so take nothing that I say of the past on trust."
        f" Keep a copy of the database as it is, and run {code('interlock audit verify')} on it"
        " with a key and a head that were kept elsewhere."
    )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name[:2] == "PG"}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
