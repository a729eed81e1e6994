"""One run at a time per lock, in the order they came."""

from storage.store import SqlStore
from tests.world import CHANGE, Clock, Working, id_of

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
