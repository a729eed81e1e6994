"""Deadlines count work and not waiting; best effort tries once and looks at nothing."""

from datetime import timedelta

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import SLOW, Clock, Working, failing, id_of
from workflows.entry import RunId

DEADLINE = workflow(
    "timed",
    f"deadline: 10m\nsteps: [{destructive('asked')}, {change('one')}, {change('two')}]",
)
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
