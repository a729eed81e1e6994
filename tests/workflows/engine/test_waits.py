"""A step that waits is a row: nothing works for it, and it goes on at its moment."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from storage.summaries import read_summary
from tests.workflows.engine.flows import change, workflow
from tests.world import NOON, Clock, Working, id_of
from workflows.entry import RunId
from workflows.store import DueKind

TWO_HOURS = workflow("pause", f"steps: [{{id: rest, wait: 2h}}, {change('act')}]")
UNTIL = workflow(
    "pause",
    "inputs: {day: {type: string}}\n"
    'steps: [{id: rest, wait: {until: "${{ inputs.day }}"}}, ' + change("act") + "]",
)


def paused(store: SqlStore, clock: Clock, text: str, **inputs: object) -> tuple[Working, str]:
    house = Working(store, clock, definitions=(text,))
    run = house.start("pause", inputs)
    house.settle()
    return house, run


def summary_of(house: Working, run: str) -> str:
    with house.store.database.read() as connection:
        told = read_summary(connection, run, of=house.entries(RunId(run))).told
    return " ".join(one.text for one in told)


def test_a_run_waits_as_a_row_and_goes_on_at_its_moment(store: SqlStore, clock: Clock) -> None:
    house, run = paused(store, clock, TWO_HOURS)

    assert house.status(run) == "waiting"
    assert [(one.kind, one.at) for one in house.due(run)] == [
        (DueKind.WAKE, NOON + timedelta(hours=2))
    ]
    assert house.kinds(run) == ["run.started", "wait.started"]

    clock.forward(timedelta(hours=2))
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/act"]


def test_a_wait_is_not_shortened_by_a_restart_or_a_look_in_between(
    store: SqlStore, clock: Clock
) -> None:
    _, run = paused(store, clock, TWO_HOURS)
    clock.forward(timedelta(hours=1))
    fresh = Working(store, clock, definitions=(TWO_HOURS,))
    fresh.queue.hint(run)
    fresh.settle()

    assert fresh.status(run) == "waiting"
    assert fresh.world.effects == []

    clock.forward(timedelta(hours=1))
    fresh.settle()

    assert fresh.status(run) == "done"


@pytest.mark.parametrize("day", ["2026-03-03", "2026-03-03T01:00:00+01:00"])
def test_a_run_waits_until_a_day_or_a_moment_of_any_zone(
    store: SqlStore, clock: Clock, day: str
) -> None:
    house, run = paused(store, clock, UNTIL, day=day)

    assert [one.at for one in house.due(run)] == [NOON + timedelta(hours=12)]


@pytest.mark.parametrize("day", ["2026-01-01", "0001-01-01", "0001-01-01T00:00:00Z"])
def test_a_moment_that_is_past_is_not_waited_for(store: SqlStore, clock: Clock, day: str) -> None:
    house, run = paused(store, clock, UNTIL, day=day)

    assert house.status(run) == "done"
    assert house.kinds(run).count("wait.ended") == 1


@pytest.mark.parametrize(
    "day",
    [
        "soon",
        "2026-03-03T01:00:00",
        "2026-03-03 01:00",
        "2029-01-01",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_moment_to_wait_for_needs_a_person(
    store: SqlStore, clock: Clock, day: str
) -> None:
    house, run = paused(store, clock, UNTIL, day=day)

    assert house.status(run) == "exception"


def test_a_waiting_run_can_be_cancelled(store: SqlStore, clock: Clock) -> None:
    house, run = paused(store, clock, TWO_HOURS)
    house.engine.cancel(run, person=id_of("rita"), reason="no need")
    clock.forward(timedelta(hours=3))
    house.settle()

    assert house.status(run) == "cancelled"
    assert house.world.effects == []
    assert "“rest” was to wait until" in summary_of(house, run)


def test_the_story_of_a_reason_with_a_character_that_no_table_keeps_is_written(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paused(store, clock, TWO_HOURS)
    house.engine.cancel(run, person=id_of("rita"), reason="no\0need")
    house.settle()

    assert "cancelled it, saying “no\ufffdneed”." in summary_of(house, run)
    assert house.due(run) == []


def test_a_story_says_of_a_wait_that_was_over_that_it_was(store: SqlStore, clock: Clock) -> None:
    house, run = paused(store, clock, TWO_HOURS)
    clock.forward(timedelta(hours=2))
    house.settle()

    assert "“rest” waited until" in summary_of(house, run)
