"""Effects that wait for whoever serves: reads go on, the run says why, and goes on by itself."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.world import SLOW, Change, ChangeWorld, Clock, Value, Working, failing
from workflows.actions.base import Busy, Call
from workflows.actions.valve import Valve
from workflows.errors import TransientReadError
from workflows.holding import AGAIN
from workflows.services import Rate

FAILED = "action.failed"
WHY = "the comparison with Slack"
BUSY = TransientReadError("too busy", error_class="http_503")

ASKS_NOBODY = """
workflow: just-change
title: Change the number at once
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: change
    uses: world.change
    with: {name: number, by: 3}
    undo: none
  - id: again
    uses: world.change
    with: {name: number, by: 4}
    undo: none
"""


def an_approved_run(house: Working) -> str:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    return run


def holds(house: Working, run: str) -> list[str]:
    return [
        one.parts["reason"].value.decode()
        for one in house.entries(run)
        if one.kind == "decision.made" and one.data["decision"] == "hold"
    ]


def test_an_approved_effect_waits_and_the_run_says_for_what(house: Working) -> None:
    house.effects_wait = WHY
    run = an_approved_run(house)

    assert house.world.effects == []
    assert "action.intended" not in house.kinds(run)
    assert house.status(run) == "waiting"
    assert holds(house, run) == [WHY]


def test_reads_and_questions_do_not_wait(house: Working) -> None:
    house.effects_wait = WHY
    run = house.start()
    house.settle()

    assert house.kinds(run) == ["run.started", "step.observed", "approval.requested"]


def test_a_run_that_waits_for_long_says_so_once(house: Working) -> None:
    house.effects_wait = WHY
    run = an_approved_run(house)
    for _ in range(5):
        house.clock.forward(AGAIN)
        house.settle()

    assert holds(house, run) == [WHY]


def test_an_approval_that_cannot_be_checked_for_long_says_why_once_and_goes_on(
    house: Working,
) -> None:
    run = house.start()
    house.settle()
    house.approve(run)
    house.world.trouble = failing("read", SLOW, times=99)
    house.settle()
    soon = holds(house, run)
    for number in range(7):
        house.world.trouble = failing("read", (BUSY, SLOW)[number % 2], times=99)
        house.clock.forward(AGAIN)
        house.settle()
    status = house.status(run)
    house.world.trouble = lambda _place: None
    house.clock.forward(AGAIN)
    house.settle()

    assert soon == []
    assert status == "waiting"
    assert holds(house, run) == ["a check of what was approved: no answer in time"]
    assert house.kinds(run).count("approval.requested") == 1
    assert len(house.world.effects) == 1


def test_it_goes_on_by_itself_on_the_same_approval(house: Working) -> None:
    house.effects_wait = WHY
    run = an_approved_run(house)
    house.effects_wait = None
    house.clock.forward(AGAIN)
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/change"]


def test_an_approval_grows_too_old_while_its_effect_waits(house: Working) -> None:
    house.effects_wait = WHY
    run = an_approved_run(house)
    house.clock.forward(timedelta(hours=25))
    house.effects_wait = None
    house.settle()

    assert house.world.effects == []
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "approval.requested"]


def test_an_effect_that_asks_nobody_waits_too(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(ASKS_NOBODY,))
    house.effects_wait = WHY
    run = house.start("just-change", {})
    house.settle()

    assert house.world.effects == []
    assert holds(house, run) == [WHY]


def test_what_came_of_an_effect_is_recorded_though_the_next_one_waits(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(ASKS_NOBODY,))

    def from_the_first_on(place: str) -> None:
        house.effects_wait = WHY if place == "after" else house.effects_wait

    house.world.trouble = from_the_first_on
    run = house.start("just-change", {})
    house.settle()

    assert house.world.effects == [f"{run}/change"]
    assert house.kinds(run)[-2:] == ["action.executed", "decision.made"]


def test_an_effect_waits_for_a_target_that_is_left_alone(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = Busy(error_class="circuit_open", words="the world is left alone", seconds=20)
    monkeypatch.setattr(ChangeWorld, "busy", lambda *_: why)
    run = an_approved_run(house)
    for _ in range(2):
        house.clock.forward(timedelta(seconds=20))
        house.settle()
    waits = (house.status(run), list(house.world.effects), holds(house, run))
    monkeypatch.undo()
    house.clock.forward(timedelta(seconds=20))
    house.settle()

    assert waits == ("waiting", [], ["the world is left alone"])
    assert house.status(run) == "done"


def test_an_effect_that_others_overtook_at_the_valve_is_tried_again_and_asks_nobody(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform, valve = ChangeWorld.perform, Valve("world", Rate(calls=1, per="1m"), None)

    def through(action: ChangeWorld, arguments: Change, call: Call) -> Value:
        with valve.passage(is_read=False):
            return perform(action, arguments, call)

    with valve.passage(is_read=False):
        pass  # Another branch, after this one was told that the way is free.
    monkeypatch.setattr(ChangeWorld, "perform", through)
    monkeypatch.setattr(
        ChangeWorld, "busy", lambda *_: valve.busy() if house.kinds(run)[-1] == FAILED else None
    )
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    waits = (house.status(run), house.kinds(run).count("action.failed"), holds(house, run))
    monkeypatch.undo()
    house.clock.forward(timedelta(minutes=1))
    house.settle()

    assert waits[:2] == ("waiting", 1)
    assert "at most 1 times" in waits[2][0]
    assert house.kinds(run).count("approval.requested") == 1
    assert house.status(run) == "done"
