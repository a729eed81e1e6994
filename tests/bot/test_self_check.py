"""The bot verifies its own log in a process of its own, records it, and tells what is wrong."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.digest import Digests
from bot.firings import firings_between
from bot.self_check import SelfCheck, Watched
from storage.audit_models import AuditEntryRow
from storage.database import Database
from storage.heads import first_vkeys, head
from storage.history import read_entry
from storage.message_models import OutboxRecord
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.bot.shown import no_version
from tests.its_share import with_its_share
from tests.storage.full_log import house_at
from tests.world import Clock, World
from workflows.entry import Entry
from workflows.store import Subject

PATIENCE = 120.0
PYTHON = sys.executable
DUE = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Log:
    """A log that the engine wrote, with a run that waits for people."""

    url: str
    database: Database
    store: SqlStore
    vkeys: list[str]
    clock: Clock

    @property
    def size(self) -> int:
        """How many entries it has."""
        with self.database.read() as connection:
            return head(connection).size

    def change(self, statement: str) -> None:
        """Do what an owner of the database can do."""
        with self.database.begin() as tx:
            tx.connection.execute(text(statement))


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    clock = Clock()
    with house_at(database_url, tmp_path / "home", clock, world=World()) as house:
        house.start("one-at-a-time", {"by": 1})
        house.settle()
        database = house.store.database
        with database.read() as connection:
            vkeys = [str(one) for one in first_vkeys(connection)]
        yield Log(database_url, database, house.store, vkeys, clock)


@pytest.fixture(autouse=True)
def _with_its_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_its_share(monkeypatch, tmp_path)


@pytest.fixture
def make(log: Log) -> Callable[[], SelfCheck]:
    watched = Watched(database=log.url, log_id="l", vkeys=log.vkeys, channel="ops")
    return lambda: SelfCheck(log.store, watched)


def recorded(log: Log) -> list[Entry]:
    with log.database.read() as connection:
        wanted = select(AuditEntryRow.idx).where(AuditEntryRow.kind == "verify.run")
        places = connection.execute(wanted.order_by(AuditEntryRow.idx)).scalars().all()
        found = [read_entry(connection, int(place or 0)) for place in places]
    return [one for one in found if one is not None]


def told(log: Log) -> list[str]:
    notices = select(OutboxRecord.body).where(OutboxRecord.subject == Subject.NOTICE)
    with log.database.read() as connection:
        return [str(one) for one in connection.execute(notices).scalars()]


def digest_line(log: Log) -> str:
    log.clock.forward(timedelta(hours=1))
    return (
        Digests(log.store, list, version=no_version, now=log.clock, channel="ops")
        .look()
        .shown.head.verified
    )


def test_a_good_log_is_recorded_as_verified_and_told_in_the_digest(
    log: Log, make: Callable[[], SelfCheck]
) -> None:
    assert digest_line(log) == "I have not verified it myself in this time."
    size = log.size
    make().look("quick")
    make().look("full")
    found = recorded(log)

    assert [(one.data["mode"], one.data["exit"], one.data["size"]) for one in found] == [
        ("quick", 0, size),
        ("full", 0, size + 1),
    ]
    assert told(log) == []
    assert digest_line(log) == (
        "I verified it myself 2 times and found nothing wrong, the last time full:"
        f" {size + 1} entries in 0.0 s."
    )


def test_a_log_that_was_changed_is_told_in_the_channel(
    log: Log, make: Callable[[], SelfCheck]
) -> None:
    log.change("UPDATE audit_part SET body = salt WHERE name = 'input'")
    make().look("full")

    assert [(one.data["exit"], one.data["failures"]) for one in recorded(log)] == [(1, 1)]
    assert "My own log does not verify: 1 failure" in told(log)[0]
    assert "part-commitment" in told(log)[0]
    place = recorded(log)[0].index
    assert digest_line(log) == f"1 of my own 1 verifications FAILED (#{place})."


def test_a_quick_look_hears_of_a_table_that_lies(log: Log, make: Callable[[], SelfCheck]) -> None:
    log.change("UPDATE approval_request SET outcome = 'approved', settled_at = raised_at")
    make().look("quick")

    assert [(one.data["mode"], one.data["exit"]) for one in recorded(log)] == [("quick", 1)]
    assert "`projection` approval_request" in told(log)[0]


def test_a_look_that_ends_without_an_answer_is_told(
    log: Log, make: Callable[[], SelfCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    make().look("full")

    assert recorded(log) == []
    assert "I could not verify my own log (full)" in told(log)[0]


def test_it_takes_only_what_time_others_leave() -> None:
    with subprocess.Popen([PYTHON, "-m", "bot.self_check_child"], stdin=subprocess.PIPE) as child:
        ends = time.monotonic() + PATIENCE
        while (now := os.getpriority(os.PRIO_PROCESS, child.pid)) < 19 and time.monotonic() < ends:
            time.sleep(0.05)  # It waits for its question, once it has yielded.
        child.kill()

    assert now == 19


def test_of_two_processes_one_takes_the_moment(log: Log, make: Callable[[], SelfCheck]) -> None:
    for check in (make(), make()):
        quick = check.schedules()[1]
        quick.begin(DUE)
        for thread in threading.enumerate():
            if thread.name == "self-check":
                thread.join()

    assert [one.data["exit"] for one in recorded(log)] == [0]
    assert check_projections(log.database) == []


def test_a_process_that_stops_ends_its_look_and_records_nothing(
    log: Log, make: Callable[[], SelfCheck]
) -> None:
    check = make()
    check.schedules()[1].begin(DUE)
    check.stop()

    assert recorded(log) == []
    assert not [one for one in threading.enumerate() if one.name == "self-check"]


def test_it_looks_once_every_night_and_fully_once_a_week(make: Callable[[], SelfCheck]) -> None:
    until = datetime(2026, 3, 16, tzinfo=UTC)
    moments = [
        firings_between(one.trigger, after=datetime(2026, 3, 2, tzinfo=UTC), until=until)
        for one in make().schedules()
    ]

    assert [len(one) for one in moments] == [2, 12]
    assert len({one.date() for found in moments for one in found}) == 14
