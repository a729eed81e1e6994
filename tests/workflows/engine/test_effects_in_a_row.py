"""Two effects in a row: the end of one and the announcement of the other share a commit."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.fuse import Crash, Fuse
from tests.world import CHANGE, Clock, Working, World, id_of
from workflows.entry import RunId

HEAD = CHANGE.split("steps:", maxsplit=1)[0] + "steps:\n"
CHANGES = "  - {id: one, uses: world.change, with: {name: n, by: 1}}\n"
SECOND = "  - {id: two, uses: world.change, with: {name: n, by: %s}}\n"
TWICE = HEAD + CHANGES + SECOND % "2"
BROKEN = HEAD + CHANGES + SECOND % '"${{ 5 / (inputs.by - 5) }}"'
STEPS = ("one", "two")
LONG = timedelta(hours=1)
BOTH = [
    "run.started",
    "action.intended",
    "action.executed",
    "action.intended",
    "action.executed",
    "run.finished",
]


def test_effects_in_a_row_take_one_commit_each_and_one_more(store: SqlStore, clock: Clock) -> None:
    fuse = Fuse()
    house = Working(store, clock, definitions=(TWICE,), wrapped=fuse.around(store))
    run = house.start()
    house.queue.serve(house.engine.advance)

    # The start, both announcements, the last end, and the end of the run.
    assert fuse.places.count("after a commit") == 5
    assert house.kinds(run) == BOTH


def test_the_first_effect_is_recorded_before_the_second_begins(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(TWICE,))
    run = house.start()
    seen: list[list[str]] = []
    house.world.trouble = lambda place: seen.append(house.kinds(run)) if place == "before" else None
    house.settle()

    assert seen == [BOTH[:2], BOTH[:4]]


@pytest.mark.parametrize("boundary", range(1, 15))
def test_a_process_that_ends_anywhere_between_leaves_each_effect_done_once(
    store: SqlStore, clock: Clock, boundary: int
) -> None:
    world = World()
    fuse = Fuse(boundary)
    house = Working(store, clock, definitions=(TWICE,), world=world, wrapped=fuse.around(store))
    world.trouble = fuse.at_effect
    with pytest.raises(Crash):
        _drive(house)
    world.trouble = lambda _place: None
    after = Working(store, clock, definitions=(TWICE,), world=world)
    runs = {*after.store_runs(), *(RunId(key.split("/")[0]) for key in world.effects)}
    for _ in range(4):
        after.sweep()
        clock.forward(by=LONG)

    assert sorted(world.effects) == sorted(f"{run}/{step}" for run in runs for step in STEPS)
    assert all(after.status(run) == "done" for run in runs)


def test_an_effect_is_on_record_when_the_next_step_cannot_be_made_ready(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(BROKEN,))
    run = house.start()
    house.settle()

    assert house.kinds(run) == [*BOTH[:3], "decision.made"]
    assert house.status(run) == "exception"


def test_an_effect_is_on_record_when_a_defect_ends_the_segment(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(TWICE,))
    run = house.start()

    def forget(place: str) -> None:
        if place == "after":
            house.policy = None  # type: ignore[assignment]  # What a defect may amount to.

    house.world.trouble = forget
    with pytest.raises(AttributeError):
        house.engine.advance(run)

    assert house.kinds(run) == BOTH[:3]


def test_an_effect_is_on_record_when_another_process_took_the_run_meanwhile(
    store: SqlStore, clock: Clock
) -> None:
    slow = Working(store, clock, definitions=(TWICE,))
    other = Working(store, clock, definitions=(TWICE,), world=slow.world)
    run = slow.start()

    def meanwhile(place: str) -> None:
        if place == "after":
            slow.world.trouble = lambda _place: None
            other.engine.advance(run)

    slow.world.trouble = meanwhile
    slow.settle()

    assert slow.world.effects == [f"{run}/one", f"{run}/two"]
    assert slow.status(run) == "done"


def test_a_cancellation_between_two_effects_stops_the_second(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(TWICE,))
    run = house.start()

    def cancel(place: str) -> None:
        if place == "after":
            house.engine.cancel(run, person=id_of("rita"), reason="")

    house.world.trouble = cancel
    house.settle()

    assert house.world.effects == [f"{run}/one"]
    assert house.status(run) == "cancelled"


def _drive(house: Working) -> None:
    house.start()
    house.settle()
