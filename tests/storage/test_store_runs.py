"""A run's row: made with its first entry, brought up by each, locked and fenced."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from storage.history import read_run
from storage.retention.person import erase
from storage.store import SqlStore
from tests.storage.run_drafts import (
    NOON,
    RITA,
    HandClock,
    executed,
    fact,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from workflows.entry import Actor, ActorKind, RequestId, RunId
from workflows.errors import StorageError, UnknownRunError
from workflows.people import PersonId
from workflows.run import Status
from workflows.store import Delivery, Due, DueKind

RUN = RunId("r1")


def begin_run(store: SqlStore, name: str = "r1", **more: str) -> None:
    with store.begin() as unit:
        unit.add_run(new_run(name, **more))
        unit.append(started(name))


def test_a_started_run_has_a_row_that_says_who_asked_and_where_it_stands(store: SqlStore) -> None:
    begin_run(store)

    with store.begin() as unit:
        row = unit.lock_run(RUN)
    assert (row.workflow, row.requester, row.channel) == ("refund-customer", RITA.ref, "C0OPS")
    assert (row.status, row.rseq, row.started_at) == (Status.READY, 0, NOON)


def test_an_unknown_run_is_refused(store: SqlStore) -> None:
    with store.begin() as unit, pytest.raises(UnknownRunError):
        unit.lock_run(RunId("nobody"))


def test_entries_of_several_units_form_one_chain_with_their_parts(store: SqlStore) -> None:
    begin_run(store)
    with store.begin() as unit:
        unit.append(requested())
    with store.begin() as unit:
        unit.append(verdict("granted"))
        entries = unit.entries(RUN, after=0)

    assert [(one.rseq, one.kind) for one in entries] == [
        (1, "approval.requested"),
        (2, "approval.granted"),
    ]
    assert entries[0].parts["args"].value == b"{}"
    with store.database.read() as connection:
        assert [one.rseq for one in read_run(connection, "r1")] == [0, 1, 2]


def test_entries_read_by_the_engine_equal_those_read_by_the_auditor(store: SqlStore) -> None:
    begin_run(store)
    with store.begin() as unit:
        unit.append(requested())

    with store.begin() as unit:
        mine = unit.entries(RUN)
    with store.database.read() as connection:
        theirs = read_run(connection, "r1")
    assert list(mine) == theirs


def test_the_row_tells_each_stage_of_a_refund(store: SqlStore) -> None:
    begin_run(store)
    seen = []
    for draft in (requested(), verdict("granted"), intended(), executed(), finished()):
        with store.begin() as unit:
            unit.append(draft)
        with store.begin() as unit:
            seen.append(unit.lock_run(RUN).status)

    assert seen == ["waiting", "running", "running", "running", "done"]
    with store.begin() as unit:
        row = unit.lock_run(RUN)
    assert (row.finished_at, row.step, row.is_ready) == (NOON, "refund", False)


def test_what_fails_leaves_neither_row_nor_entry(store: SqlStore) -> None:
    def begin_and_fail() -> None:
        with store.begin() as unit:
            unit.add_run(new_run())
            unit.append(started())
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        begin_and_fail()

    with store.begin() as unit, pytest.raises(UnknownRunError):
        unit.lock_run(RUN)


def test_a_fact_of_an_unknown_kind_cannot_be_recorded(store: SqlStore) -> None:
    begin_run(store)

    with pytest.raises(StorageError), store.begin() as unit:
        unit.append(fact("run.imagined"))


def test_a_request_of_a_log_before_is_refused_in_the_same_words_wherever_it_is_read(
    store: SqlStore,
) -> None:
    lost, now = RequestId("of-a-log-before"), datetime(2026, 3, 2, 12, tzinfo=UTC)
    with pytest.raises(UnknownRunError) as read:
        store.request(lost)
    with pytest.raises(UnknownRunError) as clicked:
        store.asked_now(lost, at=now)
    with store.begin() as unit, pytest.raises(UnknownRunError) as held:
        unit.lock_run_of(lost)

    assert {one.value.hint for one in (read, clicked, held)} == {
        "Its card is of a log before this one, of which nothing goes on. Ask anew."
    }


def test_a_unit_whose_fact_was_refused_does_not_commit_the_rest(store: SqlStore) -> None:
    begin_run(store)

    def ask_twice() -> None:
        with store.begin() as unit:
            unit.append(requested())
            with suppress(StorageError):
                unit.append(requested())

    with pytest.raises(StorageError, match="none of it"):
        ask_twice()

    with pytest.raises(UnknownRunError):
        store.request(RequestId("q1"))


def test_a_second_unit_waits_for_the_run_and_sees_what_the_first_left(store: SqlStore) -> None:
    begin_run(store)
    is_held, seen = threading.Event(), []

    def second() -> None:
        is_held.wait(10)
        with store.begin() as unit:
            seen.append(unit.lock_run(RUN).rseq)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with store.begin() as unit:
            unit.lock_run(RUN)
            is_held.set()
            unit.append(requested())
        waiting.result(20)

    assert seen == [1]


def test_threads_that_append_to_one_run_leave_no_gap(store: SqlStore) -> None:
    begin_run(store)

    def remind(number: int) -> None:
        with store.begin() as unit:
            unit.lock_run(RUN)
            unit.append(intended(step=f"s{number}", request=None))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remind, range(40)))

    with store.begin() as unit:
        assert [one.rseq for one in unit.entries(RUN)] == list(range(41))


def test_the_same_start_twice_is_one_run(store: SqlStore) -> None:
    def start(name: str) -> RunId:
        with store.begin() as unit:
            earlier = unit.run_started_as("T0/trigger-1")
            if earlier is not None:
                return earlier
            unit.add_run(new_run(name, start_key="T0/trigger-1"))
            unit.append(started(name))
            return RunId(name)

    with ThreadPoolExecutor(4) as pool:
        runs = set(pool.map(start, ["r1", "r2", "r3", "r4"]))

    assert len(runs) == 1


def test_a_start_key_cannot_name_two_runs(store: SqlStore) -> None:
    begin_run(store, start_key="k")

    with pytest.raises(StorageError):
        begin_run(store, "r2", start_key="k")


def test_a_delivery_counts_once(store: SqlStore) -> None:
    delivery = Delivery(team="T0", kind="block_actions", key="trigger-1")

    def take(_: int) -> bool:
        with store.begin() as unit:
            return unit.is_repeat(delivery)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(take, range(4)))

    assert answers == [False, True, True, True]


def test_deliveries_are_forgotten_once_they_are_old_however_many(
    store: SqlStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.store.FORGOTTEN_AT_ONCE", 2)
    begun = clock()
    with store.begin() as unit:
        for number in range(5):
            unit.is_repeat(Delivery(team="T0", kind="event", key=f"old-{number}"))
    clock.forward(hours=49)
    young = Delivery(team="T0", kind="event", key="young")
    with store.begin() as unit:
        unit.is_repeat(young)

    assert store.forget_deliveries(seen_before=begun + timedelta(hours=1)) == 5
    with store.begin() as unit:
        assert unit.is_repeat(young)
        assert not unit.is_repeat(Delivery(team="T0", kind="event", key="old-0"))


def test_claiming_raises_the_epoch_and_takes_the_ready_mark(
    store: SqlStore, clock: HandClock
) -> None:
    begin_run(store)
    with store.begin() as unit:
        unit.mark_ready(RUN)
    assert store.standing(claimed_before=NOON, limit=10) == [RUN]

    with store.begin() as unit:
        epoch = unit.claim(RUN, by="here")
        row = unit.lock_run(RUN)

    assert (epoch, row.epoch, row.is_ready) == (1, 1, False)
    assert store.standing(claimed_before=NOON, limit=10) == []
    clock.forward(minutes=1)
    assert store.standing(claimed_before=clock(), limit=10) == [RUN]
    with store.begin() as unit:
        unit.release(RUN)
    assert store.standing(claimed_before=clock(), limit=10) == []


def test_an_ended_run_is_never_ready_nor_claimed(store: SqlStore, clock: HandClock) -> None:
    begin_run(store)
    with store.begin() as unit:
        unit.claim(RUN, by="here")
        unit.append(finished())
        unit.mark_ready(RUN)
    with store.begin() as unit:
        unit.claim(RUN, by="late")

    clock.forward(hours=1)
    assert store.standing(claimed_before=clock(), limit=10) == []


def test_due_work_comes_oldest_first_and_is_taken_once(store: SqlStore) -> None:
    begin_run(store)
    later = Due(kind=DueKind.WAKE, key="r1", run=RUN, at=NOON + timedelta(hours=2))
    sooner = Due(kind=DueKind.EXPIRE, key="q1", run=RUN, at=NOON + timedelta(hours=1))
    with store.begin() as unit:
        unit.set_due(later)
        unit.set_due(sooner)

    assert store.next_due() == sooner.at
    assert store.due(until=NOON + timedelta(hours=3), limit=10) == [sooner, later]
    assert store.due(until=NOON + timedelta(hours=1), limit=10) == [sooner]
    with store.begin() as unit:
        assert (unit.take_due(sooner), unit.take_due(sooner)) == (True, False)
        unit.clear_due(RUN)
    assert store.next_due() is None


def test_due_work_that_was_moved_is_not_taken_at_its_old_moment(store: SqlStore) -> None:
    begin_run(store)
    first = Due(kind=DueKind.WAKE, key="r1", run=RUN, at=NOON)
    moved = Due(kind=DueKind.WAKE, key="r1", run=RUN, at=NOON + timedelta(minutes=5))
    with store.begin() as unit:
        unit.set_due(first)
        unit.set_due(moved)

    with store.begin() as unit:
        assert (unit.take_due(first), unit.take_due(moved)) == (False, True)


def test_a_lock_goes_from_run_to_run_in_the_order_they_came(store: SqlStore) -> None:
    for name in ("r1", "r2", "r3"):
        begin_run(store, name)
    with store.begin() as unit:
        holders = [unit.take_lock("order/1", RunId(name)) for name in ("r1", "r2", "r3", "r2")]
    assert holders == ["r1"] * 4

    with store.begin() as unit:
        assert unit.pass_lock("order/1", RunId("r2")) is None  # It leaves the queue.
        assert unit.pass_lock("order/1", RunId("r1")) == "r3"
        assert unit.take_lock("order/1", RunId("r1")) == "r3"
        assert unit.pass_lock("order/1", RunId("r3")) == "r1"
        assert unit.pass_lock("order/1", RunId("r1")) is None
        assert unit.take_lock("order/1", RunId("r2")) == "r2"


def test_runs_that_fight_for_a_lock_all_get_it_in_turn(store: SqlStore) -> None:
    """A holder that gives back while another queues must not leave it waiting for ever."""
    names = [f"r{number}" for number in range(12)]
    for name in names:
        begin_run(store, name)
    got: list[str] = []
    is_mine = {name: threading.Event() for name in names}

    def use(name: str) -> None:
        with store.begin() as unit:
            unit.lock_run(RunId(name))
            if unit.take_lock("order/1", RunId(name)) == name:
                is_mine[name].set()
        assert is_mine[name].wait(20)
        got.append(name)
        with store.begin() as unit:
            unit.lock_run(RunId(name))
            heir = unit.pass_lock("order/1", RunId(name))
            if heir is not None:
                unit.set_due(Due(kind=DueKind.WAKE, key=heir, run=heir, at=unit.now))
        if heir is not None:
            is_mine[heir].set()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(use, names))

    assert sorted(got) == sorted(names)


def test_a_person_has_one_pseudonym_and_their_newest_name(store: SqlStore) -> None:
    person = PersonId("slack:T0:U0RITA")
    with store.begin() as unit:
        first = unit.ref(person, "Rita")
        again = unit.ref(person, "Rita B.")

    assert first == again
    assert store.person(first) == person
    assert store.person(RITA.ref) is None


def test_a_history_says_who_asked_for_the_run_until_they_are_erased(store: SqlStore) -> None:
    person = PersonId("slack:T0:U0RITA")
    with store.begin() as unit:
        rita = unit.ref(person, "Rita")
        unit.add_run(new_run())
        unit.append(started(actor=Actor(kind=ActorKind.USER, ref=rita)))
        unit.append(finished())  # What goes on holds the name.
    before, _ = store.history(RUN)
    erase(store, rita, policy="0" * 64, by_run="r9")
    after, _ = store.history(RUN)

    assert (before.requester_id, after.requester_id) == (person, None)


def test_hints_are_given_only_for_what_was_committed(store: SqlStore) -> None:
    begin_run(store)
    told: list[str] = []
    with store.begin() as unit:
        unit.after_commit(lambda: told.append("kept"))
        assert told == []

    def begin_and_fail() -> None:
        with store.begin() as unit:
            unit.after_commit(lambda: told.append("lost"))
            raise LookupError("lost")

    with pytest.raises(LookupError):
        begin_and_fail()

    assert told == ["kept"]
