"""A step that reaches further than the policy lets pass counts as a graver one."""

import pytest

from storage.store import SqlStore
from tests.workflows.engine.test_budgets import ASKS_NOBODY
from tests.world import POLICY, Clock, Working
from workflows.errors import DefinitionError
from workflows.loading import load_policy

BLAST = """
blast_radius:
  - {name: by the plan, when: action == "world.change" && plan.by > 100}
  - {name: by what is asked, when: inputs.by == 77}
"""


def a_house(store: SqlStore, clock: Clock, more: str) -> Working:
    return Working(store, clock, definitions=(ASKS_NOBODY,), policy=POLICY + more)


def asked(house: Working, by: int) -> str:
    run = house.start("just-change", {"by": by})
    house.settle()
    return run


@pytest.mark.parametrize("by", [101, 77])
def test_a_change_that_reaches_far_is_asked_about_and_recorded_as_destructive(
    store: SqlStore, clock: Clock, by: int
) -> None:
    house = a_house(store, clock, BLAST)
    run = asked(house, by)
    waits = house.status(run)
    house.approve(run)
    house.settle()
    intended = next(one for one in house.entries(run) if one.kind == "action.intended")

    assert (waits, house.status(run)) == ("waiting", "done")
    assert intended.data["effect"] == "destructive"
    assert intended.data["request"] is not None


def test_what_reaches_less_far_goes_on_as_it_did(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BLAST)
    run = asked(house, 100)

    assert house.status(run) == "done"


def test_a_condition_without_a_value_counts_as_true(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, "blast_radius: [{name: odd, when: plan.rows > 5}]\n")

    assert house.status(asked(house, 1)) == "waiting"


def test_a_far_reach_that_nobody_is_asked_about_does_not_run(store: SqlStore, clock: Clock) -> None:
    policy = POLICY.replace('effect == "destructive"', 'workflow == "another"')
    house = Working(store, clock, definitions=(ASKS_NOBODY,), policy=policy + BLAST)
    run = asked(house, 101)

    assert house.status(run) == "exception"
    assert house.world.effects == []


def test_a_mistake_in_it_is_found_when_the_policy_is_read() -> None:
    with pytest.raises(DefinitionError, match="plann"):
        load_policy(POLICY + "blast_radius: [{name: odd, when: plann.rows > 5}]\n")
