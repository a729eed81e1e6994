"""The bot verifies its own log in a process of its own, records it, and tells what is wrong."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.digest import Digests
from bot.firings import firings_between
from bot.self_check import SelfCheck, Watched
from storage.audit_models import AuditEntryRow
from storage.database import open_database
from storage.history import read_entry
from storage.message_models import OutboxRecord
from storage.store import SqlStore
from tests.bot.shown import no_version
from tests.storage.trail import Trail, begin_trail
from workflows.entry import Entry

DUE = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.fixture
def trail(database_url: str, tmp_path: Path) -> Iterator[Trail]:
    database = open_database(database_url)
    trail = begin_trail(database_url, database, tmp_path / "home")
    trail.run("r1")
    yield trail
    database.close()


@pytest.fixture
def make(trail: Trail) -> Callable[[], SelfCheck]:
    watched = Watched(database=trail.url, log_id="l", vkeys=[trail.pin], channel="ops")
    return lambda: SelfCheck(store_of(trail), watched)


def store_of(trail: Trail) -> SqlStore:
    return SqlStore(trail.database, trail.journal, now=trail.clock)


def recorded(trail: Trail) -> list[Entry]:
    with trail.database.read() as connection:
        wanted = select(AuditEntryRow.idx).where(AuditEntryRow.kind == "verify.run")
        places = connection.execute(wanted.order_by(AuditEntryRow.idx)).scalars().all()
        found = [read_entry(connection, int(place or 0)) for place in places]
    return [one for one in found if one is not None]


def told(trail: Trail) -> list[str]:
    with trail.database.read() as connection:
        rows = connection.execute(select(OutboxRecord.body)).scalars().all()
    return [str(one) for one in rows]


def digest_line(trail: Trail) -> str:
    return (
        Digests(store_of(trail), list, version=no_version, now=trail.clock, channel="ops")
        .look()
        .shown.head.verified
    )


def test_a_good_log_is_recorded_as_verified_and_told_in_the_digest(
    trail: Trail, make: Callable[[], SelfCheck]
) -> None:
    assert digest_line(trail) == "I have not verified it myself in this time."
    make().look("quick")
    make().look("full")
    found = recorded(trail)

    assert [(one.data["mode"], one.data["exit"], one.data["size"]) for one in found] == [
        ("quick", 0, 7),
        ("full", 0, 8),
    ]
    assert told(trail) == []
    assert digest_line(trail) == (
        "I verified it myself 2 times and found nothing wrong, the last time full:"
        " 8 entries in 0.0 s."
    )


def test_a_log_that_was_changed_is_told_in_the_channel(
    trail: Trail, make: Callable[[], SelfCheck]
) -> None:
    trail.run_sql("UPDATE audit_part SET body = salt WHERE name = 'message'")
    make().look("full")

    assert [(one.data["exit"], one.data["failures"]) for one in recorded(trail)] == [(1, 1)]
    assert "My own log does not verify: 1 failure" in told(trail)[0]
    assert "part-commitment" in told(trail)[0]
    place = recorded(trail)[0].index
    assert digest_line(trail) == f"1 of my own 1 verifications FAILED (#{place})."


def test_of_two_processes_one_takes_the_moment(trail: Trail, make: Callable[[], SelfCheck]) -> None:
    for check in (make(), make()):
        quick = check.schedules()[0]
        quick.begin(DUE)
        for thread in threading.enumerate():
            if thread.name == "self-check":
                thread.join()

    assert len(recorded(trail)) == 1


def test_a_process_that_stops_ends_its_look_and_records_nothing(
    trail: Trail, make: Callable[[], SelfCheck]
) -> None:
    check = make()
    check.schedules()[1].begin(DUE)
    check.stop()

    assert recorded(trail) == []
    assert not [one for one in threading.enumerate() if one.name == "self-check"]


def test_it_looks_once_every_night_and_fully_once_a_week(make: Callable[[], SelfCheck]) -> None:
    until = datetime(2026, 3, 16, tzinfo=UTC)
    moments = [
        firings_between(one.trigger, after=datetime(2026, 3, 2, tzinfo=UTC), until=until)
        for one in make().schedules()
    ]

    assert [len(one) for one in moments] == [12, 2]
    assert len({one.date() for found in moments for one in found}) == 14
