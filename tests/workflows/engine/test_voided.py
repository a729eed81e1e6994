"""What was approved is what runs; anything else asks again."""

import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pytest

from storage.retention.person import erase
from storage.store import SqlStore
from tests.world import CHANGE, POLICY, UNREACHABLE, Clock, Working, failing, id_of
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import (
    PeopleUnreadableError,
    RequestClosedError,
    StorageUnavailableError,
)
from workflows.gate import Outcome, Verdict
from workflows.loading import load_policy
from workflows.orders import Ballot
from workflows.people_store import AskedNow


def asked(house: Working) -> str:
    run = house.start()
    house.settle()
    return run


def withdrawn(house: Working, run: str) -> list[str]:
    return [
        str(one.data["reason"]) for one in house.entries(run) if one.kind == "approval.withdrawn"
    ]


def test_a_condition_that_is_no_longer_true_voids_the_approval(house: Working) -> None:
    run = asked(house)
    house.world.number = 1000
    house.approve(run)
    house.settle()

    assert withdrawn(house, run) == ["facts_changed"]
    assert house.world.effects == []
    assert house.status(run) == "done"  # Nothing was left to do.


def test_a_changed_policy_asks_again(house: Working) -> None:
    run = asked(house)
    house.policy = load_policy(POLICY.replace("24h", "12h"))
    house.approve(run)
    house.settle()

    assert withdrawn(house, run) == ["policy_changed"]
    assert house.world.effects == []
    assert house.status(run) == "waiting"
    (asked_first, _) = [one for one in house.entries(run) if one.kind == "approval.requested"]
    (void,) = [one for one in house.entries(run) if one.kind == "approval.withdrawn"]
    assert [void.data[name] for name in ("request", "binding")] == [
        asked_first.data[name] for name in ("request", "binding")
    ]


def test_an_approver_who_left_the_group_no_longer_counts(house: Working) -> None:
    house.town.is_readable = True
    run = asked(house)
    house.approve(run, by="ana")
    house.town.groups["@deciders"].discard("ana")
    house.settle()

    assert withdrawn(house, run) == ["approver_left"]
    assert house.world.effects == []


def test_an_approver_who_leaves_while_facts_are_read_again_no_longer_counts(
    house: Working,
) -> None:
    run = asked(house)
    house.approve(run, by="ana")
    house.world.trouble = lambda _: house.town.groups["@deciders"].discard("ana")
    house.settle()

    assert withdrawn(house, run) == ["approver_left"]
    assert house.world.effects == []


@pytest.mark.parametrize("how", ["left", "erased"])
def test_nothing_is_read_again_for_an_approver_who_is_gone(house: Working, how: str) -> None:
    run = asked(house)
    house.approve(run, by="ana")
    if how == "left":
        house.town.groups["@deciders"].discard("ana")
    else:
        with house.store.begin() as unit:
            ana = unit.ref(id_of("ana"))
        erase(house.store, ana, policy="0" * 64, by_run=run)
    house.settle()
    kinds = house.kinds(run)
    ends = kinds.index("approval.withdrawn")

    assert withdrawn(house, run) == ["approver_left"]
    assert kinds[ends - 1] == "approval.granted"
    assert house.world.effects == []


BY_SEVEN = CHANGE.replace("    when: steps.look.output.value < 1000\n", "").replace(
    "steps.look.output.value + inputs.by", "7"
)


@pytest.mark.parametrize(("text", "looks"), [(CHANGE, [1, 2]), (BY_SEVEN, [1])])
def test_who_approved_is_looked_at_before_an_effect_and_before_reads(
    text: str, looks: list[int], store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Working(store, clock, definitions=(text,))
    run = asked(house)
    house.approve(run, by="ana")
    seen: list[int] = []
    look = store.asked_now

    def seen_after(request: RequestId, *, at: datetime, people: Collection[Ref]) -> AskedNow:
        seen.append(house.world.reads)
        return look(request, at=at, people=people)

    monkeypatch.setattr(store, "asked_now", seen_after)
    house.settle()

    assert seen == looks
    assert house.world.effects == [f"{run}/change"]


def test_an_effect_waits_while_slack_cannot_say_who_is_who(house: Working) -> None:
    run = asked(house)
    house.approve(run)
    house.town.is_readable = False
    house.settle()

    assert house.world.effects == []
    assert withdrawn(house, run) == []

    house.town.is_readable = True
    house.clock.forward(timedelta(seconds=20))
    house.settle()

    assert house.status(run) == "done"


def test_a_database_that_is_away_while_an_approval_is_judged_does_not_void_it(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked(house)
    house.approve(run)
    with monkeypatch.context() as away:
        away.setattr(house.store, "asked_now", failing_with(StorageUnavailableError("It is away.")))
        with pytest.raises(StorageUnavailableError):
            house.settle()
    house.sweep()

    assert withdrawn(house, run) == []
    assert house.status(run) == "done"


def failing_with(error: Exception) -> Callable[..., None]:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


def test_an_approval_that_is_not_used_in_time_is_void(house: Working) -> None:
    run = asked(house)
    house.approve(run)
    house.clock.forward(timedelta(hours=25))
    house.settle()

    assert withdrawn(house, run) == ["approval_expired"]
    assert house.world.effects == []


def test_a_request_expires_and_the_run_ends(house: Working) -> None:
    run = asked(house)
    house.clock.forward(timedelta(hours=24))
    house.settle()

    assert house.request(run).outcome is Outcome.EXPIRED
    assert house.status(run) == "expired"


def test_a_click_at_the_second_of_expiry_comes_too_late(house: Working) -> None:
    run = asked(house)
    house.clock.forward(timedelta(hours=24))

    with pytest.raises(RequestClosedError, match="expired"):
        house.approve(run)


def test_nothing_is_decided_while_groups_cannot_be_read(house: Working) -> None:
    run = asked(house)
    house.town.is_readable = False

    with pytest.raises(PeopleUnreadableError):
        house.engine.decide(ballot(house, run))

    assert house.kinds(run)[-1] == "approval.requested"


def ballot(house: Working, run: RunId) -> Ballot:
    return Ballot(request=house.request(run).id, person=id_of("ana"), verdict=Verdict.APPROVE)


def test_an_approver_may_turn_an_approval_nobody_used_into_a_denial(house: Working) -> None:
    run = asked(house)
    house.approve(run, by="ana")
    house.deny(run, by="ana")
    house.settle()

    assert house.status(run) == "denied"
    assert house.world.effects == []


def test_an_attempt_that_certainly_did_not_happen_shares_its_approval(house: Working) -> None:
    house.world.trouble = failing("before", UNREACHABLE)
    run = asked(house)
    house.approve(run)
    house.settle()
    house.clock.forward(timedelta(minutes=2))
    house.settle()

    assert house.status(run) == "done"
    assert house.kinds(run).count("approval.requested") == 1
    assert house.kinds(run).count("action.intended") == 2


DOUBLES = CHANGE.replace('"${{ inputs.by }}"', '"${{ steps.look.output.value }}"')


def test_the_difference_is_shown_when_it_is_asked_again(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(DOUBLES,))
    run = asked(house)
    house.world.number = 12
    house.approve(run)
    house.settle()
    (_, again) = [one for one in house.entries(run) if one.kind == "approval.requested"]
    preview = again.parts["preview"].value

    assert withdrawn(house, run) == ["plan_changed"]
    assert preview is not None
    assert json.loads(preview)["changed"] == ["headline: change number by 10 → change number by 12"]


def test_what_the_policy_demands_by_the_time_of_the_effect_counts(
    store: SqlStore, clock: Clock
) -> None:
    night = '  - {name: nights, when: hour >= 20, stages: [{from: ["@directors"]}]}\n'
    house = Working(store, clock, policy=POLICY + night)
    clock.at = clock.at.replace(hour=19, minute=58)
    run = asked(house)
    house.approve(run, by="ana")
    house.clock.forward(timedelta(minutes=5))
    house.settle()
    again = house.request(run)

    assert withdrawn(house, run) == ["demand_grew"]
    assert house.world.effects == []
    assert [one.groups for one in again.stages] == [("@deciders",), ("@directors",)]
    house.approve(run, by="ana")
    house.approve(run, by="dora")
    house.settle()
    assert house.status(run) == "done"


def test_at_an_hour_for_which_the_policy_asks_nobody_nothing_runs(
    store: SqlStore, clock: Clock
) -> None:
    days = POLICY.replace('effect == "destructive"', 'effect == "destructive" && hour < 20')
    house = Working(store, clock, policy=days)
    clock.at = clock.at.replace(hour=19, minute=58)
    run = asked(house)
    house.approve(run, by="ana")
    house.clock.forward(timedelta(minutes=5))
    house.settle()

    assert house.world.effects == []
    assert house.status(run) == "exception"
