"""What happened is counted in one digest, whoever had digests made and whenever."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.digest import Digests
from bot.digest_making import Made
from storage.audit_models import AuditEntryRow
from storage.figures import MOST_LISTED
from storage.outbox_values import MessagePlace
from storage.store import SqlStore
from tests.bot.shown import no_version
from tests.storage.run_drafts import (
    ANA,
    HandClock,
    fact,
    failed,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from tests.stores import opened
from workflows.definition import Definition
from workflows.entry import SYSTEM, Draft
from workflows.store import Subject

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(MONDAY - timedelta(hours=2))


@pytest.fixture
def store(database_url: str, tmp_path: Path, clock: HandClock) -> Iterator[SqlStore]:
    with opened(database_url, tmp_path, clock) as store:
        yield store


@pytest.fixture
def digests(store: SqlStore, clock: HandClock) -> Digests:
    return Digests(store, list, version=no_version, now=clock, channel="ops")


def run(store: SqlStore, name: str) -> None:
    with store.begin() as unit:
        unit.add_run(new_run(name))
        unit.append(started(name))
        unit.append(finished(name))


def counted(*made: Made) -> int:
    return sum(one["done"] for each in made for one in each.figures["workflows"])


def test_what_a_digest_by_hand_told_is_in_no_other_though_mondays_comes_late(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    run(store, "r1")
    clock.at = MONDAY + timedelta(minutes=10)
    run(store, "r2")
    clock.at = MONDAY + timedelta(minutes=30)
    by_hand = digests.post()
    late = digests.post(at=MONDAY)
    clock.at = MONDAY + timedelta(weeks=1)
    next_one = digests.post(at=clock.at)

    assert counted(by_hand) == 2
    assert (late.id, late.figures) == (by_hand.id, by_hand.figures)
    assert counted(next_one) == 0
    assert next_one.figures["since"] == by_hand.figures["until"]


def test_a_run_that_ends_in_the_millisecond_of_a_digest_is_counted_once(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    clock.at = MONDAY + timedelta(microseconds=400)
    run(store, "r1")
    first = digests.post()
    clock.at = MONDAY + timedelta(weeks=1)
    second = digests.post()

    assert counted(first, second) == 1


def test_a_run_whose_commit_is_still_to_come_is_counted_once(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    is_written, may_commit = threading.Event(), threading.Event()

    def start() -> None:
        with store.begin() as unit:
            unit.add_run(new_run("r1"))
            unit.append(started("r1"))
            unit.append(finished("r1"))
            unit.transaction.connection.exec_driver_sql("SELECT 1")  # What was said is sent.
            is_written.set()
            may_commit.wait(5)

    with ThreadPoolExecutor() as others:
        writes = others.submit(start)
        is_written.wait()
        clock.at = MONDAY
        makes = others.submit(digests.post)
        wait([makes], timeout=0.5)  # It made one without the run, or waits for it.
        may_commit.set()
        writes.result()
        first = makes.result()
    clock.at = MONDAY + timedelta(weeks=1)
    second = digests.post()

    assert counted(first, second) == 1


def test_a_digest_made_twice_says_twice_what_is_kept_of_it(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    run(store, "r1")
    clock.at = MONDAY
    first = digests.post()
    clock.at = MONDAY + timedelta(milliseconds=700)
    run(store, "r2")
    again = digests.post()
    clock.at = MONDAY + timedelta(weeks=1)
    later = digests.post()

    assert (again.id, again.figures) == (first.id, first.figures)
    assert counted(first, later) == 2


def test_a_digest_that_stands_is_on_record_once_though_its_process_died_at_that(
    store: SqlStore, digests: Digests
) -> None:
    made, place = digests.post(), MessagePlace(channel="C0OPS", ts="1772442000.000100")
    for _ in range(2):  # Killed between the entry and the mark, the next one finds the message.
        digests.posted(made.id, place, team="T0ACME")
    with store.database.read() as connection:
        kinds = connection.execute(select(AuditEntryRow.kind)).scalars().all()

    assert kinds.count("digest.posted") == 1
    assert store.outbox.find(Subject.DIGEST_FILES, made.id) is not None


def test_of_many_verifications_the_oldest_counts_as_well(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    checked = {"size": 1, "mode": "quick", "failures": [], "unproven": 0, "ms": 5}
    with store.begin() as unit:
        for number in range(MOST_LISTED + 10):
            data = {**checked, "exit": 1 if number == 0 else 0}
            unit.append(Draft(kind="verify.run", actor=SYSTEM, data=data))
    clock.at = MONDAY

    told = digests.post().shown.head.verified
    assert told.startswith(f"1 of my own {MOST_LISTED + 10} verifications FAILED (#1)")


def test_of_many_changes_it_says_how_many_are_not_listed(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    with store.begin() as unit:
        for number in range(MOST_LISTED + 7):
            data = {"workflow": f"w{number}", "version": "v", "owner": "@o", "deputy": "@d"}
            published = {**data, "actions": "a" * 64}
            unit.append(Draft(kind="workflow.published", actor=SYSTEM, data=published))
    clock.at = MONDAY

    changes = digests.post().shown.changes
    assert len(changes) == MOST_LISTED + 1
    assert changes[0] == "7 earlier ones stand in the log."
    assert changes[-1].startswith(f"workflow published w{MOST_LISTED + 6}")


def test_a_digest_with_no_new_entry_tells_none_twice(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    with store.begin() as unit:
        unit.append(Draft(kind="key.retire", actor=SYSTEM, data={"id": "0" * 16}))
    first = digests.post()
    clock.forward(seconds=2)
    second = digests.post()
    third = digests.post(at=clock.at + timedelta(seconds=2))
    head = second.figures["head"]

    assert any("key retire" in one for one in first.figures["changes"])
    assert second.figures["changes"] == third.figures["changes"] == []
    assert (head["first"], head["last"]) == (first.figures["head"]["last"] + 1, head["size"] - 1)


def test_the_first_digest_of_an_old_log_tells_of_a_week_of_entries(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    with store.begin() as unit:
        unit.append(Draft(kind="key.retire", actor=SYSTEM, data={"id": "0" * 16}))
    clock.at = MONDAY + timedelta(days=700)
    with store.begin() as unit:
        unit.append(Draft(kind="key.retire", actor=SYSTEM, data={"id": "1" * 16}))
    made = digests.post().figures

    assert made["changes"] == [f"key retire {'1' * 16} (entry #2)."]
    assert (made["head"]["first"], made["head"]["last"]) == (2, 2)


def test_nobody_waits_while_the_figures_of_a_period_are_read(
    store: SqlStore, clock: HandClock
) -> None:
    names = iter(["r1", "r2"])

    def definitions() -> list[Definition]:
        with ThreadPoolExecutor() as others:
            others.submit(run, store, next(names)).result(timeout=5)
        return []

    digests = Digests(store, definitions, version=no_version, now=clock, channel="ops")

    assert counted(digests.look()) == 0


def test_a_digest_of_a_clock_that_went_ahead_holds_back_none(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    weeks = [MONDAY + timedelta(weeks=number) for number in range(4)]
    clock.at = weeks[0]
    made = [digests.post()]
    clock.at = weeks[3]
    ahead = digests.post()
    for number, at in enumerate(weeks[1:]):
        clock.at = at - timedelta(days=1)
        run(store, f"r{number}")
        clock.at = at
        made.append(digests.post())
    figures = [one.figures for one in made]

    assert len({ahead.id, *(one.id for one in made)}) == 5
    assert [counted(one) for one in made] == [0, 1, 1, 1]
    assert [one["since"] for one in figures[1:]] == [one["until"] for one in figures[:-1]]
    assert digests.kept(made[-1].id) == figures[-1]


def test_many_changes_of_one_kind_hide_none_of_another(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    swept = {"policy": "p", "cls": "business", "before": 1, "n": 0}
    with store.begin() as unit:
        unit.append(Draft(kind="key.retire", actor=SYSTEM, data={"id": "0" * 16}))
        for _ in range(MOST_LISTED + 7):
            unit.append(Draft(kind="retention.sweep", actor=SYSTEM, data=swept))
    clock.at = MONDAY

    changes = digests.post().shown.changes
    assert changes[0] == "7 earlier ones stand in the log."
    assert changes[1] == f"key retire {'0' * 16} (entry #1)."
    assert changes[-1].startswith("retention sweep business")


def test_an_approval_counts_though_its_step_failed_and_was_left_out(
    store: SqlStore, clock: HandClock, digests: Digests
) -> None:
    expires = MONDAY + timedelta(days=1)
    with store.begin() as unit:
        unit.add_run(new_run("r1"))
        unit.append(started("r1"))
        unit.append(requested("r1", expires=expires))
        unit.append(requested("r1", request="q2", step="tell", approve=2, expires=expires))
    clock.forward(minutes=10)
    with store.begin() as unit:
        unit.append(verdict("granted", "r1"))
        unit.append(verdict("granted", "r1", request="q2", settles=False))
        unit.append(intended("r1"))
        unit.append(failed("r1"))
    clock.forward(minutes=30)
    with store.begin() as unit:
        skipped = {"step": "refund", "decision": "skip", "rule": "person"}
        unit.append(fact("decision.made", "r1", actor=ANA, **skipped))
        unit.append(fact("approval.edited", "r1", request="q2", next="q3", was=1, binding="b"))
    clock.at = MONDAY
    figures = digests.post().figures

    assert figures["decisions"]["approved"] == 1
    assert figures["decisions"]["median_ms"] == 600_000
