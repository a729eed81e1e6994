"""Requests by a clock that was set back: none is open for longer than it was given."""

from datetime import timedelta

import pytest

from storage.request_ends import SetBack, end_in_time
from storage.store import SqlStore
from tests.workflows.engine.gated import assert_sound, policy_of, with_groups
from tests.world import Clock, Working
from workflows.entry import RunId

RULE = (
    'stages: [{from: ["@deciders"], approve: 1}], expires: 24h, remind: [8h, 12h, 20h],'
    ' escalate: {after: 9h, to: ["@directors"]}'
)
MORE = 'stages: [{from: ["@leads"]}], escalate: {after: 15h, to: ["@owners"]}'


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(RULE, MORE)))


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def wait(house: Working, hours: float) -> None:
    house.clock.forward(timedelta(hours=hours))
    house.settle()


def set_back(house: Working, *, hours: float, replicas: int = 1, seconds: int = 15) -> None:
    """Set the clock back, which the clock of every process notices a while later."""
    by, gone = timedelta(hours=hours), timedelta(seconds=seconds)
    house.clock.forward(gone - by)
    for _ in range(replicas):
        clock = SetBack(now=house.clock.at, by=by, since=house.clock.at - gone)
        end_in_time(house.store.database, clock)
    house.settle()


def told(house: Working, run: RunId) -> list[str]:
    kinds = [one.removeprefix("approval.") for one in house.kinds(run)]
    return [one for one in kinds if one in ("reminded", "escalated", "expired")]


def test_a_request_ends_after_the_time_it_was_given_with_all_that_comes_before(
    house: Working,
) -> None:
    run = asked(house)
    wait(house, 3)
    set_back(house, hours=5, replicas=2)
    counts = []
    for hours in (4.9, 0.1, 1, 3, 3, 5, 3.9, 0.1):
        wait(house, hours)
        counts.append(told(house, run)[sum(map(len, counts)) :])

    assert counts == [
        [],
        ["reminded"],
        ["escalated"],
        ["reminded"],
        ["escalated"],
        ["reminded"],
        [],
        ["expired"],
    ]
    assert_sound(house.store.database)


def test_what_is_over_by_then_ends_at_once(house: Working) -> None:
    run = asked(house)
    house.clock.forward(timedelta(hours=25))  # Nobody looked meanwhile.
    set_back(house, hours=10)

    assert told(house, run)[-1:] == ["expired"]


def test_what_was_asked_since_keeps_its_time(house: Working) -> None:
    house.clock.forward(timedelta(hours=-5))
    run = asked(house)
    house.clock.forward(timedelta(seconds=10))
    clock = SetBack(
        now=house.clock.at,
        by=timedelta(hours=5),
        since=house.clock.at - timedelta(seconds=15),
    )
    before = house.due(run)
    end_in_time(house.store.database, clock)

    assert house.due(run) == before


def test_a_process_that_begins_leaves_no_request_more_time_than_it_was_given(
    house: Working,
) -> None:
    run = asked(house)
    house.clock.forward(timedelta(days=-300))
    end_in_time(house.store.database, SetBack(now=house.clock.at))
    wait(house, 23.9)
    assert "expired" not in told(house, run)
    wait(house, 0.1)

    assert told(house, run)[-1:] == ["expired"]


def test_a_process_that_begins_by_a_right_clock_changes_nothing(house: Working) -> None:
    run = asked(house)
    house.clock.forward(timedelta(hours=3))
    before = house.due(run)
    end_in_time(house.store.database, SetBack(now=house.clock.at))

    assert house.due(run) == before
