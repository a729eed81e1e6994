"""Runs of workers that are gone, and those that no job is about, are handed on: once."""

import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest

from storage.dispatch.handing_on import HandingOn
from storage.dispatch.jobs_sql import JobsSql
from storage.store import SqlStore
from tests.storage.dispatching import PATIENCE, begin_run, rest, serving, until
from tests.storage.job_queue import (
    GONE_AFTER,
    Heard,
    dispatcher_of,
    is_standing,
    jobs,
    take_as_the_dead,
)
from tests.storage.run_drafts import new_run, started
from workflows.entry import RunId


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


def test_what_stands_without_a_job_is_found(store: SqlStore) -> None:
    ready, claimed = begin_run(store, "r1"), begin_run(store, "r2")
    with store.begin() as unit:
        unit.lock_run(claimed)
        unit.claim(claimed, by="a process that is gone")
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    with serving(dispatcher_of(store), handle):
        until(lambda: set(seen) == {ready, claimed})


def test_a_run_that_another_living_worker_has_is_left_to_it(store: SqlStore) -> None:
    may_go = threading.Event()
    first: list[RunId] = []
    second: list[RunId] = []

    def slow(run: RunId) -> None:
        with store.begin() as unit:
            unit.lock_run(run)
            unit.claim(run, by="first")
        first.append(run)
        assert may_go.wait(PATIENCE)
        rest(store, run)

    given = {"beat": timedelta(milliseconds=500), "gone_after": timedelta(seconds=2)}
    with serving(dispatcher_of(store, **given), slow) as one:
        run = begin_run(store, "r1", one)
        until(lambda: first == [run])
        with serving(dispatcher_of(store, **given), second.append):
            time.sleep(4)  # Many sweeps of the other, and longer than a silent worker is given.
            may_go.set()
            until(lambda: not jobs(store))

    assert (first, second) == ([run], [])


def test_the_job_of_a_worker_that_is_gone_is_handed_on_as_a_new_one(store: SqlStore) -> None:
    dispatcher = dispatcher_of(store)
    run = begin_run(store, "r1", dispatcher)
    taken = take_as_the_dead(store, run)
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    with serving(dispatcher, handle):
        until(lambda: seen == [run])
        until(lambda: not jobs(store))
    with store.database.begin() as tx:
        newest = tx.driver.execute("SELECT last_value FROM procrastinate_jobs_id_seq").fetchone()

    assert newest[0] > taken


def test_a_frozen_worker_that_wakes_cannot_end_the_job_that_was_handed_on(store: SqlStore) -> None:
    dispatcher = dispatcher_of(store)
    run = begin_run(store, "r1", dispatcher)
    taken = take_as_the_dead(store, run)
    with store.begin() as unit:
        unit.lock_run(run)
        assert JobsSql(unit.transaction).drop_of_the_gone(taken, GONE_AFTER)
        dispatcher.enqueue(unit, run)
    with store.begin() as unit:
        unit.lock_run(run)
        assert not JobsSql(unit.transaction).drop_of_the_gone(taken, GONE_AFTER)

    assert jobs(store) == [("r1", "todo")]


def test_who_was_not_heard_of_long_enough_takes_nobody_for_gone(store: SqlStore) -> None:
    dispatcher = dispatcher_of(store)
    run = begin_run(store, "r1", dispatcher)
    take_as_the_dead(store, run)
    sweep = HandingOn(
        store, dispatcher.enqueue, gone_after=timedelta(seconds=30), tell=lambda: None
    )
    sweep.look_for_the_gone(Heard(29))
    after_an_outage = jobs(store)
    sweep.look_for_the_gone(Heard(31))

    assert after_an_outage == [("r1", "doing")]
    assert jobs(store) == [("r1", "todo")]


def test_a_run_that_somebody_holds_does_not_keep_others_from_being_handed_on(
    store: SqlStore, postgres_url: str
) -> None:
    dispatcher = dispatcher_of(store)
    for name in ("r1", "r2"):
        begin_run(store, name, dispatcher)
        take_as_the_dead(store, RunId(name))
    sweep = HandingOn(store, dispatcher.enqueue, gone_after=GONE_AFTER, tell=lambda: None)
    with psycopg.connect(postgres_url) as frozen:
        frozen.execute("SELECT 1 FROM run WHERE id = 'r1' FOR UPDATE")
        sweep.look_for_the_gone(Heard(60))
        meanwhile = jobs(store)
    sweep.look_for_the_gone(Heard(60))

    assert meanwhile == [("r1", "doing"), ("r2", "todo")]
    assert sorted(jobs(store)) == [("r1", "todo"), ("r2", "todo")]


def test_two_sweeps_hand_a_job_on_once(store: SqlStore) -> None:
    dispatcher = dispatcher_of(store)
    run = begin_run(store, "r1", dispatcher)
    take_as_the_dead(store, run)
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        seen.append(run)
        rest(store, run)

    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(serving(dispatcher_of(store, beat=timedelta(seconds=1)), handle))
        until(lambda: seen == [run])
        until(lambda: not jobs(store))

    assert seen == [run]


def test_a_job_that_the_server_gave_and_the_worker_never_got_is_handed_on(store: SqlStore) -> None:
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    with serving(dispatcher_of(store), handle) as dispatcher:
        first = begin_run(store, "first", dispatcher)
        until(lambda: seen == [first])
        with store.begin() as unit:
            unit.add_run(new_run("r1"))
            unit.append(started("r1"))
            unit.mark_ready(RunId("r1"))
            unit.transaction.driver.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock,"
                " args, status, worker_id) SELECT 'interlock', 'interlock.advance', 'r1', 'r1',"
                " '{\"run\": \"r1\"}', 'doing', max(id) FROM procrastinate_workers"
            )
        until(lambda: seen == [first, "r1"])


def test_a_run_whose_workers_always_go_away_is_shown_to_somebody(store: SqlStore) -> None:
    stuck: list[RunId] = []
    told = threading.Event()

    def tell(run: RunId) -> None:
        stuck.append(run)
        told.set()

    def handle(run: RunId) -> None:
        rest(store, run)

    dispatcher = dispatcher_of(store, on_stuck=tell)
    run = begin_run(store, "r1", dispatcher)
    with store.begin() as unit:
        unit.lock_run(run)
        assert [unit.count_death(run) for _ in range(4)] == [1, 2, 3, 4]
    take_as_the_dead(store, run)

    with serving(dispatcher, handle):
        assert told.wait(PATIENCE)
        until(lambda: not is_standing(store, run))

    assert stuck == [run]


def test_a_worker_that_is_stopping_says_that_it_lives_until_its_last_segment_ends(
    store: SqlStore,
) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    seen: list[RunId] = []

    def handle(run: RunId) -> None:
        is_in.set()
        assert may_go.wait(PATIENCE)
        rest(store, run)

    short = timedelta(seconds=1)
    with serving(dispatcher_of(store, threads=1, gone_after=short), handle) as dispatcher:
        begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        stopper = threading.Thread(target=dispatcher.stop)
        stopper.start()
        with serving(dispatcher_of(store, gone_after=short), seen.append):
            time.sleep(3)  # Three times as long as a silent worker is given.
            may_go.set()
            stopper.join(PATIENCE)
            until(lambda: not jobs(store))

    assert seen == []
