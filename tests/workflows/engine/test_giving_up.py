"""A run that the bot breaks down over again and again asks somebody, and ends as it was to."""

from typing import NoReturn

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import Clock, Working, id_of
from workflows import making as making_room
from workflows.entry import RunId
from workflows.errors import ActionFailedError, RequestClosedError
from workflows.replay import replay
from workflows.trouble import Trouble, troubles

DONE = workflow("done", f"steps: [{change('act')}]")
GATED = workflow("gated", f"steps: [{destructive('act')}, {{id: rest, wait: 1h}}]")
SIDES = workflow(
    "sides",
    f"steps: [{{id: all, parallel: {{l: [{change('left')}], "
    "r: [{id: right, uses: world.read, with: {name: x}}]}}]",
)


def defect(*_: object) -> NoReturn:
    raise ZeroDivisionError


def standing(house: Working, run: RunId) -> tuple[Trouble, ...]:
    entries = house.entries(run)
    return troubles(replay(run, entries), entries)


def given_up(house: Working, run: RunId, patch: pytest.MonkeyPatch) -> Trouble:
    """Have every try to end the run break down, until somebody is asked."""
    with patch.context() as broken:
        broken.setattr(making_room, "end_run", defect)
        for _ in range(2):
            house.queue.hint(run)
            with pytest.raises(ZeroDivisionError):
                house.settle()
            house.engine.give_up(run, error_class="segments_died")
    (found,) = standing(house, run)
    return found


def test_what_stops_at_its_end_is_about_no_step_and_asked_once(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Working(store, clock, definitions=(DONE,))
    run = house.start("done", {})
    found = given_up(house, run, monkeypatch)

    assert (found.step, house.status(run)) == ("", "exception")
    assert house.kinds(run).count("decision.made") == 1

    house.engine.settle_exception(run, "", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "done"


@pytest.mark.parametrize("answer", ["skip", "abort"])
def test_a_rejected_run_that_stops_at_its_end_stays_rejected(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    house = Working(store, clock, definitions=(GATED,))
    run = house.start("gated", {})
    house.settle()
    house.deny(run)
    found = given_up(house, run, monkeypatch)
    with pytest.raises(RequestClosedError, match="rejected already"):
        house.engine.settle_exception(run, found.step, person=id_of("omar"), answer=answer)
    house.engine.settle_exception(run, found.step, person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "denied"


def test_the_branch_that_broke_down_is_named_beside_one_that_waits(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(SIDES,))

    def trouble(place: str) -> None:
        if place == "before left":
            raise ActionFailedError("no", error_class="refused")
        if place == "read":
            raise ZeroDivisionError

    house.world.trouble = trouble
    run = house.start("sides", {})
    with pytest.raises(ZeroDivisionError):
        house.settle()
    with pytest.raises(ZeroDivisionError):
        house.sweep()
    house.engine.give_up(run, error_class="segments_died")

    assert {one.step for one in standing(house, run)} == {"left", "right"}
