"""Whoever has another part in it does not decide, whatever group they belong to."""

from datetime import timedelta

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
    with_groups,
)
from tests.world import Clock, Working, id_of
from workflows.delegating import NewDelegation
from workflows.entry import RunId
from workflows.errors import DefinitionError, NotEligibleError
from workflows.loading import load_policy

LEADS = 'stages: [{from: ["@leads"]}]'


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(LEADS)), leads={"ana", "ben", "rita"})


def acting_for(house: Working, arrangements: dict[str, str]) -> None:
    """Let people act for others."""
    until = house.clock() + timedelta(days=4)
    for who, giver in arrangements.items():
        word = NewDelegation(giver=id_of(giver), stand_in=id_of(who), until=until)
        house.engine.delegate(word)


def duties(house: Working, run: RunId) -> dict[object, object]:
    (entry,) = of_kind(house, run, "approval.requested")
    excluded, told = entry.data["excluded"], entry.data["duties"]
    assert isinstance(excluded, list)
    assert isinstance(told, list)
    return dict(zip(excluded, told, strict=True))


def test_the_requester_does_not_decide(house: Working) -> None:
    run = asked(house)

    assert duties(house, run) == {ref(house, "rita"): "requester"}
    with pytest.raises(NotEligibleError, match="You asked for this"):
        house.approve(run, by="rita")


@pytest.mark.trap(8)
def test_whoever_published_what_runs_does_not_decide(house: Working, database: Database) -> None:
    publish(house, by="ana")
    run = asked(house)

    assert duties(house, run) == {ref(house, "rita"): "requester", ref(house, "ana"): "editor"}
    with pytest.raises(NotEligibleError, match="You published what runs here"):
        house.approve(run, by="ana")
    house.approve(run, by="ben")
    house.settle()
    assert house.status(run) == "done"
    assert_sound(database)


def test_whoever_published_another_version_may(house: Working) -> None:
    publish(house, by="ben")
    house.shelf.put(house.shelf.active("change-it").canonical.decode().replace("Change the", "A"))
    run = asked(house)

    house.approve(run, by="ben")


def test_whoever_acts_for_the_requester_or_the_publisher_does_not_decide(house: Working) -> None:
    publish(house, by="omar")
    acting_for(house, {"ana": "rita", "sue": "omar"})
    run = asked(house)

    assert duties(house, run)[ref(house, "ana")] == "delegate"
    assert duties(house, run)[ref(house, "sue")] == "delegate"
    with pytest.raises(NotEligibleError, match="You act for somebody"):
        house.approve(run, by="ana")


def test_whoever_comes_to_act_for_the_requester_later_does_not_decide(house: Working) -> None:
    run = asked(house)
    acting_for(house, {"ana": "rita"})

    with pytest.raises(NotEligibleError, match="You act for somebody"):
        house.approve(run, by="ana")


def test_whoever_comes_to_act_for_the_requester_before_the_effect_counts_no_more(
    house: Working,
) -> None:
    run = asked(house)
    house.approve(run, by="ana")
    acting_for(house, {"ana": "rita"})
    house.settle()

    assert [one.data["reason"] for one in of_kind(house, run, "approval.withdrawn")] == [
        "approver_left"
    ]
    assert house.world.effects == []


def test_a_rule_leaves_a_group_out(store: SqlStore, clock: Clock, database: Database) -> None:
    text = policy_of(f'{LEADS}, exclude: ["@interns"]')
    house = with_groups(Working(store, clock, policy=text), interns={"ana", "zoe"})
    run = asked(house)

    # Of the group only those are named who would have been asked.
    assert duties(house, run) == {ref(house, "rita"): "requester", ref(house, "ana"): "rule"}
    with pytest.raises(NotEligibleError, match="The policy leaves you out"):
        house.approve(run, by="ana")
    house.approve(run, by="ben")
    house.settle()
    assert house.status(run) == "done"
    assert_sound(database)


def test_whoever_acts_for_somebody_a_rule_leaves_out_is_not_asked(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    text = policy_of(f'{LEADS}, exclude: ["@interns"]')
    house = with_groups(Working(store, clock, policy=text), interns={"ana"})
    house.town.groups["@leads"].add("cara")
    acting_for(house, {"ben": "ana"})
    run = asked(house)

    assert duties(house, run)[ref(house, "ben")] == "delegate"
    word = house.store.delegation_by(id_of("ana"), at=house.clock())
    assert word is not None
    house.engine.come_back(id_of("ana"), entry=word.entry)
    # Being back does not give the vote.
    with pytest.raises(NotEligibleError, match="You act for somebody"):
        house.approve(run, by="ben")
    assert_sound(database)


def test_a_request_that_only_such_a_one_could_decide_is_not_made(
    store: SqlStore, clock: Clock
) -> None:
    text = policy_of(f'{LEADS}, exclude: ["@interns"]')
    house = with_groups(Working(store, clock, policy=text), interns={"ana"})
    acting_for(house, {"ben": "ana"})
    run = asked(house)

    assert house.status(run) == "exception"
    assert "whoever acts for one of these" in trouble_of(house, run)


@pytest.mark.parametrize("moment", ["before the click", "before the effect"])
def test_whoever_joins_a_group_that_is_left_out_counts_no_more(
    moment: str, store: SqlStore, clock: Clock
) -> None:
    text = policy_of(f'{LEADS}, exclude: ["@interns"]')
    house = with_groups(Working(store, clock, policy=text), interns={"zoe"})
    run = asked(house)
    if moment == "before the effect":
        house.approve(run, by="ana")
        house.town.groups["@interns"].add("ana")
        house.settle()

        assert house.world.effects == []
        return
    house.town.groups["@interns"].add("ana")

    with pytest.raises(NotEligibleError, match="The policy leaves you out"):
        house.approve(run, by="ana")


def test_a_stage_that_has_too_few_left_says_who_is_left_out(house: Working) -> None:
    house.town.groups["@leads"] = {"rita", "ana"}
    publish(house, by="ana")
    run = asked(house)

    assert house.status(run) == "exception"
    assert trouble_of(house, run) == (
        "@leads has 0 people who may decide this, and 1 must agree, without whoever published "
        "the workflow and whoever asked for it. Add people to the group, then retry the step."
    )


def test_no_word_of_a_policy_lets_the_requester_decide() -> None:
    with pytest.raises(DefinitionError, match="separation: is not known here"):
        load_policy(policy_of(LEADS, rest="separation: []"))
