"""Deadlines count work and not waiting; best effort tries once and looks at nothing."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import SLOW, Clock, Working, failing, id_of
from workflows.entry import RunId

DEADLINE = workflow(
    "timed",
    f"deadline: 10m\nsteps: [{destructive('asked')}, {change('one')}, {change('two')}]",
)
LOOK = "{{id: {0}, uses: world.read, with: {{name: {0}}}}}"
LOOKS_ON = workflow(
    "timed",
    f"deadline: 30m\nsteps: [{{id: first, wait: 1h}}, {LOOK.format('one')}, "
    f"{{id: second, wait: 1h}}, {LOOK.format('two')}, {change('act')}]",
)
CALLS = workflow(
    "timed",
    f"deadline: 30m\nsteps: [{{id: first, workflow: inner}}, {LOOK.format('one')}, "
    f"{{id: second, wait: 1h}}, {LOOK.format('two')}, {change('act')}]",
)
INNER = workflow("inner", "steps: [{id: rest, wait: 1h}]")
HASTY = workflow(
    "timed",
    "mode: best_effort\nsteps: [{id: look, uses: world.read, with: {name: x}}, "
    f"{change('one')}]",
)


def timed(store: SqlStore, clock: Clock, text: str) -> tuple[Working, RunId]:
    house = Working(store, clock, definitions=(text,))
    return house, house.start("timed")


def taking(clock: Clock, minutes: int, at: str) -> object:
    def work(place: str) -> None:
        if place == at:
            clock.forward(timedelta(minutes=minutes))

    return work


def test_work_that_takes_too_long_stops_before_the_next_step(store: SqlStore, clock: Clock) -> None:
    house, run = timed(store, clock, DEADLINE)
    house.world.trouble = taking(clock, 11, "before one")  # type: ignore[assignment]
    house.settle()
    house.approve(run)
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == [f"{run}/asked", f"{run}/one"]
    assert house.entries(run)[-1].data["rule"] == "deadline"


def test_waiting_for_people_is_no_work(store: SqlStore, clock: Clock) -> None:
    house, run = timed(store, clock, DEADLINE)
    house.settle()
    clock.forward(timedelta(hours=20))
    house.approve(run)
    house.settle()

    assert house.status(run) == "done"


@pytest.mark.parametrize("text", [LOOKS_ON, CALLS])
def test_what_is_read_after_a_wait_is_work_however_often_the_run_waits(
    store: SqlStore, clock: Clock, text: str
) -> None:
    house = Working(store, clock, definitions=(text, INNER))
    house.world.trouble = taking(clock, 20, "read")  # type: ignore[assignment]
    run = house.start("timed")
    for _ in range(2):
        house.settle()
        clock.forward(timedelta(hours=1))
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.reads == 2
    assert house.entries(run)[-1].data["rule"] == "deadline"


def test_whoever_has_it_tried_again_gives_the_run_its_time_anew(
    store: SqlStore, clock: Clock
) -> None:
    house, run = timed(store, clock, DEADLINE)
    house.world.trouble = taking(clock, 11, "before one")  # type: ignore[assignment]
    house.settle()
    house.approve(run)
    house.settle()
    clock.forward(timedelta(hours=1))
    house.engine.settle_exception(run, "two", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "done"


def test_best_effort_tries_a_read_once(store: SqlStore, clock: Clock) -> None:
    house, run = timed(store, clock, HASTY)
    house.world.trouble = failing("read", SLOW, times=2)
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.reads == 1


def test_best_effort_leaves_the_same_trail(store: SqlStore, clock: Clock) -> None:
    house, run = timed(store, clock, HASTY)
    house.settle()

    assert house.kinds(run) == [
        "run.started",
        "step.observed",
        "action.intended",
        "action.executed",
        "run.finished",
    ]
