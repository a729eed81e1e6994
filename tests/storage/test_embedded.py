"""Runs are continued in this process: soon, one segment at a time, none forgotten."""

import threading
from datetime import timedelta

import pytest

from storage.dispatch.embedded import EmbeddedDispatcher
from storage.store import SqlStore
from tests.storage.dispatching import PATIENCE, begin_run, begin_run_and_fail, rest, serving, until
from tests.storage.run_drafts import HandClock
from workflows.entry import RunId
from workflows.errors import SigningKeyError


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The pool of threads asks nothing of the database that `test_store_runs` does not cover."""
    return sqlite_url


def test_an_enqueued_run_is_looked_at_after_the_commit(store: SqlStore) -> None:
    seen: list[RunId] = []
    dispatcher = EmbeddedDispatcher(store, threads=2)
    with serving(dispatcher, seen.append):
        with pytest.raises(LookupError):
            begin_run_and_fail(store, dispatcher)
        begin_run(store, "r1", dispatcher)
        until(lambda: "r1" in seen)
    assert set(seen) == {"r1"}


def test_ready_runs_of_before_are_found_at_the_start(store: SqlStore, clock: HandClock) -> None:
    run, claimed = begin_run(store, "r1"), begin_run(store, "r2")
    with store.begin() as unit:
        unit.claim(claimed, by="a process that is gone")
    clock.forward(seconds=1)
    seen: list[RunId] = []

    with serving(EmbeddedDispatcher(store, now=clock), seen.append):
        until(lambda: set(seen) == {run, claimed})


def test_a_run_is_never_in_two_segments_and_no_hint_is_lost(store: SqlStore) -> None:
    inside, worst, looks = 0, 0, 0
    guard = threading.Lock()
    is_in, may_go = threading.Event(), threading.Event()

    def handle(run: RunId) -> None:
        nonlocal inside, worst, looks
        with guard:
            inside, looks = inside + 1, looks + 1
            worst = max(worst, inside)
        is_in.set()
        assert may_go.wait(PATIENCE)
        rest(store, run)
        with guard:
            inside -= 1

    dispatcher = EmbeddedDispatcher(store)
    with serving(dispatcher, handle):
        run = begin_run(store, "r1", dispatcher)
        assert is_in.wait(PATIENCE)
        for _ in range(20):
            dispatcher.hint(run)
        may_go.set()
        until(lambda: looks == 2 and inside == 0)

    assert worst == 1


def test_many_runs_share_the_threads(store: SqlStore) -> None:
    seen: list[RunId] = []
    dispatcher = EmbeddedDispatcher(store, threads=4)
    with serving(dispatcher, seen.append):
        runs = [begin_run(store, f"r{number}", dispatcher) for number in range(50)]
        until(lambda: set(seen) == set(runs))


def test_a_segment_that_dies_is_tried_again_and_the_third_time_somebody_is_told(
    store: SqlStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[RunId, int]] = []

    def die(run: RunId) -> None:
        with store.begin() as unit:
            unit.claim(run, by="here")
        clock.forward(seconds=1)
        raise LookupError("a defect")

    def tell(run: RunId) -> None:
        deaths = sum(one.message == "segment died" for one in caplog.records)
        rest(store, run)
        told.append((run, deaths))

    dispatcher = EmbeddedDispatcher(
        store, sweep_every=timedelta(milliseconds=20), on_stuck=tell, now=clock
    )
    with serving(dispatcher, die):
        run = begin_run(store, "r1", dispatcher)
        until(lambda: bool(told))

    assert told[0] == (run, 3)


def test_a_segment_of_a_process_whose_key_was_ended_is_no_death_of_its_run(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: RunId) -> None:
        raise SigningKeyError("The writer key of this process was ended while it ran.")

    with serving(EmbeddedDispatcher(store), refused) as dispatcher:
        run = begin_run(store, "r1", dispatcher)
        until(lambda: "a run waits" in caplog.messages)
    with store.begin() as unit:
        unit.lock_run(run)
        deaths = unit.count_death(run) - 1

    assert deaths == 0
    assert [one.exc_info for one in caplog.records if one.levelname == "ERROR"] == []


def test_a_segment_that_ends_well_clears_the_count_of_deaths(store: SqlStore) -> None:
    run = begin_run(store, "r1")
    with store.begin() as unit:
        assert [unit.count_death(run), unit.count_death(run)] == [1, 2]
    rest(store, run)

    with store.begin() as unit:
        assert unit.count_death(run) == 1


def test_stopping_waits_for_the_segments_under_way_and_begins_no_other(store: SqlStore) -> None:
    is_in, may_go = threading.Event(), threading.Event()
    done: list[RunId] = []

    def handle(run: RunId) -> None:
        is_in.set()
        assert may_go.wait(PATIENCE)
        done.append(run)

    dispatcher = EmbeddedDispatcher(store, threads=1)
    thread = threading.Thread(target=dispatcher.serve, args=(handle,))
    thread.start()
    first = begin_run(store, "r1", dispatcher)
    assert is_in.wait(PATIENCE)
    begin_run(store, "r2", dispatcher)
    stopper = threading.Thread(target=dispatcher.stop)
    stopper.start()
    until(lambda: dispatcher._is_stopping)  # noqa: SLF001 - there is no other sign of it.
    may_go.set()
    stopper.join(PATIENCE)

    assert done == [first]
    thread.join(PATIENCE)
    assert done == [first]
