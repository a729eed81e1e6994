"""Code of a package that was waited for no longer may still act: no guess says that it did not."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, ChangeWorld, Clock, Working, World
from workflows.actions.timed import Timed
from workflows.entry import RunId
from workflows.errors import NotPerformedError

HASTY = CHANGE.replace("    undo: none", "    undo: none\n    timeout: 1s")


class Dam:
    """Holds the change back, and in the end lets it happen or fail."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.is_dry = False
        self.held: list[threading.Thread] = []

    def __call__(self, place: str) -> None:
        if place != "before" or self.opened.is_set():
            return
        self.held.append(threading.current_thread())
        self.opened.wait()
        if self.is_dry:
            raise NotPerformedError("nobody was there", error_class="unreachable")

    def open(self) -> None:
        """Let go of what is held, and wait until it has ended."""
        self.opened.set()
        for one in self.held:
            one.join(30)


@pytest.fixture
def dam() -> Iterator[Dam]:
    made = Dam()
    yield made
    made.open()


@pytest.fixture
def hasty(store: SqlStore, clock: Clock, dam: Dam) -> Working:
    world = World(trouble=dam)
    change = Timed(ChangeWorld(world), grace=0.0)
    return Working(store, clock, world=world, definitions=(HASTY,), more={"world.change": change})


def left_running(house: Working) -> RunId:
    """Return a run whose change was approved and did not end in its time."""
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    return run


def looked_at_later(house: Working, run: RunId) -> None:
    house.clock.forward(timedelta(hours=1))
    house.queue.hint(run)
    house.settle()


def test_another_process_leaves_it_in_doubt_until_it_happens(hasty: Working, dam: Dam) -> None:
    run = left_running(hasty)
    hasty.actions["world.change"] = Timed(ChangeWorld(hasty.world))
    looked_at_later(hasty, run)

    assert hasty.status(run) == "in_doubt"
    (doubt,) = [one for one in hasty.entries(run) if one.kind == "action.in_doubt"]
    assert doubt.data["cause"] == "left_running"

    dam.open()
    looked_at_later(hasty, run)

    assert hasty.status(run) == "done"
    assert hasty.world.effects == [f"{run}/change"]


def test_the_process_that_saw_it_end_may_have_it_done_again(hasty: Working, dam: Dam) -> None:
    dam.is_dry = True
    run = left_running(hasty)
    looked_at_later(hasty, run)
    assert hasty.status(run) == "in_doubt"

    dam.open()
    for _ in range(3):
        looked_at_later(hasty, run)

    assert hasty.status(run) == "done"
    assert hasty.world.effects == [f"{run}/change"]
