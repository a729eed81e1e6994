"""What is said of a workflow that has yet to earn to run unwatched."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.version_readiness import read_readiness, readiness_data, readiness_lines
from tests.stores import opened
from tests.workflows.engine.gated import asked, of_kind, wait, with_groups
from tests.workflows.engine.trials import BAR, WRITES, activated, fails, policy_with, runs
from tests.world import Clock, Working, id_of, policy_in
from workflows.entry import RequestId
from workflows.questioning import Answer


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[Working]:
    clock = Clock()
    with opened(sqlite_url, tmp_path, clock) as store:
        made = Working(store, clock, definitions=(WRITES,), policy=policy_with())
        yield activated(with_groups(made))


def lines(house: Working) -> list[str]:
    definition = house.shelf.active("change-it")
    stands = read_readiness(house.store.database, house.policy, definition, now=house.clock())
    json.dumps(readiness_data(stands))
    return list(readiness_lines(stands))


def test_it_is_told_what_is_missing_what_is_left_and_what_failed(house: Working) -> None:
    fails(house)
    runs(house)
    told = lines(house)

    assert "is on trial" in told[0]
    assert told[1] == "1 clean run in a row since 2026-03-02 12:00 UTC, on 1 different input."
    assert told[2] == (
        "Missing: 1 more clean run in a row (1 of 2) and 1 more different input (1 of 2)."
    )
    assert told[3] == "Error budget: 0 of 0 failures left, over the last 10 runs."
    assert "at change (world.change)" in told[5]


def test_what_was_earned_is_told_and_what_was_just_lost(house: Working) -> None:
    runs(house, 1)
    runs(house, 2)
    assert "is unattended" in lines(house)[0]
    fails(house)

    told = lines(house)
    assert "is on trial" in told[0]
    assert told[2] == "Missing: all of it, since that was lost just now."


def test_without_a_bar_there_is_nothing_to_earn(house: Working) -> None:
    house.policy = house.policy.model_copy(update={"production": None})

    assert lines(house) == [
        "The policy has no bar for production, so no version has anything to earn."
    ]


def test_what_people_did_beside_its_runs_in_shadow_is_told(house: Working) -> None:
    house.policy = policy_in(policy_with(BAR.replace("runs: 2", "shadow: [change-it], runs: 2", 1)))
    for values in ({"did": "same"}, {"did": "differs", "why": "half of it"}):
        wait(house, minutes=1)
        run = asked(house)
        request = RequestId(str(of_kind(house, run, "question.asked")[-1].data["request"]))
        house.engine.answer(Answer(run=run, request=request, person=id_of("omar"), values=values))
        house.settle()
    *_, starts, agreed, _, last = lines(house)

    assert starts == "Its runs start in shadow: they read and plan, and change nothing."
    assert agreed == "In shadow people did as planned in 1 of 2 runs."
    assert last.endswith(f"{run}  change was done otherwise")
