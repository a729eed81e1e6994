"""Who has a run: whoever commits first, and nobody while it waits."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.fuse import Fuse
from tests.world import Clock, Working
from workflows.entry import RunId


def claimed(house: Working, store: SqlStore) -> list[RunId]:
    """Return the runs that are ready or claimed."""
    return list(store.standing(claimed_before=house.clock() + timedelta(days=1), limit=10))


def test_of_two_processes_that_take_a_run_up_the_first_to_commit_has_it(
    store: SqlStore, clock: Clock
) -> None:
    slow, quick = Working(store, clock), Working(store, clock)
    run = slow.start()

    def meanwhile(place: str) -> None:
        if place == "read" and not quick.kinds(run)[1:]:
            quick.engine.advance(run)

    slow.world.trouble = meanwhile
    slow.settle()

    assert slow.kinds(run) == ["run.started", "step.observed", "approval.requested"]
    assert slow.status(run) == "waiting"


def test_of_two_processes_that_find_an_approval_one_brings_the_effect_about(
    store: SqlStore, clock: Clock
) -> None:
    slow = Working(store, clock)
    quick = Working(store, clock, world=slow.world)
    run = slow.start()
    slow.settle()
    slow.approve(run)

    def meanwhile(place: str) -> None:
        if place == "read" and "action.intended" not in quick.kinds(run):
            slow.world.trouble = lambda _place: None
            quick.engine.advance(run)

    slow.world.trouble = meanwhile
    slow.settle()

    assert slow.world.effects == [f"{run}/change"]
    assert slow.status(run) == "done"


def test_a_run_is_let_go_of_by_the_commit_that_asks(store: SqlStore, clock: Clock) -> None:
    fuse = Fuse()
    house = Working(store, clock, wrapped=fuse.around(store))
    house.start()
    before = fuse.places.count("after a commit")
    house.settle()

    assert fuse.places.count("after a commit") - before == 1
    assert claimed(house, store) == []


def test_a_run_whose_process_ends_before_its_first_commit_is_still_ready(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock)
    run = house.start()
    house.queue.stop()
    house.world.trouble = _end

    with pytest.raises(KeyboardInterrupt):
        house.engine.advance(run)

    assert claimed(house, store) == [run]


def _end(place: str) -> None:
    del place
    raise KeyboardInterrupt
