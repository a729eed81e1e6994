"""The product without Slack, as a real process that a trial may kill at any moment.

It is `bot/core` as `interlock serve` builds it: definitions, policy, actions, dispatcher,
clock, signed log. Only Slack is missing: orders come over a pipe, and people are those of the
sandbox's company, always readable. It is forked from a process that has imported everything,
so that a life costs milliseconds instead of seconds; nothing but imports is shared.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import text

from bot.clock import Clock
from bot.core import Core, Means, build_core
from bot.opening import open_memory
from bot.running import Part
from bot.segments import Segments, Sequencing
from bot.settings import Settings
from bot.timetable import Timetable
from sandbox.seed import GROUPS
from storage.lock_file import ServeLock
from workflows.actions.base import Happened
from workflows.entry import RequestId, RunId
from workflows.errors import InterlockError, StorageError
from workflows.gate import Verdict
from workflows.orders import Ballot, Start
from workflows.people import Person, PersonId

READY = -1  # The number of the answer that says that the process works.
THREADS = 4
ORDERS_AT_ONCE = 8
AT_ONCE = "-now"  # Runs started under a key that ends so are decided the moment they ask.


def id_of(name: str) -> PersonId:
    """Return the external id of somebody of the company."""
    return PersonId(f"slack:T0:U0{name.upper()}")


class Company:
    """People and groups of the sandbox's company, as a directory would give them."""

    def person(self, who: PersonId) -> Person:
        name = who.removeprefix("slack:T0:U0").lower()
        return Person(id=who, name=name, handle=name)

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        del max_age
        return frozenset(id_of(one) for one in GROUPS[name.removeprefix("@")])


def settings_of(home: Path, database: str) -> Settings:
    """Return the settings of a process that serves `home`; `database` empty means its file."""
    chosen = {
        "home": home,
        "database": database,
        "workflows": home / "workflows",
        "policy": home / "policy.yaml",
        "channel": "ops",
        "threads": THREADS,
    }
    return Settings.model_validate(chosen)


def serve(home: Path, database: str, orders: Connection) -> None:
    """Serve until the process is killed, or the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever interrupts the trial ends us by force.
    _write_log(home / "engine.log")
    settings = settings_of(home, database)
    lock = ServeLock.take(home, now=Means().clock()) if settings.is_sqlite else None
    try:
        memory = open_memory(settings)
        core = build_core(settings, memory, people=Company(), means=Means(environment={}))
    except StorageError:
        logging.getLogger(__name__).exception("the database is away")
        os._exit(1)  # A supervisor would start it again; so does the siege.
    core.store.on_sent(_Eager(core).nudge)
    for part in _parts(core):
        part.start()
    _Desk(core, orders).work()
    if lock is not None:
        lock.release()
    os._exit(0)  # Whoever held the pipe is gone, so nothing here is of use; threads go too.


def _parts(core: Core) -> list[Part]:
    timetable = Timetable(core.store, list, born=core.means.clock())
    clock = Clock(core.store, core.engine.handle_due, timetable, now=core.means.clock)
    core.store.on_due(clock.due_at)
    placing: list[Part] = [] if core.settings.is_sqlite else [Sequencing(core)]
    return [Segments(core), clock, *placing]


class _Eager:
    """Somebody who clicks Approve at the instant at which the card is committed.

    The segment that asked is about to return then, which is when a wake-up could be lost.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sent = threading.Event()
        threading.Thread(target=self._work, name="eager", daemon=True).start()

    def nudge(self) -> None:
        """Look at what was just sent."""
        self._sent.set()

    def _work(self) -> None:
        while self._sent.wait():
            self._sent.clear()
            try:
                for request in self._open():
                    _decide(self._core, {"request": request, "person": "ana", "verdict": "approve"})
            except InterlockError:
                continue  # Somebody else was quicker, or the database is away.

    def _open(self) -> list[str]:
        with self._core.memory.database.read() as connection:
            rows = connection.execute(_OPEN_AT_ONCE, {"ending": f"%{AT_ONCE}"}).all()
        return [str(row[0]) for row in rows]


_OPEN_AT_ONCE = text(
    "SELECT r.id FROM approval_request r JOIN run ON run.id = r.run_id"
    " WHERE r.outcome = 'open' AND run.start_key LIKE :ending"
)


class _Desk:
    """Takes orders from the pipe, many at once, and answers each once it is committed."""

    def __init__(self, core: Core, orders: Connection) -> None:
        self._core = core
        self._orders = orders
        self._answering = Lock()
        self._pool = ThreadPoolExecutor(ORDERS_AT_ONCE, "order")

    def work(self) -> None:
        self._answer(READY, ok=True, value="ready")
        while True:
            try:
                number, what, fields = self._orders.recv()
            except (EOFError, OSError):
                return
            self._pool.submit(self._carry_out, number, what, fields)

    def _carry_out(self, number: int, what: str, fields: Mapping[str, Any]) -> None:
        try:
            value = _ORDERS[what](self._core, fields)
        except InterlockError as refusal:
            self._answer(number, ok=False, value=f"{type(refusal).__name__}: {refusal}")
        except Exception as defect:
            logging.getLogger(__name__).exception("an order failed")
            self._answer(number, ok=False, value=f"DEFECT {defect!r}")
        else:
            if fields.get("dies"):
                os.kill(os.getpid(), signal.SIGKILL)  # Committed, and nobody is told.
            self._answer(number, ok=True, value=value)

    def _answer(self, number: int, *, ok: bool, value: object) -> None:
        with self._answering:
            self._orders.send((number, ok, value))


def _start(core: Core, fields: Mapping[str, Any]) -> str:
    started = core.engine.start(
        Start(
            workflow=fields["workflow"],
            inputs=fields["inputs"],
            trigger="slash",
            person=id_of(fields["person"]),
            key=fields["key"],
            channel="ops",
        )
    )
    return str(started.run)


def _decide(core: Core, fields: Mapping[str, Any]) -> str:
    decided = core.engine.decide(
        Ballot(
            request=RequestId(fields["request"]),
            person=id_of(fields["person"]),
            verdict=Verdict(fields["verdict"]),
            comment=fields.get("comment", ""),
        )
    )
    return str(decided.tally.outcome)


def _doubt(core: Core, fields: Mapping[str, Any]) -> str:
    core.engine.settle_doubt(
        RunId(fields["run"]),
        fields["step"],
        person=id_of(fields["person"]),
        happened=Happened(fields["happened"]),
    )
    return "settled"


def _exception(core: Core, fields: Mapping[str, Any]) -> str:
    core.engine.settle_exception(
        RunId(fields["run"]),
        fields["step"],
        person=id_of(fields["person"]),
        answer=fields["answer"],
    )
    return "settled"


def _cancel(core: Core, fields: Mapping[str, Any]) -> str:
    core.engine.cancel(RunId(fields["run"]), person=id_of(fields["person"]), reason="changed mind")
    return "asked"


_ORDERS: Mapping[str, Callable[[Core, Mapping[str, Any]], str]] = {
    "start": _start,
    "decide": _decide,
    "doubt": _doubt,
    "exception": _exception,
    "cancel": _cancel,
}


def _write_log(path: Path) -> None:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
