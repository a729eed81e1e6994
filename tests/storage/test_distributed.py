"""Runs are continued by any process that shares the Postgres: soon, once at a time, none lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from storage.dispatch.deaths import OnStuck
from storage.dispatch.distributed import DistributedDispatcher
from storage.dispatch.handing_on import HandingOn
from storage.dispatch.jobs_sql import JobsSql
from storage.store import SqlStore
from tests.storage.run_drafts import HandClock, new_run, started
from workflows.dispatch import Handler
from workflows.entry import RunId
from workflows.errors import UnreadableVersionError

PATIENCE = 60.0
BEAT = timedelta(milliseconds=100)
GONE_AFTER = timedelta(seconds=5)


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.01)


def dispatcher_of(
    store: SqlStore,
    *,
    threads: int = 2,
    gone_after: timedelta = GONE_AFTER,
    forms: int = 1,
    on_stuck: OnStuck | None = None,
) -> DistributedDispatcher:
    return DistributedDispatcher(
        store,
        threads=threads,
        beat=BEAT,
        gone_after=gone_after,
        sweep_every=BEAT,
        forms=forms,
        on_stuck=on_stuck,
    )


@contextmanager
def serving(dispatcher: DistributedDispatcher, handler: Handler) -> Iterator[DistributedDispatcher]:
    thread = threading.Thread(target=dispatcher.serve, args=(handler,))
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def begin_run(store: SqlStore, name: str, dispatcher: DistributedDispatcher | None = None) -> RunId:
    run = RunId(name)
    with store.begin() as unit:
        unit.add_run(new_run(name))
        unit.append(started(name))
        if dispatcher is None:
            unit.mark_ready(run)
        else:
            dispatcher.enqueue(unit, run)
    return run


def begin_run_and_fail(store: SqlStore, dispatcher: DistributedDispatcher) -> None:
    with store.begin() as unit:
        unit.add_run(new_run("lost"))
        unit.append(started("lost"))
        dispatcher.enqueue(unit, RunId("lost"))
        raise LookupError("lost")


def rest(store: SqlStore, run: RunId) -> None:
    """Take the run up and let go of it, as a segment does."""
    with store.begin() as unit:
        unit.lock_run(run)
        unit.claim(run, by="here")
    with store.begin() as unit:
        unit.release(run)


def jobs(store: SqlStore) -> list[tuple[str, str]]:
    with store.database.begin() as tx:
        found = tx.driver.execute("SELECT lock, status FROM procrastinate_jobs ORDER BY id")
        return [(one[0], one[1]) for one in found.fetchall()]


def is_standing(store: SqlStore, run: RunId) -> bool:
    with store.begin() as unit:
        row = unit.lock_run(run)
        claimed = unit.transaction.driver.execute(
            "SELECT claimed_at FROM run WHERE id = %s", [run]
        ).fetchone()
    return row.is_ready or claimed[0] is not None


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

    with serving(dispatcher_of(store), handle) as dispatcher:
        runs = [begin_run(store, f"r{number}", dispatcher) for number in range(30)]
        until(lambda: set(seen) == set(runs))
        until(lambda: not jobs(store))

    assert len(seen) == 30


def test_a_wish_while_a_run_is_worked_on_is_met_right_after_it(store: SqlStore) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    looks: list[float] = []
    inside, worst = 0, 0

    def handle(run: RunId) -> None:
        nonlocal inside, worst
        inside += 1
        worst = max(worst, inside)
        looks.append(time.monotonic())
        is_in.set()
        assert may_go.wait(PATIENCE)
        rest(store, run)
        inside -= 1

    with serving(dispatcher_of(store), handle) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        for _ in range(5):
            dispatcher.hint(run)
        assert jobs(store) == [("r1", "doing"), ("r1", "todo")]
        freed = time.monotonic()
        may_go.set()
        until(lambda: len(looks) == 2)
        until(lambda: not jobs(store))

    assert worst == 1
    assert looks[1] - freed < 3.0  # Without being told, the worker would look each five seconds.


def test_a_notice_that_comes_while_the_worker_looks_is_not_forgotten(store: SqlStore) -> None:
    seen: list[RunId] = []
    waits: list[float] = []

    def handle(run: RunId) -> None:
        rest(store, run)
        seen.append(run)

    # Each run is asked for while the worker looks whether one waits behind the last one.
    with serving(dispatcher_of(store), handle) as dispatcher:
        for number in range(200):
            run = begin_run(store, f"r{number}", dispatcher)
            asked = time.monotonic()
            until(lambda run=run: run in seen)
            waits.append(time.monotonic() - asked)

    assert max(waits) < 4.0  # Forgotten, it would be looked for after five seconds.


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

    with serving(dispatcher_of(store, gone_after=timedelta(seconds=2)), slow) as one:
        run = begin_run(store, "r1", one)
        until(lambda: first == [run])
        with serving(dispatcher_of(store, gone_after=timedelta(seconds=2)), second.append):
            time.sleep(4)  # Many sweeps of the other, and longer than a silent worker is given.
            may_go.set()
            until(lambda: not jobs(store))

    assert (first, second) == ([run], [])


def take_as_the_dead(store: SqlStore, run: RunId) -> int:
    """Take the run's job as a worker that has not been heard of for long; return the job."""
    with store.database.begin() as tx:
        worker = tx.driver.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id"
        ).fetchone()[0]
        taken = tx.driver.execute(
            "SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [worker]
        ).fetchone()[0]
    with store.begin() as unit:
        unit.lock_run(run)
        unit.claim(run, by="the dead")
    return int(taken)


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


class Heard:
    """A worker as far as a sweep asks: for how long the server has heard of it."""

    id: int | None = None
    active: frozenset[int] = frozenset()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def heard_for(self) -> timedelta:
        return timedelta(seconds=self._seconds)


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
            stack.enter_context(serving(dispatcher_of(store), handle))
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


def test_a_segment_that_dies_is_tried_again_and_the_third_time_somebody_is_told(
    store: SqlStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    stuck: list[RunId] = []

    def die(run: RunId) -> None:
        with store.begin() as unit:
            unit.lock_run(run)
            unit.claim(run, by="here")
        clock.forward(seconds=1)
        raise LookupError("a defect")

    def tell(run: RunId) -> None:
        stuck.append(run)
        rest(store, run)

    with serving(dispatcher_of(store, on_stuck=tell), die) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        until(lambda: stuck == [run])

    assert sum(one.message == "segment died" for one in caplog.records) == 3


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


def test_stopping_waits_for_the_segments_under_way_and_begins_no_other(store: SqlStore) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    done: list[RunId] = []

    def handle(run: RunId) -> None:
        is_in.set()
        assert may_go.wait(PATIENCE)
        done.append(run)

    with serving(dispatcher_of(store, threads=1), handle) as dispatcher:
        first = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        begin_run(store, "r2", dispatcher)
        threading.Timer(0.5, may_go.set).start()
        dispatcher.stop()
        assert done == [first]

    assert done == [first]
    assert jobs(store) == [("r2", "todo")]


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
        until(lambda: jobs(store) == [("r1", "todo")] and tries == [run])
        older.hint(run)  # A click that reaches the older release meanwhile.
        until(lambda: jobs(store) == [("r1", "todo")])
        with store.begin() as unit:
            assert unit.lock_run(run).is_ready
            assert unit.count_death(run) == 1
        with serving(dispatcher_of(store, forms=2), handle):
            until(lambda: seen == [run])
            until(lambda: not jobs(store))

    assert tries == [run]
