"""A process that ends at any commit or effect leaves a run that another one finishes right."""

from contextlib import suppress
from datetime import timedelta

import pytest

from tests.crash.conftest import Opened
from tests.fuse import Crash, Fuse
from tests.world import Clock, Working, World, id_of
from workflows.entry import RunId
from workflows.gate import Outcome
from workflows.orders import Start

KEY = "the same start"
BOUNDARIES = 40
LONG_ENOUGH = timedelta(minutes=15)  # Past an attempt's timeout and its grace.


def drive(house: Working) -> None:
    """Do what people and clocks would do, from wherever the run stands."""
    order = Start(
        workflow="change-it",
        inputs={"by": 5},
        trigger="cli",
        person=id_of("rita"),
        key=KEY,
        channel="ops",
    )
    run = house.engine.start(order).run
    house.sweep()
    if "approval.requested" in house.kinds(run) and house.request(run).outcome is Outcome.OPEN:
        house.approve(run)
    for _ in range(3):  # Once for the deadline of a doubt, once for the next attempt.
        house.settle()
        house.clock.forward(LONG_ENOUGH)
    house.settle()


def crash_and_recover(opened: Opened, clock: Clock, *, blows_at: int) -> tuple[World, str, Fuse]:
    """Drive until the fuse blows, then drive again with a fresh process on the same database."""
    world, fuse = World(), Fuse(blows_at)
    with opened() as store, suppress(Crash):
        world.trouble = fuse.at_effect
        drive(Working(store, clock, world=world, wrapped=fuse.around(store)))
    world.trouble = lambda _place: None
    with opened() as store:
        house = Working(store, clock, world=world)
        drive(house)
        run = house.engine.start(
            Start(
                workflow="change-it", inputs={"by": 5}, trigger="cli", person=id_of("rita"), key=KEY
            )
        ).run
        return world, outcome(house, run), fuse


def outcome(house: Working, run: RunId) -> str:
    """Return how the run stands, after a look at what its history must never show."""
    kinds = [one.kind for one in house.entries(run)]
    assert [one.rseq for one in house.entries(run)] == list(range(len(kinds)))
    assert kinds.count("run.finished") <= 1
    assert "run.finished" not in kinds[:-1]
    return house.status(run)


def boundaries(opened: Opened, clock: Clock) -> int:
    """Return how many boundaries one whole undisturbed run passes."""
    fuse, world = Fuse(), World()
    world.trouble = fuse.at_effect
    with opened() as store:
        drive(Working(store, clock, world=world, wrapped=fuse.around(store)))
    return fuse.count


def test_the_sweep_reaches_every_boundary_of_a_run(opened: Opened, clock: Clock) -> None:
    assert 20 <= boundaries(opened, clock) < BOUNDARIES


@pytest.mark.parametrize("blows_at", range(1, BOUNDARIES))
def test_a_run_cut_anywhere_ends_done_with_one_effect(
    opened: Opened, clock: Clock, blows_at: int
) -> None:
    world, status, fuse = crash_and_recover(opened, clock, blows_at=blows_at)

    assert status == "done", fuse.places[-1]
    assert len(world.effects) == 1, fuse.places[-1]
