"""Runs are continued by any process that shares the Postgres: soon, once at a time, none lost."""

import asyncio
import logging
import threading
from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
import pytest
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.manager import JobManager
from procrastinate.sql import queries
from procrastinate.worker import Worker

from storage.dispatch.job_connector import PatientConnector
from storage.store import SqlStore
from tests.storage.dispatching import PATIENCE, begin_run, begin_run_and_fail, rest, serving, until
from tests.storage.job_queue import CALM_BEAT, dispatcher_of, jobs
from tests.storage.run_drafts import HandClock
from workflows.entry import RunId
from workflows.errors import SigningKeyError, UnreadableVersionError


@pytest.fixture
def database_url(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    # What a worker is not told of it finds too late for any test.
    monkeypatch.setattr("storage.dispatch.job_worker.LOOK_SECONDS", 10 * PATIENCE)
    return postgres_url


def test_a_job_is_added_by_the_transaction_that_makes_the_run_ready(store: SqlStore) -> None:
    dispatcher = dispatcher_of(store)
    begin_run(store, "r1", dispatcher)
    with pytest.raises(LookupError):
        begin_run_and_fail(store, dispatcher)

    assert jobs(store) == [("r1", "todo")]


def test_a_second_wish_for_a_waiting_run_changes_nothing_and_keeps_its_transaction(
    store: SqlStore,
) -> None:
    dispatcher = dispatcher_of(store)
    run = begin_run(store, "r1", dispatcher)
    with store.begin() as unit:
        unit.lock_run(run)
        dispatcher.enqueue(unit, run)
        assert unit.count_death(run) == 1

    assert jobs(store) == [("r1", "todo")]
    with store.begin() as unit:
        assert unit.count_death(run) == 2


def test_a_run_is_worked_on_soon_and_its_job_removed(store: SqlStore) -> None:
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    with serving(dispatcher_of(store, beat=CALM_BEAT), handle) as dispatcher:
        runs = [begin_run(store, f"r{number}", dispatcher) for number in range(30)]
        until(lambda: set(seen) == set(runs))
        until(lambda: not jobs(store))

    assert len(seen) == 30


def test_a_wish_while_a_run_is_worked_on_is_met_right_after_it(store: SqlStore) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    inside, worst, looks = 0, 0, 0

    def handle(run: RunId) -> None:
        nonlocal inside, worst, looks
        inside, looks = inside + 1, looks + 1
        worst = max(worst, inside)
        is_in.set()
        assert may_go.wait(PATIENCE)
        rest(store, run)
        inside -= 1

    with serving(dispatcher_of(store, beat=CALM_BEAT), handle) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        for _ in range(5):
            dispatcher.hint(run)
        assert jobs(store) == [("r1", "doing"), ("r1", "todo")]
        may_go.set()
        until(lambda: looks == 2)
        until(lambda: not jobs(store))

    assert worst == 1


def test_a_database_that_is_set_to_be_read_only_is_waited_for(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    dispatcher = dispatcher_of(store, beat=CALM_BEAT)
    run = begin_run(store, "r1", dispatcher)
    set_read_only(store, "on")
    with serving(dispatcher, handle):
        until(lambda: bool(of(caplog, "the job queue waits for the database")))
        set_read_only(store, "off")
        until(lambda: seen == [run])

    (told,) = of(caplog, "the job queue waits for the database")
    assert "takes no changes" in told.__dict__["why"]
    assert [one.message for one in caplog.records if one.exc_info] == []


def set_read_only(store: SqlStore, value: str) -> None:
    url = store.database.engine.url
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    said = "-c default_transaction_read_only=off"
    with psycopg.connect(address, autocommit=True, options=said) as connection:
        connection.execute(
            f'ALTER DATABASE "{url.database}" SET default_transaction_read_only = {value}'
        )


def of(caplog: pytest.LogCaptureFixture, message: str) -> list[logging.LogRecord]:
    return [one for one in caplog.records if one.message == message]


def test_a_run_that_becomes_ready_before_the_worker_listens_is_worked_on(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_looked, may_listen, is_done = (threading.Event() for _ in range(3))
    look = Worker._fetch_and_process_jobs  # noqa: SLF001  its first look is over then
    listen = PatientConnector.listen_notify

    async def looks(worker: Worker) -> None:
        await look(worker)  # type: ignore[no-untyped-call]
        has_looked.set()

    async def listens_late(
        connector: PatientConnector, on_notification: Notify, channels: Iterable[str]
    ) -> None:
        await asyncio.to_thread(may_listen.wait, PATIENCE)
        await listen(connector, on_notification, channels)

    def handle(run: RunId) -> None:
        rest(store, run)
        is_done.set()

    monkeypatch.setattr(Worker, "_fetch_and_process_jobs", looks)
    monkeypatch.setattr(PatientConnector, "listen_notify", listens_late)
    with serving(dispatcher_of(store), handle) as dispatcher:
        assert has_looked.wait(PATIENCE)
        begin_run(store, "r1", dispatcher)
        may_listen.set()
        assert is_done.wait(PATIENCE)


def test_a_notice_that_comes_while_the_worker_looks_is_not_forgotten(store: SqlStore) -> None:
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    # Each run is asked for while the worker looks whether one waits behind the last one.
    with serving(dispatcher_of(store), handle) as dispatcher:
        for number in range(200):
            run = begin_run(store, f"r{number}", dispatcher)
            until(lambda run=run: run in seen)


def test_a_job_that_ends_while_the_worker_looks_gives_way_to_the_one_behind_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_in, may_go, has_ended, is_over = (threading.Event() for _ in range(4))
    looks: list[RunId] = []
    taken: list[int] = []
    ask, end = PsycopgConnector.execute_query_one_async, PatientConnector.execute_query_async

    async def asks(connector: PsycopgConnector, query: LiteralString, **said: Any) -> Any:  # noqa: ANN401
        found = await ask(connector, query, **said)
        if query == queries["fetch_job"]:
            if found["id"] is not None:
                taken.append(found["id"])
            elif len(taken) == 2 and not may_go.is_set():
                # Nothing was free at that moment; what held it back ends before we hear of it.
                may_go.set()
                await asyncio.to_thread(has_ended.wait, PATIENCE)
        return found

    async def ends(connector: PatientConnector, query: LiteralString, **said: Any) -> None:  # noqa: ANN401
        await end(connector, query, **said)
        if query == queries["finish_job"] and said["job_id"] == taken[0]:
            has_ended.set()

    def handle(run: RunId) -> None:
        looks.append(run)
        is_in.set()
        assert (may_go if run == "r1" else is_over).wait(PATIENCE)
        rest(store, run)

    monkeypatch.setattr(PsycopgConnector, "execute_query_one_async", asks)
    monkeypatch.setattr(PatientConnector, "execute_query_async", ends)
    with serving(dispatcher_of(store, beat=CALM_BEAT, threads=3), handle) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        dispatcher.hint(run)
        begin_run(store, "r2", dispatcher)
        try:
            until(lambda: looks == ["r1", "r2", "r1"])
        finally:
            is_over.set()


def test_a_segment_that_dies_is_tried_again_and_the_third_time_somebody_is_told(
    store: SqlStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[RunId, int]] = []

    def die(run: RunId) -> None:
        with store.begin() as unit:
            unit.lock_run(run)
            unit.claim(run, by="here")
        clock.forward(seconds=1)
        raise LookupError("a defect")

    def tell(run: RunId) -> None:
        deaths = sum(one.message == "segment died" for one in caplog.records)
        rest(store, run)
        told.append((run, deaths))

    with serving(dispatcher_of(store, on_stuck=tell), die) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        until(lambda: bool(told))

    assert told[0] == (run, 3)


def test_a_segment_of_a_process_whose_key_was_ended_is_no_death_of_its_run(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: RunId) -> None:
        raise SigningKeyError("The writer key of this process was ended while it ran.")

    with serving(dispatcher_of(store), refused) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        until(lambda: "a run waits" in caplog.messages)
    with store.begin() as unit:
        unit.lock_run(run)
        deaths = unit.count_death(run) - 1

    assert deaths == 0
    assert [one.exc_info for one in caplog.records if one.levelname == "ERROR"] == []


def test_stopping_waits_for_the_segments_under_way_and_begins_no_other(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    done: list[RunId] = []
    stop = Worker.stop

    def stops(worker: Worker) -> None:
        stop(worker)
        may_go.set()

    monkeypatch.setattr(Worker, "stop", stops)

    def handle(run: RunId) -> None:
        is_in.set()
        assert may_go.wait(PATIENCE)
        done.append(run)

    with serving(dispatcher_of(store, threads=1), handle) as dispatcher:
        first = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        begin_run(store, "r2", dispatcher)
        dispatcher.stop()
        assert done == [first]

    assert done == [first]
    assert jobs(store) == [("r2", "todo")]


def test_a_worker_ends_although_the_wish_was_lost_on_its_beat(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_beating, lost = threading.Event(), list[str]()
    beat = JobManager.update_heartbeat

    async def loses(manager: JobManager, worker_id: int) -> None:
        is_beating.set()
        try:
            await beat(manager, worker_id)
            await asyncio.sleep(0 if lost else PATIENCE)
        except asyncio.CancelledError:  # What `wait_for` of Python 3.11 does at a bad moment.
            lost.append("the wish to end")

    monkeypatch.setattr(JobManager, "update_heartbeat", loses)
    with serving(dispatcher_of(store), lambda _: None):
        assert is_beating.wait(PATIENCE)
        (worker,) = [one for one in threading.enumerate() if one.name == "jobs"]

    assert lost == ["the wish to end"]
    assert not worker.is_alive()


def test_a_run_of_a_newer_release_is_left_to_its_workers_and_counts_as_no_death(
    store: SqlStore,
) -> None:
    seen: list[RunId] = []
    tries: list[RunId] = []

    def cannot_read(run: RunId) -> None:
        tries.append(run)
        raise UnreadableVersionError("A newer release wrote it.")

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    with serving(dispatcher_of(store), cannot_read) as older:
        run = begin_run(store, "r1", older)
        until(lambda: tries == [run] and jobs(store) == [("r1", "todo")])
        older.hint(run)  # A click that reaches the older release meanwhile.
        until(lambda: jobs(store) == [("r1", "todo")])
        with store.begin() as unit:
            assert unit.lock_run(run).is_ready
            assert unit.count_death(run) == 1
        with serving(dispatcher_of(store, forms=2), handle):
            until(lambda: seen == [run])
            until(lambda: not jobs(store))

    assert tries == [run]
