"""Whoever decides before it is their turn is told when it will be, in whatever place they are."""

from collections.abc import Iterable

import pytest

from storage.store import SqlStore
from tests.workflows.engine.gated import asked, assert_sound, policy_of, with_groups
from tests.workflows.engine.test_delegation import goes
from tests.world import Clock, Working, id_of
from workflows.errors import NotEligibleError, OutsideHoursError
from workflows.gate import Outcome

# What follows from rules alone is the same on either database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

IN_TURN = 'stages: [{from: ["@leads"]}, {from: ["@directors"]}, {from: ["@security"]}]'
SIDE_BY_SIDE = (
    'stages: [{all: [{from: ["@leads"]}, {from: ["@security"]}]}, {from: ["@directors"]}]'
)
NIGHT = 'hours: {from: "22:00", to: "23:00"}'


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, policy=policy_of(IN_TURN)))


@pytest.fixture
def beside(store: SqlStore, clock: Clock) -> Working:
    """Give a house in which the first turn has two parts."""
    return with_groups(Working(store, clock, policy=policy_of(SIDE_BY_SIDE)))


def by_pseudonym(house: Working, names: Iterable[str]) -> list[str]:
    """Return people in the order in which their places are taken."""
    with house.store.begin() as unit:
        return sorted(names, key=lambda one: unit.ref(id_of(one), one))


def test_whoever_is_asked_later_hears_when_their_stage_begins(house: Working) -> None:
    run = asked(house)

    with pytest.raises(NotEligibleError) as told:
        house.approve(run, by="sue")
    assert str(told.value) == (
        "It is not your stage's turn yet: stage 3 begins once enough of @leads and of @directors"
        " have agreed. It waits for @leads. You can reject it now already."
    )
    house.approve(run, by="ana")
    with pytest.raises(NotEligibleError, match=r"stage 3 begins once enough of @directors have"):
        house.approve(run, by="sue")


def test_whoever_stands_in_for_somebody_asked_later_hears_when_that_stage_begins(
    house: Working,
) -> None:
    goes(house, "dora", "zoe")
    run = asked(house)

    with pytest.raises(NotEligibleError) as told:
        house.approve(run, by="zoe")
    assert told.value.why == "turn"
    assert str(told.value) == (
        "Whoever you stand in for is asked in stage 2, which begins once enough of @leads have"
        " agreed. It waits for @leads. You can reject it now already."
    )
    house.approve(run, by="ana")
    assert house.approve(run, by="zoe").tally.waiting == (2,)


def test_they_hear_it_whatever_they_cannot_say_in_their_own_place(beside: Working) -> None:
    goes(beside, "dora", "ben")
    run = asked(beside)
    beside.approve(run, by="ana")

    with pytest.raises(NotEligibleError, match="in stage 2, which begins once enough of @security"):
        beside.approve(run, by="ben")
    beside.approve(run, by="sue")
    assert beside.approve(run, by="ben").tally.outcome is Outcome.APPROVED
    assert_sound(beside.store.database)


def test_they_hear_it_where_somebody_else_spoke_for_them(store: SqlStore, clock: Clock) -> None:
    text = IN_TURN.replace('"@leads"]', '"@leads"], approve: 2')
    house = with_groups(Working(store, clock, policy=policy_of(text)))
    goes(house, "ana", "zoe")
    goes(house, "dora", "ana")
    run = asked(house)
    house.approve(run, by="zoe")

    with pytest.raises(NotEligibleError, match="in stage 2, which begins once enough of @leads"):
        house.approve(run, by="ana")


def test_they_hear_it_whomever_else_they_stand_in_for(beside: Working) -> None:
    first, *others = by_pseudonym(beside, ["ben", "dora", "dan", "sid"])
    # Of all the places of Zoe, one that is done with comes before the one that is to come.
    done = first if first in {"ben", "sid"} else "ben"
    later = next(one for one in ("dora", "dan") if one in {first, *others})
    goes(beside, done, "zoe")
    goes(beside, later, "zoe")
    run = asked(beside)
    beside.approve(run, by={"ben": "ana", "sid": "sue"}[done])

    with pytest.raises(NotEligibleError, match="is asked in stage 2, which begins once"):
        beside.approve(run, by="zoe")


def test_a_place_whose_owner_has_left_hides_none_that_is_to_come(house: Working) -> None:
    goes(house, "ana", "zoe")
    goes(house, "dora", "zoe")
    run = asked(house)
    house.town.groups["@leads"].discard("ana")

    with pytest.raises(NotEligibleError, match="in stage 2, which begins once enough of @leads"):
        house.approve(run, by="zoe")


def test_the_hour_is_told_of_the_place_whose_turn_it_is(store: SqlStore, clock: Clock) -> None:
    house = with_groups(Working(store, clock, policy=policy_of(f"{IN_TURN}, {NIGHT}")))
    goes(house, "ana", "dora")
    run = asked(house)

    with pytest.raises(OutsideHoursError, match="only"):
        house.approve(run, by="dora")


def test_they_may_reject_it_before_that(house: Working) -> None:
    goes(house, "dora", "zoe")
    run = asked(house)

    assert house.deny(run, by="zoe").tally.outcome is Outcome.DENIED
