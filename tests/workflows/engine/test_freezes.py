"""Effects wait while the policy's freeze calendar is on, and go on by themselves."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import workflow
from tests.world import CHANGE, POLICY, Clock, Working
from workflows.entry import Entry, RunId
from workflows.loading import load_policy
from workflows.store import DueKind

# It is Monday, 2 March 2026, 12:00 UTC.
FREEZE = """
freezes:
  - {name: release night, from: "2026-03-02T09:00", until: "2026-03-02T18:00"}
"""
WEEKLY = """
timezone: Europe/Berlin
freezes:
  - {name: Mondays, weekly: {weekdays: [1]}}
"""
ASKS_NOBODY = """
workflow: just-change
title: Change the number at once
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: look
    uses: world.read
    with: {name: number}
  - id: change
    uses: world.change
    with: {name: number, by: 3}
    undo: none
"""
THAW = timedelta(hours=6)


def a_house(store: SqlStore, clock: Clock, freeze: str = FREEZE) -> Working:
    return Working(store, clock, definitions=(CHANGE, ASKS_NOBODY), policy=POLICY + freeze)


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def approved(house: Working) -> RunId:
    run = asked(house)
    house.approve(run)
    house.settle()
    return run


def holds(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.data.get("decision") == "hold"]


def test_an_approved_effect_waits_and_says_for_what_and_until_when(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = approved(house)

    assert house.world.effects == []
    assert house.status(run) == "waiting"
    (hold,) = holds(house, run)
    assert hold.data["rule"] == "freeze"
    assert hold.data["until"] == "2026-03-02T18:00:00.000Z"
    assert hold.parts["reason"].value == (
        "the freeze “release night”, until 2026-03-02 18:00 (UTC)".encode()
    )


def test_people_decide_while_it_is_on_and_reads_do_not_wait(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)

    assert house.kinds(run) == ["run.started", "step.observed", "approval.requested"]
    assert house.approve(run).changed


def test_it_goes_on_by_itself_on_the_same_approval_once_it_thaws(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = approved(house)
    clock.forward(THAW - timedelta(seconds=1))
    house.settle()
    assert house.world.effects == []
    clock.forward(timedelta(seconds=1))
    house.settle()

    assert house.status(run) == "done"
    assert house.kinds(run).count("approval.requested") == 1
    assert len(holds(house, run)) == 1


def test_a_freeze_takes_nothing_of_the_time_that_a_run_may_work(
    store: SqlStore, clock: Clock
) -> None:
    timed = CHANGE.replace("steps:", "deadline: 10m\nsteps:", 1)
    house = Working(store, clock, definitions=(timed,), policy=POLICY + FREEZE)
    run = approved(house)
    clock.forward(timedelta(hours=2))
    house.settle()
    assert house.status(run) == "waiting"
    clock.forward(THAW)
    house.settle()

    assert house.status(run) == "done"


def test_an_effect_that_was_denied_while_it_waited_holds_the_time_up_no_more(
    store: SqlStore, clock: Clock
) -> None:
    proof = "verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}, undo: none"
    looped = workflow(
        "looped",
        f"""
deadline: 10m
steps:
  - {{id: look, uses: world.list, with: {{name: rows}}}}
  - id: each
    foreach: ${{{{ steps.look.output.rows }}}}
    on_item_failure: continue
    steps:
      - {{id: pay, uses: world.change, with: {{name: "${{{{ item.name }}}}", by: 1}},
         effect: destructive, {proof}}}
  - {{id: close, uses: world.change, with: {{name: close, by: 1}}, effect: write}}
""",
    )
    house = Working(store, clock, definitions=(looped,), policy=POLICY + FREEZE)
    house.world.items = [{"name": name, "by": 1} for name in ("a", "b")]
    run = house.start("looped")
    house.settle()
    house.approve(run)
    house.settle()
    assert len(holds(house, run)) == 1
    house.deny(run)
    house.settle()
    clock.forward(THAW)

    def slowly(place: str) -> None:
        if place == "before b":
            clock.forward(timedelta(minutes=11))

    house.world.trouble = slowly
    house.approve(run)
    house.settle()

    assert house.world.effects == [f"{run}/pay/1"]
    stopped = house.entries(run)[-1]

    assert stopped.data["rule"] == "deadline"
    assert stopped.parts["reason"].value == (b"The run has worked longer than its deadline allows.")


def test_a_run_that_waits_is_looked_at_once_an_hour_and_at_the_end(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = approved(house)

    def waits() -> timedelta:
        (wake,) = [one.at for one in house.due(run) if one.kind is DueKind.WAKE]
        return wake - clock.at

    assert waits() == timedelta(hours=1)
    clock.forward(THAW - timedelta(minutes=20))
    house.settle()
    assert waits() == timedelta(minutes=20)


def test_an_approval_grows_too_old_while_its_effect_waits(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, FREEZE.replace("03-02T18", "03-05T18"))
    run = approved(house)
    clock.forward(timedelta(days=3, hours=6))
    house.settle()

    assert house.world.effects == []
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "approval.requested"]


def test_an_effect_that_asks_nobody_waits_too_after_its_reads(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = house.start("just-change", {})
    house.settle()

    assert house.kinds(run) == ["run.started", "step.observed", "decision.made"]
    clock.forward(THAW)
    house.settle()
    assert house.status(run) == "done"


@pytest.mark.parametrize(
    ("when", "waits"),
    [
        ('workflow == "just-change"', True),
        ('effect == "destructive"', False),
        ("inputs.missing > 1", True),
    ],
)
def test_a_freeze_is_about_what_its_condition_names(
    store: SqlStore, clock: Clock, when: str, *, waits: bool
) -> None:
    house = a_house(store, clock, FREEZE.replace("}", f", when: '{when}'}}"))
    run = house.start("just-change", {})
    house.settle()

    assert (house.world.effects == []) is waits
    assert (house.status(run) == "waiting") is waits


def test_a_weekly_freeze_ends_at_midnight_in_the_policys_zone(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, WEEKLY)
    run = house.start("just-change", {})
    house.settle()

    assert holds(house, run)[0].data["until"] == "2026-03-02T23:00:00.000Z"
    clock.forward(timedelta(hours=11))
    house.settle()
    assert house.status(run) == "done"


def test_a_freeze_that_became_longer_is_told_again(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = house.start("just-change", {})
    house.settle()
    house.policy = load_policy(POLICY + FREEZE.replace("T18:00", "T20:00"))
    clock.forward(timedelta(hours=1))
    house.settle()

    assert [one.data["until"] for one in holds(house, run)] == [
        "2026-03-02T18:00:00.000Z",
        "2026-03-02T20:00:00.000Z",
    ]


def test_a_freeze_that_was_lifted_early_is_noticed_within_the_hour(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = house.start("just-change", {})
    house.settle()
    house.policy = load_policy(POLICY)
    clock.forward(timedelta(hours=1))
    house.settle()

    assert house.status(run) == "done"
