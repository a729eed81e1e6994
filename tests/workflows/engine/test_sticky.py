"""Denials that stick: the same thing asked again is shown as denied before, and asks people."""

import json
from datetime import timedelta
from typing import Any

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, POLICY, Clock, Working, id_of
from workflows.entry import Entry, RunId
from workflows.orders import Start

STICKY = POLICY.replace("expires: 24h", "expires: 24h, sticky: 7d")
OTHER = CHANGE.replace("workflow: change-it", "workflow: another-way")
# The same change, but neither destructive nor named by any rule.
LOOSE = """
workflow: loose-change
title: Change the number by another door
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers", "@directors"]
inputs:
  by: {type: integer, minimum: 1, maximum: 1000, title: By}
steps:
  - id: turn
    uses: world.change
    with: {by: "${{ inputs.by }}", name: number}
    undo: none
"""


def a_house(store: SqlStore, clock: Clock, policy: str = STICKY) -> Working:
    return Working(store, clock, definitions=(CHANGE, OTHER, LOOSE), policy=policy)


def asked(
    house: Working, workflow: str = "change-it", *, by: int = 5, asker: str = "rita"
) -> RunId:
    run = house.start(workflow, {"by": by}, by=asker)
    house.settle()
    return run


def denied(house: Working, *, by: int = 5, comment: str = "too much at once") -> RunId:
    run = asked(house, by=by)
    house.deny(run, comment=comment)
    house.settle()
    return run


def requests(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == "approval.requested"]


def shown(house: Working, run: RunId) -> Any:  # noqa: ANN401 - JSON of the preview.
    (raised,) = requests(house, run)
    return json.loads(raised.parts["preview"].value or b"").get("denied")


def test_the_same_again_shows_who_denied_it_when_and_why(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    first = denied(house)
    clock.forward(timedelta(days=2))

    assert shown(house, asked(house)) == {
        "by": {"id": id_of("ana"), "name": "ana"},
        "at": "2026-03-02T12:00:00.000Z",
        "reason": "too much at once",
        "run": first,
        "workflow": "change-it",
        "count": 1,
    }


def test_another_workflow_and_another_requester_are_no_way_around(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    house.town.groups["@askers"].add("sam")
    denied(house)

    assert shown(house, asked(house, "another-way", asker="sam"))["workflow"] == "change-it"


def test_what_no_rule_is_about_is_asked_of_those_who_were_asked_before(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    denied(house)
    run = asked(house, "loose-change")

    assert house.status(run) == "waiting"
    assert shown(house, run)["reason"] == "too much at once"
    (raised,) = requests(house, run)
    assert raised.data["rules"] == ["denied before"]
    house.approve(run, by="ben")
    house.settle()
    assert house.world.effects == [f"{run}/turn"]


def test_other_arguments_are_another_thing(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    denied(house)

    assert shown(house, asked(house, by=6)) is None
    assert house.status(asked(house, "loose-change", by=6)) == "done"


@pytest.mark.parametrize(("days", "sticks"), [(6, True), (7, False)])
def test_a_denial_is_remembered_for_as_long_as_the_policy_says(
    store: SqlStore, clock: Clock, days: int, *, sticks: bool
) -> None:
    house = a_house(store, clock)
    denied(house)
    clock.forward(timedelta(days=days))

    assert (shown(house, asked(house)) is not None) is sticks


def test_without_the_field_nothing_sticks(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, POLICY)
    denied(house)

    assert shown(house, asked(house)) is None
    assert house.status(asked(house, "loose-change")) == "done"


def test_a_rule_may_have_a_longer_memory_than_the_default(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, STICKY.rstrip() + "\n    sticky: 30d\n")
    denied(house)
    clock.forward(timedelta(days=20))

    assert shown(house, asked(house)) is not None
    assert house.status(asked(house, "loose-change")) == "done"  # That rule is not about it.


def test_several_denials_are_counted_and_the_newest_is_told(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    for comment in ("no", "still no"):
        denied(house, comment=comment)
        clock.forward(timedelta(hours=1))
    found = shown(house, asked(house))

    assert (found["count"], found["reason"]) == (2, "still no")


def test_an_approval_in_between_does_not_make_a_denial_unsaid(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    denied(house)
    run = asked(house)
    house.approve(run)
    house.settle()

    assert shown(house, asked(house)) is not None


def test_a_request_that_expired_was_not_denied(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    asked(house)
    clock.forward(timedelta(days=1))
    house.settle()

    assert shown(house, asked(house)) is None


def test_what_was_erased_can_no_longer_be_compared(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    denied(house)
    with store.database.begin() as tx:
        tx.run("DELETE FROM audit_part WHERE name = 'args'")

    assert shown(house, asked(house)) is None


def test_a_program_asks_no_differently(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    denied(house)
    order = Start(workflow="change-it", inputs={"by": 5}, trigger="schedule", channel="ops")
    run = house.engine.start(order).run
    house.settle()

    assert shown(house, run) is not None


AUTO = """
defaults: {expires: 24h, sticky: 7d}
rules:
  - name: small changes
    when: action == "world.change"
    stages: [{from: ["@deciders"]}]
    auto: {when: inputs.by < 10, because: it is small}
"""


def test_no_rule_spares_people_of_what_was_denied_before(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, AUTO)
    denied(house)  # What is destructive asks all the same.
    run = asked(house, "loose-change")

    assert house.status(run) == "waiting"
    assert shown(house, run) is not None
    assert house.status(asked(house, "loose-change", by=6)) == "done"


def test_what_was_denied_while_it_was_asked_is_asked_again(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    open_before = asked(house)
    clock.forward(timedelta(minutes=1))
    denied(house)
    house.approve(open_before)
    house.settle()

    assert house.world.effects == []
    withdrawn, again = house.entries(open_before)[-2:]
    assert withdrawn.data["reason"] == "denied_meanwhile"
    assert "denied" in json.loads(again.parts["preview"].value or b"")
    house.approve(open_before, by="ben")
    house.settle()
    assert house.status(open_before) == "done"
