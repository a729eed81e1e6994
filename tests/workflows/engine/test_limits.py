"""No more runs go on at once than a workflow or the house allows; the others have their turn."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import destructive, workflow
from tests.world import Clock, Working, id_of
from workflows.entry import RunId

TWO_AT_ONCE = workflow("few", f"at_once: 2\nsteps: [{destructive('act')}]")
MANY = workflow("few", f"steps: [{destructive('act')}]")


def opened(house: Working, count: int) -> list[RunId]:
    runs = [house.start("few") for _ in range(count)]
    house.settle()
    return runs


def going(house: Working, runs: list[RunId]) -> list[int]:
    return [at for at, run in enumerate(runs) if house.status(run) == "waiting"]


@pytest.fixture(params=["a workflow's", "the house's"])
def house(request: pytest.FixtureRequest, store: SqlStore, clock: Clock) -> Working:
    if request.param == "a workflow's":
        return Working(store, clock, definitions=(TWO_AT_ONCE,))
    return Working(store, clock, definitions=(MANY,), most_runs=2)


def test_runs_beyond_the_limit_wait_their_turn_in_order(house: Working) -> None:
    runs = opened(house, 5)

    assert going(house, runs) == [0, 1]
    assert [house.status(run) for run in runs[2:]] == ["queued"] * 3
    assert house.entries(runs[2])[-1].data["rule"] == "limit"

    house.approve(runs[1])
    house.settle()

    assert going(house, runs) == [0, 2]

    house.deny(runs[0])
    house.settle()

    assert going(house, runs) == [2, 3]


def test_a_queued_run_that_is_cancelled_leaves_the_line(house: Working) -> None:
    runs = opened(house, 4)
    house.engine.cancel(runs[2], person=id_of("rita"), reason="no need")
    house.approve(runs[0])
    house.settle()

    assert going(house, runs) == [1, 3]
    assert house.status(runs[2]) == "cancelled"


def test_every_run_has_its_turn_whoever_looks_when(house: Working, clock: Clock) -> None:
    runs = opened(house, 7)
    for _ in runs:
        for at in going(house, runs):
            house.approve(runs[at])
        house.sweep()
        clock.forward(timedelta(minutes=1))

    assert {house.status(run) for run in runs} == {"done"}
    assert sorted(house.world.effects) == sorted(f"{run}/act" for run in runs)


def test_a_run_that_another_one_started_needs_no_further_place(
    store: SqlStore, clock: Clock
) -> None:
    parent = workflow("parent", "steps: [{id: inner, workflow: few}]")
    house = Working(store, clock, definitions=(parent, MANY), most_runs=1)
    run = house.start("parent")
    house.settle()
    child = RunId(str(house.entries(run)[-1].data["child"]))
    house.approve(child)
    house.settle()

    assert (house.status(run), house.status(child)) == ("done", "done")
