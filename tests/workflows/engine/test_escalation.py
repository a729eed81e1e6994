"""What waits for too long goes to more people, who then decide like everybody who was asked."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.gated import (
    asked,
    assert_sound,
    of_kind,
    policy_of,
    publish,
    ref,
    trouble_of,
    wait,
    with_groups,
)
from tests.world import Clock, Working
from workflows.errors import NotEligibleError
from workflows.gate import Outcome
from workflows.store import DueKind, Subject

TWO_STAGES = (
    'stages: [{from: ["@leads"]}, {from: ["@security"]}], escalate: {after: 2h, to: ["@directors"]}'
)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(TWO_STAGES)))


def test_those_it_is_escalated_to_may_decide_from_then_on(
    house: Working, database: Database
) -> None:
    run = asked(house)
    with pytest.raises(NotEligibleError, match="not among the people who were asked"):
        house.approve(run, by="dora")
    wait(house, hours=2)
    house.approve(run, by="dora")
    house.approve(run, by="dan")
    house.settle()

    assert house.status(run) == "done"
    assert_sound(database)


def test_the_entry_says_who_was_let_in_where(house: Working) -> None:
    run = asked(house)
    wait(house, hours=2)
    (entry,) = of_kind(house, run, "approval.escalated")

    assert entry.data == {
        "request": house.request(run).id,
        "to": sorted(ref(house, one) for one in ("dora", "dan")),
        "n": 1,
        "groups": ["@directors"],
        "stages": [0, 1],
    }
    assert house.store.outbox.find(Subject.STEP, entry.id) is not None


def test_a_stage_that_is_done_is_not_opened_again(house: Working) -> None:
    run = asked(house)
    house.approve(run, by="ana")
    wait(house, hours=2)
    (entry,) = of_kind(house, run, "approval.escalated")

    assert entry.data["stages"] == [1]


def test_nothing_is_escalated_that_is_decided(house: Working) -> None:
    run = asked(house)
    house.deny(run, by="ana")
    wait(house, hours=3)

    assert of_kind(house, run, "approval.escalated") == []


def test_whoever_may_not_decide_is_not_let_in_by_escalation(house: Working) -> None:
    publish(house, by="dora")
    run = house.start(by="rita")
    house.town.groups["@directors"] = {"dora", "dan", "rita"}
    house.settle()
    wait(house, hours=2)
    (entry,) = of_kind(house, run, "approval.escalated")

    assert entry.data["to"] == [ref(house, "dan")]
    for who, why in (("rita", "You asked"), ("dora", "You published")):
        with pytest.raises(NotEligibleError, match=why):
            house.approve(run, by=who)


def test_membership_of_those_let_in_is_read_at_the_click_and_before_the_effect(
    house: Working,
) -> None:
    run = asked(house)
    wait(house, hours=2)
    house.town.groups["@directors"] = {"dan"}
    with pytest.raises(NotEligibleError, match="no longer belong"):
        house.approve(run, by="dora")
    house.approve(run, by="dan")
    house.approve(run, by="sue")
    house.town.groups["@directors"] = set()
    house.settle()

    assert [one.data["reason"] for one in of_kind(house, run, "approval.withdrawn")] == [
        "approver_left"
    ]
    assert house.world.effects == []


def test_whoever_joins_the_group_afterwards_is_not_let_in(house: Working) -> None:
    run = asked(house)
    wait(house, hours=2)
    house.town.groups["@directors"].add("ed")

    with pytest.raises(NotEligibleError, match="You joined after this was asked"):
        house.approve(run, by="ed")


def test_several_escalations_come_each_at_its_time(store: SqlStore, clock: Clock) -> None:
    rules = (
        'stages: [{from: ["@leads"]}], escalate: {after: 2h, to: ["@directors"]}',
        'stages: [{from: ["@security"]}], escalate: {after: 3h, to: ["@deciders"]}',
    )
    house = with_groups(Working(store, clock, policy=policy_of(*rules)))
    run = asked(house)
    wait(house, hours=2)
    first = of_kind(house, run, "approval.escalated")
    wait(house, hours=1)
    both = of_kind(house, run, "approval.escalated")

    assert [(one.data["n"], one.data["stages"]) for one in first] == [(1, [0])]
    assert [(one.data["n"], one.data["stages"]) for one in both] == [(1, [0]), (2, [1])]


def test_a_rule_does_not_open_what_another_rule_asks_for(store: SqlStore, clock: Clock) -> None:
    rules = ('stages: [{from: ["@leads"]}]', TWO_STAGES)
    house = with_groups(Working(store, clock, policy=policy_of(*rules)))
    run = asked(house)
    wait(house, hours=2)
    (entry,) = of_kind(house, run, "approval.escalated")

    assert entry.data["stages"] == [1]
    with pytest.raises(NotEligibleError, match="not your stage's turn"):
        house.approve(run, by="dora")


def test_an_escalation_waits_until_quiet_hours_are_over(store: SqlStore, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)
    text = policy_of(TWO_STAGES).replace(
        "expires: 24h", 'expires: 24h, quiet: {from: "20:00", to: "07:00"}'
    )
    house = with_groups(Working(store, clock, policy=text))
    run = asked(house)
    wait(house, hours=3)
    at_night = of_kind(house, run, "approval.escalated")
    clock.at = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    house.settle()

    assert at_night == []
    assert len(of_kind(house, run, "approval.escalated")) == 1


def test_while_people_cannot_be_read_it_is_tried_again(house: Working) -> None:
    run = asked(house)
    house.town.is_readable = False
    wait(house, hours=2)
    again = [one.at for one in house.due(run) if one.kind is DueKind.ESCALATE]
    house.town.is_readable = True
    wait(house, minutes=1)

    assert again == [house.clock()]
    assert len(of_kind(house, run, "approval.escalated")) == 1


@pytest.mark.parametrize("people", [set(), {f"p{number}" for number in range(101)}])
def test_people_who_could_never_be_let_in_are_found_when_it_is_asked(
    people: set[str], house: Working
) -> None:
    house.town.groups["@directors"] = people
    run = asked(house)

    assert house.status(run) == "exception"
    assert "@directors, who are asked later on," in trouble_of(house, run)


def test_an_escalation_that_adds_nobody_is_not_told(house: Working) -> None:
    house.town.groups["@directors"] = {"rita"}
    run = asked(house)
    wait(house, hours=2)

    assert of_kind(house, run, "approval.escalated") == []
    assert house.request(run).outcome is Outcome.OPEN


def test_the_end_of_a_request_does_not_move(house: Working, clock: Clock) -> None:
    run = asked(house)
    ends = clock() + timedelta(hours=24)
    wait(house, hours=2)

    assert house.request(run).expires_at == ends
