"""The disk fills while the bot does its nightly work: nothing is lost, and nothing is left out."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from bot import self_check
from bot.clock import Clock as Alarm
from bot.self_check import SelfCheck, Watched
from bot.sweeping import NAME as SWEEP
from bot.sweeping import Sweeping
from bot.timetable import Schedule, Timetable
from storage.audit_models import AuditEntryRow
from storage.heads import first_vkeys
from storage.message_models import OutboxRecord, SummaryRecord
from storage.retention.person import erase
from storage.retention.removal import overwrite_deleted
from storage.run_models import RunRecord
from tests.its_share import with_its_share
from tests.journeys.test_full_disk import fill, small_disk
from tests.storage.test_retention import Kept, housed, look_up, on_disk
from tests.world import NOON, POLICY, id_of, policy_in
from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import StorageUnavailableError
from workflows.store import Subject

SOON = 30.0
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture(autouse=True)
def _with_its_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let a verification end within the time that is waited for it, whatever else runs."""
    with_its_share(monkeypatch, tmp_path)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size=32 * 2**20):
        yield tmp_path / "disk"


@pytest.fixture
def house(disk: Path, tmp_path: Path) -> Iterator[Kept]:
    yield from housed(f"sqlite:///{disk}/log.db", tmp_path)


@pytest.fixture
def check(house: Kept, monkeypatch: pytest.MonkeyPatch) -> Iterator[SelfCheck]:
    monkeypatch.setattr(self_check, "AGAIN_SECONDS", 0.1)
    made = SelfCheck(house.store, watched(house))
    yield made
    made.stop()


def test_bytes_that_could_not_be_overwritten_are_overwritten_once_there_is_room(
    house: Kept, disk: Path
) -> None:
    overwrite_deleted(house.store.database)
    look_up(house, times=1000)
    house.days(181)
    house.swept()
    ballast = fill(disk)
    with pytest.raises(StorageUnavailableError) as full:
        overwrite_deleted(house.store.database)
    left = b"look 7" in on_disk(str(disk / "log.db"))
    ballast.unlink()
    overwrite_deleted(house.store.database)

    assert str(full.value).startswith("The disk is full. What was removed is gone from the log")
    assert left
    assert b"look 7" not in on_disk(str(disk / "log.db"))
    assert house.verified().failures == []


def test_a_sweep_that_finds_no_room_keeps_no_other_schedule_waiting(
    house: Kept, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    overwrite_deleted(house.store.database)
    look_up(house, times=1000)
    sweep = Sweeping(house.store, policy_in(POLICY), now=house.clock).schedule("log")
    fired: list[object] = []
    other = replace(sweep, name="other", begin=fired.append)
    clock = alarm(house, [sweep, other])
    house.days(1)
    ballast = fill(disk)
    clock.look()
    waited = list(fired)
    ballast.unlink()
    clock.look()

    told = [one for one in caplog.records if one.message == "a schedule waits for the database"]
    reasons = [str(one.exc_info[1]) for one in told if one.exc_info]
    assert len(waited) == 1
    assert [vars(one)["schedule"] for one in told][:2] == [SWEEP, "other"]
    assert all(one.startswith("The disk is full.") for one in reasons)
    assert sorted(firings(house)) == ["other", SWEEP]


def test_what_a_verification_found_is_told_once_there_is_room(
    house: Kept, disk: Path, check: SelfCheck
) -> None:
    house.finished()
    with house.store.database.begin() as tx:
        tx.connection.execute(text("UPDATE audit_part SET body = salt WHERE name = 'input'"))
    ballast = fill(disk)
    looking = threading.Thread(target=check.look, args=("full",))
    looking.start()
    looking.join(5)
    while_full = looking.is_alive(), verified(house), notices(house)
    ballast.unlink()
    looking.join(SOON)

    assert while_full == (True, [], [])
    assert len(verified(house)) == 1
    assert "My own log does not verify: 1 failure" in notices(house)[0]


@pytest.mark.parametrize("hours_full", [[3] * 9, [27]], ids=["looks", "due-rows-first"])
def test_a_verification_whose_moment_came_on_a_full_disk_is_made_up_for(
    house: Kept, disk: Path, check: SelfCheck, hours_full: list[int]
) -> None:
    house.finished()
    clock = alarm(house, check.schedules)
    while house.clock().weekday() != 5:
        house.days(1)
    clock.look()
    house.start()  # Its request is over a day later, which the clock looks at first.
    house.settle()
    before = verified(house), firings(house)
    ballast = fill(disk)
    for hours in hours_full:
        house.clock.forward(timedelta(hours=hours))
        clock.look()
    ballast.unlink()
    clock.look()
    wait_until(lambda: len(verified(house)) == 1)

    assert before == ([], [])
    assert firings(house) == ["self-check-full"]
    assert house.verified().failures == []


def test_a_database_that_is_away_is_not_told_as_a_log_that_does_not_verify(
    house: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    check = SelfCheck(house.store, replace(watched(house), database=NOWHERE))
    looking = threading.Thread(target=check.look, args=("full",))
    looking.start()
    wait_until(lambda: "a verification waits for the database" in caplog.messages)
    check.stop()
    looking.join(SOON)

    assert not looking.is_alive()
    assert (verified(house), notices(house)) == ([], [])


def test_a_large_sweep_needs_no_room_for_temporary_files(house: Kept, tmp_path: Path) -> None:
    look_up(house, times=8000)
    house.days(181)
    with small_disk(tmp_path / "temporary", size=2**16), temporary_files_in(tmp_path / "temporary"):
        fill(tmp_path / "temporary")
        found = house.swept()

    assert found.payloads == 8000
    assert {kind for kind, _ in house.markers()} == {"retention.sweep"}
    assert house.verified().failures == []


def test_the_erasure_of_many_payloads_needs_no_room_for_temporary_files(
    house: Kept, tmp_path: Path
) -> None:
    ref = wordy(house, "rita", times=8000)
    with small_disk(tmp_path / "temporary", size=2**16), temporary_files_in(tmp_path / "temporary"):
        fill(tmp_path / "temporary")
        found = erase(house.store, ref, policy="cd" * 32, by_run="0" * 32)

    assert len(found) == 8000
    assert id_of("rita") not in house.persons()
    assert house.verified().failures == []


def test_an_erasure_needs_no_room_for_temporary_files(house: Kept, tmp_path: Path) -> None:
    ref = storied(house, times=500)
    with small_disk(tmp_path / "temporary", size=2**16), temporary_files_in(tmp_path / "temporary"):
        fill(tmp_path / "temporary")
        erase(house.store, ref, policy="cd" * 32, by_run="0" * 32)

    assert len(house.markers()) == 1
    assert id_of("rita") not in house.persons()
    assert house.verified().failures == []


def wordy(house: Kept, name: str, *, times: int) -> Ref:
    """Record so many payloads of one person; return their pseudonym."""
    with house.store.begin() as unit:
        ref = unit.ref(id_of(name))
        for number in range(times):
            part = Part(value=f"look {number}".encode())
            data: dict[str, Json] = {"what": "runs", "n": 1}
            actor = Actor(kind=ActorKind.USER, ref=ref)
            unit.append(Draft(kind="access.read", actor=actor, data=data, parts={"query": part}))
    return ref


def storied(house: Kept, *, times: int) -> Ref:
    """Have stories of so many runs of one person; return their pseudonym."""
    model = house.finished()
    with house.store.database.begin() as tx:
        row = tx.connection.execute(select(RunRecord.__table__)).mappings().one()
        runs = [dict(row, id=f"r{number}", start_key=None) for number in range(times)]
        stories = [told_of(one["id"], number) for number, one in enumerate(runs)]
        tx.connection.execute(insert(RunRecord), runs)
        tx.connection.execute(insert(SummaryRecord), stories)
    return house.entries(model)[0].actor.ref


def told_of(run: str, number: int) -> dict[str, object]:
    words = " ".join(f"word{number}of{one}" for one in range(100))
    return {"run_id": run, "entry_id": run, "body": words, "words": words, "written_at": NOON}


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Have SQLite keep them there: it looks for TMPDIR once, before any test."""
    with closing(sqlite3.connect(":memory:")) as any_connection:
        any_connection.execute(f"PRAGMA temp_store_directory = '{folder}'")
        try:
            yield
        finally:
            any_connection.execute("PRAGMA temp_store_directory = ''")


def watched(house: Kept) -> Watched:
    with house.store.database.read() as connection:
        first = [str(one) for one in first_vkeys(connection)]
    return Watched(database=house.url, log_id="log", vkeys=first, channel="ops")


def alarm(house: Kept, schedules: list[Schedule] | Callable[[], list[Schedule]]) -> Alarm:
    found = schedules if callable(schedules) else lambda: schedules
    timetable = Timetable(house.store, found, born=house.clock())
    return Alarm(house.store, house.engine.handle_due, timetable, now=house.clock)


def verified(house: Kept) -> list[str]:
    return entries(house, "verify.run")


def firings(house: Kept) -> list[str]:
    return [json.loads(one)["data"]["schedule"] for one in entries(house, "schedule.fired")]


def entries(house: Kept, kind: str) -> list[str]:
    with house.store.database.read() as connection:
        wanted = select(AuditEntryRow.line).where(AuditEntryRow.kind == kind)
        return [str(one) for one in connection.execute(wanted).scalars()]


def notices(house: Kept) -> list[str]:
    with house.store.database.read() as connection:
        wanted = select(OutboxRecord.body).where(OutboxRecord.subject == Subject.NOTICE)
        return [str(one) for one in connection.execute(wanted).scalars()]


def wait_until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)
