"""Whoever gave an approval may turn it into a denial until it is used, whoever they are by then."""

from datetime import timedelta

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.batches import paying, requests, say
from tests.workflows.engine.gated import asked, assert_sound, of_kind, policy_of, ref, with_groups
from tests.workflows.engine.test_delegation import comes_back, goes
from tests.world import NOON, Clock, Working, id_of, policy_in
from workflows.entry import RunId
from workflows.errors import (
    NotAllowedError,
    NotEligibleError,
    PeopleUnreadableError,
    RequestClosedError,
)
from workflows.gate import Outcome, Verdict
from workflows.orders import Ballot, Refused
from workflows.store import Delivery

# What follows from rules alone is the same on either database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LEADS = 'stages: [{from: ["@leads"], approve: 1}]'
TWO = 'stages: [{from: ["@leads"], approve: 2, deny: 2}]'
AUDITORS = 'roles: {governors: ["@directors"], auditors: ["@security"]}'


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(LEADS)))


@pytest.fixture
def two(store: SqlStore, clock: Clock) -> Working:
    """Give a house in which two have to agree, and one denial is not enough."""
    return with_groups(Working(store, clock, policy=policy_of(TWO)))


def approved(house: Working) -> RunId:
    """Return a run that Ana has approved, and of which nothing has run yet."""
    run = asked(house)
    house.approve(run, by="ana")
    return run


def assert_taken_back(house: Working, run: RunId, *, by: str = "ana") -> None:
    """Take an approval back, which ends the run with nothing done, and a trail that is sound."""
    assert house.deny(run, by=by).tally.outcome is Outcome.DENIED
    house.settle()
    assert house.status(run) == "denied"
    assert house.world.effects == []
    assert_sound(house.store.database)


def test_whoever_left_the_group_may(house: Working) -> None:
    run = approved(house)
    house.town.groups["@leads"].discard("ana")

    assert_taken_back(house, run)


def test_a_click_on_it_that_slack_delivers_once_more_is_no_new_decision(two: Working) -> None:
    click = Ballot(
        request=two.request(run := asked(two)).id,
        person=id_of("ana"),
        verdict=Verdict.APPROVE,
        delivery=Delivery(team="T0", kind="click", key="1"),
    )
    assert two.engine.decide(click).changed
    two.deny(run, by="ana")
    before = two.kinds(run)
    again = two.engine.decide(click)

    assert not again.changed
    assert again.tally.outcome is Outcome.DENIED
    assert two.kinds(run) == before


def test_whoever_left_may_while_others_still_decide(two: Working) -> None:
    run = approved(two)
    two.town.groups["@leads"].discard("ana")

    assert_taken_back(two, run)


def test_whoever_left_says_nothing_else(two: Working) -> None:
    run = approved(two)
    two.town.groups["@leads"] -= {"ana", "ben"}

    assert not two.approve(run, by="ana").changed
    with pytest.raises(NotEligibleError, match="no longer belong"):
        two.deny(run, by="ben")
    assert two.request(run).outcome is Outcome.OPEN


def test_groups_that_cannot_be_read_keep_nobody_from_it(house: Working) -> None:
    run = approved(house)
    house.town.shows_groups = False

    assert_taken_back(house, run)


def test_groups_that_cannot_be_read_keep_everybody_from_all_else(two: Working) -> None:
    run = approved(two)
    two.town.shows_groups = False
    with pytest.raises(PeopleUnreadableError, match="who is in which group"):
        two.deny(run, by="ben")

    assert_taken_back(two, run)


def test_whoever_came_to_act_for_the_requester_may(house: Working) -> None:
    run = approved(house)
    goes(house, "rita", "ana")

    assert_taken_back(house, run)


def test_whom_a_rule_leaves_out_by_now_may(store: SqlStore, clock: Clock) -> None:
    text = policy_of(f'{LEADS}, exclude: ["@interns"]')
    house = with_groups(Working(store, clock, policy=text), interns={"zoe"})
    run = approved(house)
    house.town.groups["@interns"].add("ana")

    assert_taken_back(house, run)


def test_whoever_became_an_auditor_may_and_decides_nothing_else(two: Working) -> None:
    run = approved(two)
    two.policy = policy_in(policy_of(TWO, rest=AUDITORS))
    two.town.groups["@security"] |= {"ana", "ben"}
    with pytest.raises(NotAllowedError, match="You are an auditor"):
        two.deny(run, by="ben")

    assert_taken_back(two, run)


def test_whoever_no_longer_stands_in_may_in_the_place_that_they_took(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")
    house.clock.forward(timedelta(minutes=1))
    comes_back(house, "ana")

    assert_taken_back(house, run, by="dora")
    (denied,) = of_kind(house, run, "approval.denied")
    assert (denied.actor.ref, denied.data["for"]) == (ref(house, "dora"), ref(house, "ana"))


def test_whoever_was_away_and_has_left_may_what_was_said_for_them(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")
    house.town.groups["@leads"].discard("ana")

    assert_taken_back(house, run)


def test_whom_they_let_stand_in_now_may(house: Working) -> None:
    run = approved(house)
    goes(house, "ana", "dora", until=NOON + timedelta(days=1))

    assert_taken_back(house, run, by="dora")


def test_whom_they_let_stand_in_now_may_not_once_they_have_left(two: Working) -> None:
    run = approved(two)
    goes(two, "ana", "dora", until=NOON + timedelta(days=1))
    two.town.groups["@leads"].discard("ana")

    with pytest.raises(NotEligibleError, match="You no longer stand in for somebody who belongs"):
        two.deny(run, by="dora")


def test_an_account_that_cannot_count_may_not(house: Working) -> None:
    run = approved(house)
    house.town.guests.add("ana")

    with pytest.raises(NotEligibleError, match="guests do not decide"):
        house.deny(run, by="ana")


def test_what_was_used_cannot_be_taken_back(house: Working) -> None:
    run = approved(house)
    house.settle()
    house.town.groups["@leads"].discard("ana")

    with pytest.raises(RequestClosedError):
        house.deny(run, by="ana")


def test_items_of_a_batch_are_taken_back_where_groups_cannot_be_read(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock)
    say(house, requests(house, run)[:2], Verdict.APPROVE)
    house.town.shows_groups = False
    said = say(house, requests(house, run), Verdict.DENY)

    assert [one.outcome for one in requests(house, run)] == [
        Outcome.DENIED,
        Outcome.DENIED,
        Outcome.OPEN,
    ]
    assert isinstance(said[2], Refused)
    assert isinstance(said[2].why, PeopleUnreadableError)
    with pytest.raises(PeopleUnreadableError):
        say(house, requests(house, run)[2:], Verdict.DENY)
    assert_sound(database)
