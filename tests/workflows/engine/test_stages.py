"""Stages are decided in turn; parts of one turn side by side; one person counts once."""

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.gated import (
    asked,
    assert_sound,
    of_kind,
    policy_of,
    ref,
    trouble_of,
    with_groups,
)
from tests.world import CHANGE, Clock, Working
from workflows.errors import NotEligibleError
from workflows.gate import Outcome

SIDE_BY_SIDE = (
    'stages: [{all: [{from: ["@leads"]}, {from: ["@security"], deny: 2}]}, {from: ["@directors"]}]'
)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(SIDE_BY_SIDE)))


def test_parts_of_one_turn_may_be_decided_in_any_order(house: Working, database: Database) -> None:
    run = asked(house)
    for who in ("sue", "ben", "dora"):
        house.approve(run, by=who)
    house.settle()

    assert [one.data["stage"] for one in of_kind(house, run, "approval.granted")] == [1, 0, 2]
    assert house.status(run) == "done"
    assert_sound(database)


def test_what_comes_after_a_turn_waits_for_every_part_of_it(house: Working) -> None:
    run = asked(house)
    house.approve(run, by="ana")

    with pytest.raises(NotEligibleError, match="turn yet"):
        house.approve(run, by="dora")


def test_a_part_that_has_enough_needs_no_more(house: Working) -> None:
    run = asked(house)
    house.approve(run, by="ana")

    with pytest.raises(NotEligibleError, match="Enough of those asked with you"):
        house.approve(run, by="ben")


def test_the_entry_says_which_stages_share_a_turn(house: Working) -> None:
    run = asked(house)
    (entry,) = of_kind(house, run, "approval.requested")
    stages = entry.data["stages"]

    assert isinstance(stages, list)
    assert [one.get("turn") for one in stages if isinstance(one, dict)] == [0, 0, None]


def test_whoever_is_in_two_parts_takes_the_one_that_leaves_enough_for_the_other(
    house: Working, database: Database
) -> None:
    house.town.groups["@leads"] = {"ana", "ben"}
    house.town.groups["@security"] = {"ana"}
    run = asked(house)
    house.approve(run, by="ana")
    (entry,) = of_kind(house, run, "approval.granted")

    assert entry.data["stage"] == 1
    house.approve(run, by="ben")
    house.approve(run, by="dan")
    assert house.request(run).outcome is Outcome.APPROVED
    assert_sound(database)


def test_whoever_is_needed_later_is_not_used_up_now(house: Working) -> None:
    house.town.groups["@directors"] = {"ana"}
    run = asked(house)

    with pytest.raises(NotEligibleError, match="You are needed for @directors later"):
        house.approve(run, by="ana")
    house.approve(run, by="ben")
    house.approve(run, by="sue")
    house.approve(run, by="ana")
    assert house.request(run).outcome is Outcome.APPROVED


def test_stages_that_share_too_few_people_are_refused_when_asked(house: Working) -> None:
    house.town.groups["@leads"] = house.town.groups["@security"] = {"ana"}
    run = asked(house)

    assert house.status(run) == "exception"
    assert "One person counts once, and @security has too few people" in trouble_of(house, run)


def test_a_rejection_counts_where_it_weighs_most(house: Working) -> None:
    house.town.groups["@security"] = {"ana", "sue"}
    run = asked(house)
    house.deny(run, by="ana")

    assert house.request(run).outcome is Outcome.DENIED  # Of the leads one is enough.


def test_a_part_may_want_several_rejections(house: Working) -> None:
    run = asked(house)
    house.deny(run, by="sue")

    assert house.request(run).outcome is Outcome.OPEN
    house.deny(run, by="sid")
    assert house.request(run).outcome is Outcome.DENIED


def test_a_reminder_goes_to_every_part_that_lacks_approvals(store: SqlStore, clock: Clock) -> None:
    text = policy_of(f"{SIDE_BY_SIDE}, remind: [1h]")
    house = with_groups(Working(store, clock, policy=text))
    run = asked(house)
    house.approve(run, by="ana")
    clock.at = clock.at.replace(hour=13)
    house.settle()
    (entry,) = of_kind(house, run, "approval.reminded")

    assert entry.data["to"] == sorted(ref(house, one) for one in ("sue", "sid"))


def test_a_definition_may_want_parts_decided_side_by_side_too(
    store: SqlStore, clock: Clock
) -> None:
    wish = '    approval: {stages: [{all: [{from: ["@leads"]}, {from: ["@security"]}]}]}\n'
    text = CHANGE.replace("    effect: destructive\n", f"    effect: destructive\n{wish}")
    policy = policy_of('stages: [{from: ["@directors"]}]')
    house = with_groups(Working(store, clock, definitions=(text,), policy=policy))
    run = asked(house)
    for who in ("dora", "sid", "ana"):
        house.approve(run, by=who)

    assert house.request(run).outcome is Outcome.APPROVED


@pytest.mark.parametrize(
    "rule",
    [
        'stages: [{from: ["@leads"]}, {from: ["@directors"]}, {from: ["@leads"]}]',
        'stages: [{all: [{from: ["@leads"]}, {from: ["@leads"]}]}, {from: ["@directors"]}]',
    ],
)
def test_a_rule_that_names_a_group_twice_asks_two_of_it(
    store: SqlStore, clock: Clock, database: Database, rule: str
) -> None:
    house = with_groups(Working(store, clock, policy=policy_of(rule)))
    run = asked(house)
    house.approve(run, by="ana")
    with pytest.raises(NotEligibleError, match="turn"):
        house.approve(run, by="dora")
    house.approve(run, by="ben")
    house.approve(run, by="dora")
    house.settle()

    assert house.status(run) == "done"
    assert_sound(database)
