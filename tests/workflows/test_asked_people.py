"""How many people can be asked at once, over all stages, and who acts for whom."""

from datetime import timedelta

import pytest

from tests.world import Town, id_of
from workflows.asked_people import people_of, with_stand_ins
from workflows.demand import Demand, DemandStage
from workflows.errors import NoApproverError
from workflows.gate import MOST_PEOPLE
from workflows.separation import Duty


def asked(*sizes: int, left_out: int = 0) -> int:
    """Return how many are asked in stages of so many people, so many more of the first left out."""
    town = Town()
    town.groups["@barred"] = {f"barred{one}" for one in range(left_out)}
    for stage, size in enumerate(sizes):
        town.groups[f"@stage{stage}"] = {f"s{stage}n{one}" for one in range(size)}
    town.groups["@stage0"] |= town.groups["@barred"]
    demand = Demand(
        stages=tuple(
            DemandStage(asked=(f"@stage{stage}",), approve=1, deny=1) for stage in range(len(sizes))
        ),
        expires=timedelta(hours=1),
        remind=(),
        needs_reason=False,
        rules=("rule",),
        exclude=("@barred",),
    )
    return sum(map(len, people_of(town, demand, {}).stages))


def test_as_many_as_an_entry_holds_can_be_asked_and_no_more() -> None:
    assert asked(MOST_PEOPLE) == MOST_PEOPLE
    assert asked(MOST_PEOPLE - 1, 1, left_out=MOST_PEOPLE) == MOST_PEOPLE
    for sizes, left_out in (
        ((MOST_PEOPLE + 1,), 0),
        ((MOST_PEOPLE, 1), 0),
        ((1,), MOST_PEOPLE + 1),
    ):
        with pytest.raises(NoApproverError, match="More than 100 people"):
            asked(*sizes, left_out=left_out)


def test_who_acts_for_whom_is_followed_once_around_and_changes_nobodys_own_duty() -> None:
    ana, ben, cleo = id_of("ana"), id_of("ben"), id_of("cleo")
    bound = {ana: Duty.EDITOR, cleo: Duty.REQUESTER}
    around = {ana: ben, ben: cleo, cleo: ana}

    assert with_stand_ins(bound, [ana], around.get) == {**bound, ben: Duty.DELEGATE}
