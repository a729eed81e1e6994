"""Changing what is asked while people decide: a new request, and nothing of the old one counts."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from storage.rebuild import check_projections
from tests.world import CHANGE, POLICY, Change, ChangeWorld, Clock, Value, Working, id_of
from workflows.actions.base import Call
from workflows.entry import Entry, Json, RequestId, RunId
from workflows.errors import (
    InputsError,
    NotAllowedError,
    NotEligibleError,
    RequestClosedError,
    StaleRequestError,
)
from workflows.gate import Outcome, Verdict
from workflows.loading import load_policy
from workflows.orders import Ballot, Edit, Edited
from workflows.replay import replay

TWO = POLICY.replace('"@deciders"], approve: 1', '"@deciders"], approve: 2')


def asked(house: Working, by: int = 5) -> RunId:
    run = house.start(inputs={"by": by})
    house.settle()
    return run


def change(
    house: Working,
    run: RunId,
    to: object,
    *,
    by: str = "rita",
    request: RequestId | None = None,
) -> Edited:
    wanted = Edit(
        request=request or house.request(run).id,
        person=id_of(by),
        inputs={"by": to},
    )
    return house.engine.edit(wanted)


def preview(house: Working, run: RunId) -> Mapping[str, Json]:
    """Return what the newest request shows."""
    raised = [one for one in house.entries(run) if one.kind == "approval.requested"][-1]
    shown: Mapping[str, Json] = json.loads(raised.parts["preview"].value or b"")
    return shown


def last(house: Working, run: RunId, kind: str) -> Entry:
    return [one for one in house.entries(run) if one.kind == kind][-1]


def test_a_changed_run_asks_again_and_does_what_it_was_changed_to(house: Working) -> None:
    run = asked(house)
    before = house.request(run)
    done = change(house, run, 7)
    house.settle()
    after = house.request(run)
    house.approve(run)
    house.settle()

    assert (after.id, after.outcome) == (done.next, Outcome.OPEN)
    assert after.binding != before.binding
    assert house.store.request(before.id).outcome is Outcome.SUPERSEDED
    assert house.world.number == 17
    assert house.status(run) == "done"
    assert [str(one) for one in check_projections(house.store.database)] == []


def test_the_entry_says_which_request_took_the_place_of_which(house: Working) -> None:
    run = asked(house)
    before = house.request(run)
    done = change(house, run, 7)
    edited = last(house, run, "approval.edited")

    assert edited.data == {
        "request": before.id,
        "next": done.next,
        "was": before.binding,
        "binding": None,
        "steps": ["look", "change"],
    }
    assert json.loads(edited.parts["input"].value or b"") == {"by": 7}


def test_the_new_card_shows_what_changed(house: Working) -> None:
    run = asked(house)
    change(house, run, 7)
    house.settle()

    assert preview(house, run)["changed"] == [
        "headline: change number by 5 → change number by 7",
        "By: 5 → 7",
    ]


def test_what_the_step_rests_on_is_read_again(house: Working) -> None:
    run = asked(house)
    house.world.number, reads = 990, house.world.reads
    change(house, run, 7)
    house.settle()

    assert house.world.reads == reads + 1
    assert last(house, run, "step.observed").data["attempt"] == 2


def test_a_step_that_no_longer_applies_asks_nobody(house: Working) -> None:
    run = asked(house)
    house.world.number = 1000
    change(house, run, 7)
    house.settle()

    assert house.kinds(run).count("approval.requested") == 1
    assert house.status(run) == "done"
    assert house.world.effects == []


def test_approvals_given_before_are_void(house: Working) -> None:
    house.policy = load_policy(TWO)
    run = asked(house)
    house.approve(run, by="ana")
    change(house, run, 7)
    house.settle()
    tally = house.approve(run, by="ben").tally

    assert (tally.outcome, tally.have, tally.need) == (Outcome.OPEN, 1, 2)


@pytest.mark.trap(6)
def test_a_click_on_the_card_before_the_change_decides_nothing_and_says_who_changed_it(
    house: Working,
) -> None:
    run = asked(house)
    before = house.request(run)
    done = change(house, run, 7)
    house.settle()
    click = Ballot(
        request=before.id,
        person=id_of("ana"),
        verdict=Verdict.APPROVE,
        shown=before.binding[:8],
    )

    with pytest.raises(StaleRequestError, match="rita has changed what is asked") as refused:
        house.engine.decide(click)

    assert refused.value.next_request == done.next
    assert "approval.granted" not in house.kinds(run)


def test_where_a_reason_is_required_too_the_change_is_what_they_hear(house: Working) -> None:
    house.policy = load_policy(POLICY + "    reason: required\n")
    run = asked(house)
    before = house.request(run).id
    change(house, run, 7)

    with pytest.raises(StaleRequestError, match="rita has changed"):
        house.engine.decide(Ballot(request=before, person=id_of("ana"), verdict=Verdict.APPROVE))


def test_a_click_between_the_change_and_the_new_card_decides_nothing(house: Working) -> None:
    run = asked(house)
    before = house.request(run).id
    change(house, run, 7)

    with pytest.raises(StaleRequestError):
        house.engine.decide(Ballot(request=before, person=id_of("ana"), verdict=Verdict.APPROVE))

    assert house.world.effects == []


def test_the_old_digest_does_not_open_the_new_request(house: Working) -> None:
    run = asked(house)
    old = house.request(run).binding[:8]
    change(house, run, 7)
    house.settle()
    click = Ballot(
        request=house.request(run).id, person=id_of("ana"), verdict=Verdict.APPROVE, shown=old
    )

    with pytest.raises(StaleRequestError, match="older version"):
        house.engine.decide(click)


def test_whoever_may_run_it_may_change_it_and_then_does_not_decide(house: Working) -> None:
    house.town.groups["@askers"].add("ben")
    run = asked(house)
    change(house, run, 7, by="ben")
    house.settle()
    shown = preview(house, run)

    assert shown["left_out"] == [{"id": id_of("ben"), "name": "ben", "duty": "changer"}]
    assert len(house.request(run).excluded) == 2
    with pytest.raises(NotEligibleError, match="You changed what is asked"):
        house.approve(run, by="ben")
    house.approve(run, by="ana")
    house.settle()
    assert house.world.number == 17


def test_the_only_approver_cannot_change_what_they_decide(house: Working) -> None:
    house.policy = load_policy(TWO)
    house.town.groups["@askers"].add("ben")
    run = asked(house)

    with pytest.raises(NotAllowedError, match="too few people could decide"):
        change(house, run, 7, by="ben")

    assert house.store.request(house.request(run).id).outcome is Outcome.OPEN


def test_whoever_may_not_run_it_cannot_change_it(house: Working) -> None:
    run = asked(house)

    with pytest.raises(NotAllowedError, match="may not run change-it"):
        change(house, run, 5000, by="ana")  # Which does not fit either.

    assert "approval.edited" not in house.kinds(run)


def test_a_requester_who_left_the_group_may_change_it_but_no_guest(house: Working) -> None:
    run = asked(house)
    house.town.groups["@askers"].clear()
    change(house, run, 7)
    house.settle()
    house.town.guests.add("rita")

    with pytest.raises(NotAllowedError, match="guests"):
        change(house, run, 8)


def test_values_that_do_not_fit_change_nothing(house: Working) -> None:
    run = asked(house)

    with pytest.raises(InputsError, match="1 to 1000"):
        change(house, run, 1001)

    assert "approval.edited" not in house.kinds(run)


def test_the_values_that_are_asked_already_are_no_change(house: Working) -> None:
    run = asked(house)

    with pytest.raises(InputsError, match="nothing is different"):
        change(house, run, 5)


def test_a_form_sent_twice_changes_once(house: Working) -> None:
    run = asked(house)
    request = house.request(run).id
    first = change(house, run, 7)
    again = change(house, run, 7, request=request)
    house.settle()
    later = change(house, run, 7, request=request)

    assert first.changed
    assert (again.changed, later.changed) == (False, False)
    assert first.next == again.next == later.next
    assert house.kinds(run).count("approval.edited") == 1
    assert house.kinds(run).count("approval.requested") == 2


def test_the_run_waits_for_nobody_until_it_has_asked_again(house: Working) -> None:
    run = asked(house)
    change(house, run, 7)
    state = replay(run, house.entries(run))

    assert house.status(run) == "running"
    assert (state.marked, state.is_waiting) == ({}, False)


def test_of_two_who_change_it_the_second_is_told_so(house: Working) -> None:
    house.town.groups["@askers"].add("dora")
    run = asked(house)
    request = house.request(run).id
    change(house, run, 7)

    with pytest.raises(StaleRequestError, match="rita has changed"):
        change(house, run, 8, by="dora", request=request)


def test_it_can_be_changed_more_than_once_and_all_editors_are_left_out(house: Working) -> None:
    house.town.groups["@askers"].update({"ben", "dora"})
    house.town.groups["@deciders"].add("dora")
    run = asked(house)
    change(house, run, 7, by="ben")
    house.settle()
    change(house, run, 9, by="dora")
    house.settle()

    assert [one["name"] for one in preview(house, run)["left_out"]] == ["ben", "dora"]  # type: ignore[index, union-attr]  # JSON.
    assert preview(house, run)["changed"] == [
        "headline: change number by 7 → change number by 9",
        "By: 7 → 9",
    ]
    house.approve(run, by="ana")
    house.settle()
    assert house.world.number == 19


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_decided_cannot_be_changed_any_more(house: Working, verdict: Verdict) -> None:
    run = asked(house)
    house.vote(run, verdict, by="ana")

    with pytest.raises(RequestClosedError, match="already"):
        change(house, run, 7)


def test_at_the_moment_of_expiry_it_is_too_late(house: Working, clock: Clock) -> None:
    run = asked(house)
    clock.forward(timedelta(hours=24))

    with pytest.raises(RequestClosedError, match="expired"):
        change(house, run, 7)


def test_the_new_request_has_the_whole_time_again(house: Working, clock: Clock) -> None:
    run = asked(house)
    clock.forward(timedelta(hours=23))
    change(house, run, 7)
    house.settle()
    clock.forward(timedelta(hours=2))
    house.settle()

    assert house.request(run).outcome is Outcome.OPEN


TWICE = CHANGE.replace(
    "  - id: change",
    """  - id: first
    uses: world.change
    with: {name: first, by: 1}
    undo: none
  - id: change""",
)


def test_once_something_has_happened_the_values_stay(house: Working) -> None:
    house.shelf.put(TWICE)
    run = asked(house)

    with pytest.raises(NotAllowedError, match="“first” was begun already"):
        change(house, run, 7)


LOCKED = CHANGE.replace("steps:", 'lock: "number/${{ inputs.by }}"\nsteps:', 1)


def test_a_run_keeps_the_lock_it_has(house: Working) -> None:
    house.shelf.put(LOCKED)
    run = asked(house)

    with pytest.raises(NotAllowedError, match="another lock"):
        change(house, run, 7)


LITTLE = POLICY.replace('effect == "destructive"', "inputs.by > 100")
WRITES = CHANGE.replace("effect: destructive", "effect: write")


def test_what_asks_nobody_any_more_is_not_held_to_the_plan_that_was_shown(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.shelf.put(WRITES)
    house.policy = load_policy(LITTLE)
    plans: list[Json] = []
    perform = ChangeWorld.perform

    def noted(action: ChangeWorld, arguments: Change, call: Call) -> Value:
        plans.append(call.approved)
        return perform(action, arguments, call)

    monkeypatch.setattr(ChangeWorld, "perform", noted)
    run = asked(house, by=200)
    change(house, run, 7)
    house.settle()

    assert house.kinds(run).count("approval.requested") == 1
    assert house.status(run) == "done"
    assert (house.world.number, plans) == (17, [None])


CALLS = """
workflow: calls-it
title: Call it
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - {id: inner, workflow: change-it, inputs: {by: 5}}
"""


def test_the_values_that_another_run_gave_stay(house: Working) -> None:
    house.shelf.put(CALLS)
    parent = house.start("calls-it")
    house.settle()
    child = RunId(str(last(house, parent, "wait.started").data["child"]))

    with pytest.raises(NotAllowedError, match="started by another one"):
        change(house, child, 7)
