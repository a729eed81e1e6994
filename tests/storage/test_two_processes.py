"""What two processes on one Postgres share: each message, moment and place goes to one of them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.database import open_database
from storage.history import read_entries
from storage.journal import utc_now
from storage.log_setup import init_log, open_journal
from storage.secret_rows import SecretSql
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from storage.unit import SqlUnit
from tests.storage.run_drafts import fact, new_run, started
from workflows.entry import SYSTEM, Draft, Ref, RunId
from workflows.moments import stamp
from workflows.people import PersonId
from workflows.store import Due, DueKind, Message, Subject

Pair = tuple[SqlStore, SqlStore]
DAY = timedelta(days=1)


@pytest.fixture
def pair(postgres_url: str, tmp_path: Path) -> Iterator[Pair]:
    """Give two stores with connections of their own, as two processes have them."""
    first, second = open_database(postgres_url), open_database(postgres_url)
    journal = init_log(first, tmp_path, origin="interlock.example/audit/T0ABC")
    yield SqlStore(first, journal), SqlStore(second, open_journal(second, tmp_path))
    first.close()
    second.close()


def at_once(*works: Callable[[], None]) -> None:
    """Begin all at the same moment, and wait for all."""
    together = threading.Barrier(len(works))

    def begin(work: Callable[[], None]) -> None:
        together.wait(30)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(begin, one) for one in works]:
            done.result()


def test_a_message_is_taken_by_one_of_them(pair: Pair) -> None:
    with pair[0].begin() as unit:
        for number in range(60):
            unit.send(
                Message(subject=Subject.NOTICE, key=f"n{number}", channel="C9", body={"text": "hi"})
            )
    taken: list[str] = []

    def work(store: SqlStore, name: str) -> None:
        while rows := store.outbox.claim_messages(by=name, limit=1):
            taken.append(rows[0].key)

    at_once(*(lambda s=s, n=n: work(s, n) for s in pair for n in ("a/1", "a/2")))

    assert Counter(taken) == {f"n{number}": 1 for number in range(60)}


def test_a_moment_of_a_schedule_is_taken_by_one_of_them(pair: Pair) -> None:
    moments = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=n) for n in range(30)]
    taken: list[datetime] = []

    def work(store: SqlStore) -> None:
        for moment in moments:
            with store.begin() as unit:
                if unit.take_firing("nightly/1a2b3c4d", moment):
                    taken.append(moment)
                    data = {
                        "schedule": "nightly/1a2b3c4d",
                        "workflow": "nightly",
                        "due": moment.isoformat(),
                        "local": "",
                        "started": None,
                    }
                    unit.append(Draft(kind="schedule.fired", actor=SYSTEM, data=data))

    at_once(*(lambda s=s: work(s) for s in pair))

    assert sorted(taken) == moments


def test_due_work_is_done_by_one_of_them(pair: Pair) -> None:
    now = utc_now()
    with pair[0].begin() as unit:
        unit.add_run(new_run("r1"))
        unit.append(started("r1"))
        for number in range(30):
            unit.set_due(Due(kind=DueKind.WAKE, key=f"k{number}", run=RunId("r1"), at=now))
    done: list[str] = []

    def work(store: SqlStore) -> None:
        for due in store.due(until=now, limit=100):
            with store.begin() as unit:
                unit.lock_run(due.run)
                if unit.take_due(due):
                    done.append(due.key)

    at_once(*(lambda s=s: work(s) for s in pair))

    assert Counter(done) == {f"k{number}": 1 for number in range(30)}


def test_entries_get_one_place_each_however_many_place_them(pair: Pair) -> None:
    def append(store: SqlStore, name: str) -> None:
        with store.begin() as unit:
            unit.add_run(new_run(name))
            unit.append(started(name))
        for _ in range(15):
            with store.begin() as unit:
                unit.lock_run(RunId(name))
                unit.append(fact("decision.made", name, step="a", decision="skip", rule="when"))

    def place(store: SqlStore) -> None:
        for _ in range(20):
            sequence_pending(store.database, store.journal.sequencer)

    at_once(
        lambda: append(pair[0], "r1"),
        lambda: append(pair[1], "r2"),
        lambda: place(pair[0]),
        lambda: place(pair[1]),
    )
    place(pair[0])
    with pair[0].database.read() as connection:
        entries = read_entries(connection, 0, 1000)

    assert [one.index for one in entries] == list(range(33))


def test_two_first_values_of_one_secret_are_two_versions(pair: Pair) -> None:
    first, second = pair
    versions: list[int] = []

    def keep(unit: SqlUnit) -> int:
        version, _ = SecretSql(unit.transaction).hold("shop")
        unit.append(
            Draft(kind="secret.set", actor=SYSTEM, data={"secret": "shop", "version": version + 1})
        )
        return version + 1

    def later() -> None:
        with second.begin() as unit:
            versions.append(keep(unit))

    with ThreadPoolExecutor(1) as pool, first.begin() as unit:
        versions.append(keep(unit))
        done = pool.submit(later)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        while not done.done() and not unit.transaction.run(waits).fetchall():
            pass
    done.result()

    assert versions == [1, 2]


def test_who_is_looked_up_with_a_run_is_as_whoever_held_it_left_them(pair: Pair) -> None:
    first, second = pair
    run, ana = RunId("r1"), PersonId("slack:T0:U0ANA")
    with first.begin() as unit:
        unit.add_run(new_run(run))
        unit.append(started(run))
        ref = unit.ref(ana, "Ana")

    def look() -> tuple[Ref, bool]:
        with second.begin() as unit:
            unit.lock_run(run, people=[ana])
            return unit.ref(ana), ref in unit.away([ref])

    with ThreadPoolExecutor(1) as pool, first.begin() as unit:
        unit.lock_run(run)
        done = pool.submit(look)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        while not done.done() and not unit.transaction.run(waits).fetchall():
            pass
        told = {"request": None, "from": ref, "to": None, "until": stamp(utc_now() + DAY)}
        unit.append(Draft(kind="approval.delegated", actor=SYSTEM, data=told))

    assert done.result() == (ref, True)
