"""Whoever asks beforehand who could approve is told what the bot then really does."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.gated import asked, policy_of, trouble_of, with_groups
from tests.workflows.engine.test_delegation import goes, ref
from tests.world import CHANGE, Clock, Working, definition_in, id_of
from workflows.could_approve import Absence, Away, CouldApprove, could_approve
from workflows.explaining import Given, explain
from workflows.procedure import Procedures
from workflows.separation import Duty

ONE_FOR_TWO = 'stages: [{from: ["@small"]}, {from: ["@small", "@nobody"]}]'
TOO_FEW = 'stages: [{from: ["@leads"], approve: 4}]'
LED_NOWHERE = 'stages: [{from: ["@leads"]}], escalate: {after: 1h, to: ["@nobody"]}'
TOO_LATE = (
    'stages: [{from: ["@leads"]}], expires: 2h,'
    ' hours: {weekdays: [1-5], from: "09:00", to: "17:00"}'
)


def told_before(house: Working, *, away: Away | None = None) -> CouldApprove:
    procedure = Procedures(house.actions).of(definition_in(CHANGE))
    given = Given(inputs={"by": 5}, requester="@rita", at=house.clock())
    (step,) = explain(house.policy, procedure, house.actions, given)
    assert step.told.demand is not None
    bound = {id_of("rita"): Duty.REQUESTER}
    return could_approve(house.town, step.told.demand, bound, at=house.clock(), away=away)


@pytest.mark.parametrize("rule", [ONE_FOR_TWO, TOO_FEW, LED_NOWHERE, TOO_LATE])
def test_a_step_that_would_stop_is_told_to_stop_in_the_same_words(
    store: SqlStore, clock: Clock, rule: str
) -> None:
    clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)  # A Friday.
    house = with_groups(Working(store, clock, policy=policy_of(rule)))
    house.town.groups |= {"@small": {"ben"}, "@nobody": set()}
    told = told_before(house)
    run = asked(house)

    assert house.status(run) == "exception"
    assert told.stops
    assert told.stops in trouble_of(house, run)


def test_a_step_that_would_be_asked_about_is_not_told_to_stop(
    store: SqlStore, clock: Clock
) -> None:
    house = with_groups(Working(store, clock, policy=policy_of(TOO_LATE)))
    told = told_before(house)
    run = asked(house)

    assert house.status(run) == "waiting"
    assert told.stops == ""
    assert [[one.name for one in stage.people or ()] for stage in told.stages] == [["ana", "ben"]]


def test_whoever_acts_for_somebody_a_rule_leaves_out_is_told_as_left_out(
    store: SqlStore, clock: Clock
) -> None:
    rule = 'stages: [{from: ["@leads"]}], exclude: ["@ana"]'
    house = with_groups(Working(store, clock, policy=policy_of(rule)))
    until = house.clock() + timedelta(days=1)
    told = told_before(house, away={id_of("ana"): Absence(until=until, stand_in=id_of("ben"))})

    (stage,) = told.stages
    assert {one.name: duty for one, duty in stage.left_out.items()} == {
        "ana": Duty.RULE,
        "ben": Duty.DELEGATE,
    }
    assert "0 people who may decide this" in told.stops


def test_whoever_acts_for_the_requesters_stand_in_is_told_as_left_out(
    store: SqlStore, clock: Clock
) -> None:
    house = with_groups(Working(store, clock, policy=policy_of('stages: [{from: ["@leads"]}]')))
    until, chain = house.clock() + timedelta(days=1), {"rita": "dora", "dora": "ben"}
    for giver, stand_in in chain.items():
        goes(house, giver, stand_in, until=until)
    said = {id_of(one): Absence(until=until, stand_in=id_of(to)) for one, to in chain.items()}
    (stage,) = told_before(house, away=said).stages
    run = asked(house)

    assert [one.name for one in stage.people or ()] == ["ana"]
    assert house.request(run).stages[0].people == {ref(house, "ana")}
