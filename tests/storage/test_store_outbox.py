"""Messages wait in the outbox: in order, for one process at a time, delivered to their newest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage.outbox_values import REPLIES, MessagePlace, OutboxRow
from storage.store import SqlStore
from tests.storage.run_drafts import NOON, HandClock, new_run, started
from workflows.errors import StorageError
from workflows.store import Message, Subject

ROOT_PLACE = MessagePlace(channel="C0OPS", ts="100.1")


def send(store: SqlStore, *messages: tuple[Subject, str, str | None]) -> None:
    with store.begin() as unit:
        for subject, key, run in messages:
            unit.send(Message(subject=subject, key=key, run=run))  # type: ignore[arg-type]  # run ids are strings


def claim(store: SqlStore, *, by: str = "here", limit: int = 20) -> list[OutboxRow]:
    return store.outbox.claim_messages(by=by, limit=limit)


def named(rows: list[OutboxRow]) -> list[tuple[str, str]]:
    return [(row.subject.value, row.key) for row in rows]


def deliver(store: SqlStore, row: OutboxRow, ts: str) -> None:
    place = MessagePlace(channel="C0OPS", ts=ts)
    store.outbox.mark_delivered(row.id, done=row.wanted, place=place)


@pytest.fixture
def run(store: SqlStore) -> str:
    with store.begin() as unit:
        unit.add_run(new_run("r1"))
        unit.append(started("r1"))
    return "r1"


def test_a_message_goes_to_its_own_channel_or_else_to_that_of_its_run(
    store: SqlStore, run: str
) -> None:
    with store.begin() as unit:
        unit.send(Message(subject=Subject.NOTICE, key="n", channel="C9", body={"text": "hi"}))
    send(store, (Subject.ROOT, run, run))

    rows = claim(store)

    assert [(row.channel, row.body) for row in rows] == [("C9", {"text": "hi"}), ("C0OPS", None)]


def test_a_thread_begins_with_its_first_message_and_replies_keep_their_order(
    store: SqlStore, run: str
) -> None:
    send(
        store,
        (Subject.STEP, "e1", run),
        (Subject.ROOT, run, run),
        (Subject.CARD, "q1", run),
        (Subject.STEP, "e2", run),
    )
    order = []
    for number in range(4):
        [row] = claim(store)
        order.append(row.key)
        deliver(store, row, f"10{number}.0")

    assert order == [run, "e1", "q1", "e2"]


def test_open_decisions_go_ahead_of_live_states(store: SqlStore, run: str) -> None:
    send(store, (Subject.ROOT, run, run))
    deliver(store, claim(store)[0], "100.1")
    send(store, (Subject.STEP, "e1", run))
    deliver(store, claim(store)[0], "100.2")
    send(
        store,
        (Subject.ROOT, run, run),
        (Subject.STEP, "e1", run),
        (Subject.OUTCOME, run, run),
        (Subject.CARD, "q1", run),
    )

    assert named(claim(store)) == [
        ("request", "q1"),
        ("outcome", run),
        ("entry", "e1"),
        ("run", run),
    ]


def test_a_message_is_held_by_one_process_until_its_lease_ends(
    store: SqlStore, run: str, clock: HandClock
) -> None:
    send(store, (Subject.ROOT, run, run))

    assert len(claim(store, by="a")) == 1
    assert claim(store, by="b") == []
    clock.forward(seconds=61)
    [row] = claim(store, by="b")
    assert not store.outbox.mark_posting(row.id, by="a")
    assert store.outbox.mark_posting(row.id, by="b")


def test_two_processes_never_hold_the_same_message(store: SqlStore) -> None:
    with store.begin() as unit:
        for number in range(60):
            unit.send(Message(subject=Subject.NOTICE, key=f"n{number}", channel="C1", body={}))

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda who: claim(store, by=str(who), limit=20), range(6)))

    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(claim(store, by="last", limit=100)) == 60


def test_a_change_during_the_delivery_is_delivered_after_it(store: SqlStore, run: str) -> None:
    send(store, (Subject.ROOT, run, run))
    [row] = claim(store)
    send(store, (Subject.ROOT, run, run), (Subject.ROOT, run, run))
    deliver(store, row, "100.1")

    [again] = claim(store)

    assert (again.wanted, again.done, again.place) == (2, 1, ROOT_PLACE)
    deliver(store, again, "100.1")
    assert claim(store) == []


def test_a_post_that_was_cut_off_is_marked_so_that_it_is_looked_up(
    store: SqlStore, run: str, clock: HandClock
) -> None:
    send(store, (Subject.ROOT, run, run))
    [row] = claim(store, by="a")
    store.outbox.mark_posting(row.id, by="a")
    clock.forward(seconds=61)

    [again] = claim(store, by="b")

    assert again.was_posting
    deliver(store, again, "100.1")
    send(store, (Subject.ROOT, run, run))
    assert not claim(store)[0].was_posting


def test_a_postponed_message_waits_and_a_new_state_does_not_hurry_it(
    store: SqlStore, run: str, clock: HandClock
) -> None:
    send(store, (Subject.ROOT, run, run))
    [row] = claim(store)
    store.outbox.postpone(row.id, until=NOON + timedelta(minutes=5), error="ratelimited")
    send(store, (Subject.ROOT, run, run))

    assert claim(store) == []
    assert store.outbox.next_moment() == NOON + timedelta(minutes=5)
    clock.forward(minutes=5)
    [again] = claim(store)
    assert (again.attempts, again.was_posting) == (1, False)


def test_what_a_clock_that_ran_ahead_put_off_goes_once_it_is_put_back(
    store: SqlStore, clock: HandClock, run: str
) -> None:
    right = clock.at
    clock.forward(days=366)
    send(store, (Subject.ROOT, run, run), (Subject.OUTCOME, run, run))
    claim(store, limit=1)  # One is on its way, the other has not begun.
    clock.at = right
    assert claim(store) == []

    store.outbox.hasten()

    assert len(claim(store)) == 2


def test_what_is_put_off_for_a_while_is_not_hastened(store: SqlStore, run: str) -> None:
    send(store, (Subject.ROOT, run, run))
    (row,) = claim(store)
    store.outbox.postpone(row.id, until=NOON + timedelta(minutes=10), error="ratelimited")
    store.outbox.hasten()

    assert claim(store) == []


def test_a_postponed_post_that_may_have_arrived_stays_marked(
    store: SqlStore, run: str, clock: HandClock
) -> None:
    send(store, (Subject.ROOT, run, run))
    [row] = claim(store)
    store.outbox.mark_posting(row.id, by="here")
    until = NOON + timedelta(seconds=1)
    store.outbox.postpone(row.id, until=until, error="timeout", may_have_arrived=True)
    clock.forward(seconds=1)

    assert claim(store)[0].was_posting


def test_when_a_thread_cannot_begin_its_replies_are_given_up_with_it(
    store: SqlStore, run: str
) -> None:
    send(
        store,
        (Subject.ROOT, run, run),
        *((one, f"{one}/1", run) for one in sorted(REPLIES)),
        (Subject.OUTCOME, run, run),
    )
    root = next(row for row in claim(store) if row.subject is Subject.ROOT)

    given_up = store.outbox.mark_failed(root.id, error="channel_not_found")

    assert named(given_up) == [("run", run), *((one, f"{one}/1") for one in sorted(REPLIES))]
    send(store, (Subject.ROOT, run, run))
    assert named(claim(store)) == [("run", run)]


def test_a_message_that_is_gone_is_posted_anew(store: SqlStore, run: str) -> None:
    send(store, (Subject.ROOT, run, run))
    [row] = claim(store)
    deliver(store, row, "100.1")
    send(store, (Subject.ROOT, run, run))
    [again] = claim(store)

    store.outbox.forget_place(again.id)

    found = store.outbox.find(Subject.ROOT, run)
    assert found is not None
    assert found.place is None


def test_places_lead_back_to_requests_and_runs(store: SqlStore, run: str) -> None:
    send(store, (Subject.ROOT, run, run))
    deliver(store, claim(store)[0], "100.1")
    send(store, (Subject.CARD, "q1", run))
    [card] = claim(store)
    assert card.thread == ROOT_PLACE

    store.outbox.adopt(card.id, MessagePlace(channel="C0OPS", ts="100.2"))

    assert store.outbox.request_at("C0OPS", "100.2") == "q1"
    assert store.outbox.request_at("C0OPS", "100.1") is None
    assert store.outbox.run_at("C0OPS", "100.1") == run
    assert store.outbox.run_at("C0OPS", "100.2") is None
    assert store.outbox.place_of(Subject.ROOT, run) == ROOT_PLACE
    assert store.outbox.place_of(Subject.CARD, "unknown") is None


def test_two_messages_cannot_stand_in_one_place(store: SqlStore) -> None:
    with store.begin() as unit:
        for key in ("a", "b"):
            unit.send(Message(subject=Subject.NOTICE, key=key, channel="C1", body={}))
    first, second = claim(store)
    deliver(store, first, "100.1")

    with pytest.raises(StorageError):
        deliver(store, second, "100.1")


def test_what_was_not_committed_is_never_sent(store: SqlStore) -> None:
    def send_and_fail() -> None:
        with store.begin() as unit:
            unit.send(Message(subject=Subject.NOTICE, key="n", channel="C1", body={}))
            raise LookupError("lost")

    with pytest.raises(LookupError):
        send_and_fail()

    assert claim(store) == []


def test_a_unit_queues_a_message_once_however_many_facts_change_it(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.send(Message(subject=Subject.NOTICE, key="n", channel="C1", body={"text": "a"}))
        unit.send(Message(subject=Subject.NOTICE, key="n", channel="C1"))
        unit.send(Message(subject=Subject.NOTICE, key="n", channel="C1"))

    [row] = claim(store)
    assert (row.wanted, row.body) == (1, {"text": "a"})
