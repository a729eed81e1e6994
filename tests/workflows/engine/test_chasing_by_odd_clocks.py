"""Reminders of what stands, by a clock that jumps: none of what settles itself, none twice, all."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.test_chasing import (
    ALL,
    BOTH,
    GOVERNED,
    OWN,
    in_doubt,
    reminders,
    stopped,
    told,
    wait,
)
from tests.world import LOST, Clock, Working, failing
from workflows.entry import RunId
from workflows.store import Due, DueKind

DAY = 24


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, policy=GOVERNED)


def settling(house: Working) -> RunId:
    """Return a run in doubt whose probe says no, which counts once its time is over."""
    house.world.trouble = failing("before", LOST)
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    return run


def chases(house: Working, run: RunId) -> list[Due]:
    return [one for one in house.due(run) if one.kind is DueKind.CHASE]


def set_back(house: Working, *, hours: float) -> None:
    """Set the clock back, which the clock of a process notices."""
    house.clock.forward(timedelta(hours=-hours))
    for due in house.store.due_of(DueKind.CHASE, after=house.clock.at):
        house.engine.handle_due(due)
    house.settle()


@pytest.mark.parametrize("looked_at", ["at once", "after its first look"])
def test_nobody_is_reminded_of_a_doubt_that_the_probe_settles_in_the_same_moment(
    house: Working, looked_at: str
) -> None:
    run = settling(house)
    if looked_at != "at once":
        wait(house, hours=0.02)
        assert chases(house, run)
    wait(house, hours=5 * DAY)

    settled = [one.data["by"] for one in house.entries(run) if one.kind == "action.resolved"]
    assert settled == ["probe"]
    assert reminders(house, run) == []
    assert chases(house, run) == []


def test_nobody_is_reminded_while_a_segment_is_about_to_look(house: Working) -> None:
    run = in_doubt(house)
    wait(house, hours=0.5)
    house.clock.forward(timedelta(hours=1))
    with house.store.begin() as unit:
        unit.lock_run(run)
        unit.mark_ready(run)
    for _ in range(3):
        for due in chases(house, run):
            house.engine.handle_due(due)

    assert reminders(house, run) == []
    house.sweep()
    assert told(house, run) == [OWN]


def test_nobody_is_reminded_while_a_segment_asks_the_probe(house: Working) -> None:
    run = in_doubt(house)
    wait(house, hours=0.5)
    house.clock.forward(timedelta(hours=1))
    with house.store.begin() as unit:
        unit.lock_run(run)
        unit.claim(run, by="other")
    (due,) = chases(house, run)
    house.engine.handle_due(due)
    assert reminders(house, run) == []

    # A claim that lasts is that of another branch, which has its own work.
    wait(house, hours=0.1)
    assert told(house, run) == [OWN]


def test_of_what_nobody_knows_people_are_reminded_once_after_a_jump(house: Working) -> None:
    run = in_doubt(house)
    wait(house, hours=5 * DAY)
    house.settle()

    assert told(house, run) == [ALL]
    wait(house, hours=DAY)
    assert told(house, run) == [ALL, ALL]


def test_reminders_go_on_by_a_clock_that_was_set_back(house: Working) -> None:
    run = stopped(house)
    set_back(house, hours=5 * DAY)
    assert told(house, run) == []
    counts = []
    for hours in (0.5, 0.5, 2.5, 0.5, 20, DAY):
        wait(house, hours=hours)
        counts.append(len(reminders(house, run)))

    assert counts == [0, 1, 1, 2, 3, 4]
    assert told(house, run) == [OWN, BOTH, ALL, ALL]


def test_a_clock_that_was_ahead_for_a_while_takes_no_reminder_with_it(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=5 * DAY)
    set_back(house, hours=5 * DAY)
    assert told(house, run) == [ALL]
    wait(house, hours=2)
    assert told(house, run) == [ALL]
    wait(house, hours=1)

    assert told(house, run) == [ALL, BOTH]


def test_a_clock_that_was_behind_for_a_while_has_nobody_reminded_twice(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=1)
    set_back(house, hours=5 * DAY)
    assert told(house, run) == [OWN]
    wait(house, hours=3)
    assert told(house, run) == [OWN, BOTH]
    wait(house, hours=5 * DAY)  # It is right again.
    assert told(house, run) == [OWN, BOTH, ALL]
    wait(house, hours=1)
    assert told(house, run) == [OWN, BOTH, ALL]
    wait(house, hours=23)

    assert told(house, run) == [OWN, BOTH, ALL, ALL]


def test_a_look_before_its_moment_changes_nothing(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=1)
    before = chases(house, run)
    set_back(house, hours=0)

    assert chases(house, run) == before
    assert told(house, run) == [OWN]
