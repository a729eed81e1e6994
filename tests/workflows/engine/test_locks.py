"""One run at a time per lock, in the order they came."""

from bot.entry_words import words_about
from storage.history import read_run
from storage.listing import lock_holder
from storage.store import SqlStore
from tests.world import CHANGE, Clock, Working, id_of
from workflows.entry import RunId
from workflows.store import Subject

LOCKED = CHANGE.replace('run_by: ["@askers"]', 'run_by: ["@askers"]\nlock: number/one')


def test_a_second_run_waits_until_the_first_has_ended(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(LOCKED,))
    first = house.start()
    second = house.start()
    house.settle()

    assert house.status(first) == "waiting"
    assert house.status(second) == "queued"

    house.approve(first)
    house.settle()

    assert house.status(first) == "done"
    assert house.status(second) == "waiting"


def test_queued_runs_go_on_in_the_order_they_came(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(LOCKED,))
    runs = [house.start() for _ in range(4)]
    ended: list[str] = []
    for _ in runs:
        house.settle()
        waiting = next(one for one in runs if house.status(one) == "waiting")
        house.deny(waiting)
        house.settle()
        ended.append(waiting)

    assert ended == runs


def test_a_queued_run_can_be_cancelled_and_is_not_waited_for(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(LOCKED,))
    first, second, third = (house.start() for _ in range(3))
    house.settle()
    house.engine.cancel(second, person=id_of("rita"), reason="")
    house.deny(first)
    house.settle()

    assert house.status(second) == "cancelled"
    assert house.status(third) == "waiting"


def test_whoever_still_waits_is_told_anew_who_holds_the_lock(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(LOCKED,))
    first, second, third, fourth = (house.start() for _ in range(4))
    house.settle()
    before = holders(store, third)
    with store.database.read() as connection:
        told = [words_about(one) for one in read_run(connection, third)]
    drawn = wanted(store, third), wanted(store, fourth)
    house.deny(first)
    house.settle()

    assert before == first
    assert f"the run: waits for run {first} to end (lock)" in told
    assert (wanted(store, third), wanted(store, fourth)) > drawn
    assert holders(store, third) == second
    assert holders(store, second) is None


def wanted(store: SqlStore, run: RunId) -> int:
    """Return how often the first message of a run was to be drawn."""
    row = store.outbox.find(Subject.ROOT, run)
    assert row is not None
    return row.wanted


def holders(store: SqlStore, run: RunId) -> RunId | None:
    found = lock_holder(store.database, run)
    return None if found is None else found.id
