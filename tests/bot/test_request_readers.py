"""What does not stand on a card is read by those with a part in the request, and by viewers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.desk import Desk
from bot.payloads import Caller
from bot.request_readers import admit_reader
from tests.workflows.engine.gated import asked, policy_of
from tests.workflows.policy_fields.harness import Bench
from tests.world import Working, id_of
from workflows.delegating import NewDelegation
from workflows.entry import RunId
from workflows.errors import NotAllowedError
from workflows.people import Person, PersonId
from workflows.roles import RolesNow

ROLES = 'roles: {governors: ["@directors"], viewers: ["@security"]}\n'
GLASS = 'break_glass: {people: ["@owners"], by: ["@directors"]}\n'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    with Bench(tmp_path_factory.mktemp("readers")) as bench:
        yield bench.house(policy_of('stages: [{from: ["@leads"]}]', rest=ROLES + GLASS))


@pytest.fixture(scope="module")
def run(house: Working) -> RunId:
    return asked(house)


def reads(house: Working, run: RunId, name: str, **changes: Any) -> None:  # noqa: ANN401 - a field.
    def person(who: PersonId) -> Person:
        return replace(house.town.person(who), **changes)

    desk = SimpleNamespace(
        directory=SimpleNamespace(person=person, members=house.town.members),
        store=house.store,
        roles=RolesNow(policy=house.policy, people=house.town),
        now=house.clock,
    )
    caller = SimpleNamespace(person=id_of(name))
    admit_reader(cast("Desk", desk), cast("Caller", caller), house.request(run))


@pytest.mark.parametrize("name", ["rita", "ana", "omar", "sue"])
def test_requester_approver_whoever_has_the_glass_and_viewers_do(
    house: Working, run: RunId, name: str
) -> None:
    reads(house, run, name)


def test_everybody_else_is_told_which_role_is_missing(house: Working, run: RunId) -> None:
    with pytest.raises(NotAllowedError, match="needs the role viewer"):
        reads(house, run, "yan")


def test_whoever_stands_in_for_an_approver_does(house: Working, run: RunId) -> None:
    until = house.clock() + timedelta(days=1)
    house.engine.delegate(NewDelegation(giver=id_of("ben"), stand_in=id_of("zoe"), until=until))

    reads(house, run, "zoe")


def test_whoever_decided_in_anothers_place_does_for_as_long_as_it_is_shown(
    house: Working,
) -> None:
    until = house.clock() + timedelta(days=1)
    house.engine.delegate(NewDelegation(giver=id_of("ana"), stand_in=id_of("yan"), until=until))
    decided = asked(house)
    house.approve(decided, by="yan")
    house.clock.forward(timedelta(minutes=1))
    word = house.store.delegation_by(id_of("ana"), at=house.clock())
    assert word is not None
    house.engine.come_back(id_of("ana"), entry=word.entry)

    reads(house, decided, "yan")


def test_nobody_of_another_workspace_does_even_if_they_are_asked(
    house: Working, run: RunId
) -> None:
    with pytest.raises(NotAllowedError, match="another workspace"):
        reads(house, run, "ana", is_foreign=True)
