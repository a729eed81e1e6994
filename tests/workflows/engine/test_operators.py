"""An account of the machine acts for the person whom the policy names, and for nobody else."""

import pytest

from storage.store import SqlStore
from tests.world import LOST, POLICY, Clock, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import RunId
from workflows.errors import DefinitionError, NotAllowedError, PeopleUnreadableError
from workflows.loading import load_policy
from workflows.operators import acting, settling
from workflows.orders import Start
from workflows.people import PersonId

DEPLOY = PersonId("os:deploy")
NAMED = POLICY + 'operators: {deploy: "@omar", crew: "@deciders", guest: "@gus"}\n'


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, policy=NAMED)


def test_a_named_account_is_that_person(house: Working) -> None:
    assert acting(DEPLOY, house.policy, house.town) == id_of("omar")
    assert settling(DEPLOY, house.policy, house.town) == id_of("omar")


def test_an_account_that_nobody_named_is_itself_and_settles_nothing(house: Working) -> None:
    stranger = PersonId("os:stranger")

    assert acting(stranger, house.policy, house.town) == stranger
    with pytest.raises(NotAllowedError, match="Nobody knows which person"):
        settling(stranger, house.policy, house.town)


def test_an_account_of_several_people_or_of_a_guest_acts_for_nobody(house: Working) -> None:
    house.town.guests.add("gus")

    for account in ("crew", "guest"):
        with pytest.raises(NotAllowedError, match="not one person"):
            acting(PersonId(f"os:{account}"), house.policy, house.town)


def test_while_slack_is_away_a_named_account_does_nothing(house: Working) -> None:
    house.town.is_readable = False

    with pytest.raises(PeopleUnreadableError):
        acting(DEPLOY, house.policy, house.town)


def in_doubt(house: Working) -> RunId:
    """Have the account start a run itself, as before the policy named a person for it."""
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    order = Start(workflow="change-it", inputs={"by": 5}, trigger="cli", person=DEPLOY)
    run = house.engine.start(order).run
    house.settle()
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    return run


def test_whoever_asked_from_an_account_does_not_say_in_slack_what_became_of_it(
    house: Working,
) -> None:
    run = in_doubt(house)

    with pytest.raises(NotAllowedError, match="someone else"):
        house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.YES)
    house.engine.settle_doubt(run, "change", person=id_of("sam"), happened=Happened.YES)

    assert house.kinds(run)[-1] == "action.resolved"


def test_an_account_that_nobody_named_owns_nothing(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock)
    run = in_doubt(house)

    with pytest.raises(NotAllowedError):
        house.engine.settle_doubt(run, "change", person=DEPLOY, happened=Happened.YES)
    assert house.status(run) == "in_doubt"


@pytest.mark.parametrize("operators", ['{"a b": "@omar"}', "{deploy: omar}", '{"": "@omar"}'])
def test_a_policy_that_names_no_account_or_no_person_is_refused(operators: str) -> None:
    with pytest.raises(DefinitionError):
        load_policy(f"{POLICY}operators: {operators}\n")


def test_a_policy_without_operators_keeps_its_digest() -> None:
    assert b"operators" not in load_policy(POLICY).canonical
