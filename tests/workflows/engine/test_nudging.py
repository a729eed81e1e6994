"""Approvers are written to directly when the policy says so: once each, and only while it waits."""

from datetime import timedelta

import pytest

from storage.outbox_values import OutboxRow
from storage.store import SqlStore
from tests.world import POLICY, Clock, Working, id_of
from workflows.breaking import Breaking
from workflows.entry import Entry, Ref, RunId
from workflows.store import Subject

AFTER = "defaults: {expires: 24h, nudge: {after: 10m}}"
NUDGING = POLICY.replace("defaults: {expires: 24h}", AFTER)
TWO_STAGES = NUDGING.replace(
    'stages: [{from: ["@deciders"], approve: 1}]',
    'stages: [{from: ["@deciders"], approve: 1}, {from: ["@directors"], approve: 1}]',
)
TWO_VOTES = NUDGING.replace("approve: 1}]", "approve: 2}]\n    remind: [2h]")


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, policy=NUDGING)


def wait(house: Working, **by: float) -> None:
    house.clock.forward(timedelta(**by))
    house.settle()


def ref(house: Working, name: str) -> Ref:
    with house.store.begin() as unit:
        return unit.ref(id_of(name))


def message(house: Working, run: RunId, name: str) -> OutboxRow | None:
    return house.store.outbox.find(Subject.NUDGE, f"{house.request(run).id}/{ref(house, name)}")


def told(house: Working, run: RunId) -> set[str]:
    """Return who was written to about the run's newest request."""
    everybody = ("ana", "ben", "dora", "rita", "omar")
    return {name for name in everybody if message(house, run, name) is not None}


def asked(house: Working, run: RunId) -> Entry:
    return next(one for one in house.entries(run) if one.kind == "approval.requested")


def test_whoever_may_decide_is_written_to_once_its_time_has_come(house: Working) -> None:
    run = house.start()
    house.settle()
    wait(house, minutes=9)
    early = told(house, run)
    wait(house, minutes=1)

    assert early == set()
    assert told(house, run) == {"ana", "ben"}
    assert asked(house, run).data["nudge"] == 600


def test_a_policy_that_wants_no_direct_messages_sends_none(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock)
    run = house.start()
    house.settle()
    wait(house, hours=20)

    assert told(house, run) == set()
    assert "nudge" not in asked(house, run).data


def test_the_earliest_that_any_rule_wants_counts(store: SqlStore, clock: Clock) -> None:
    rule = '\n  - {name: soon, when: "true", stages: [{from: ["@deciders"]}], nudge: {after: 1m}}\n'
    house = Working(store, clock, policy=NUDGING.rstrip() + rule)
    run = house.start()
    house.settle()
    wait(house, minutes=1)

    assert told(house, run) == {"ana", "ben"}


def test_what_only_the_definition_asks_for_is_told_as_the_defaults_say(
    store: SqlStore, clock: Clock
) -> None:
    own = "    effect: destructive\n    approval: {stages: [{from: ['@directors']}]}\n"
    never = NUDGING.replace('effect == "destructive"', 'effect == "egress"')
    definition = CHANGE_ASKING.replace("    effect: destructive\n", own)
    house = Working(store, clock, policy=never, definitions=(definition,))
    run = house.start()
    house.settle()
    wait(house, minutes=10)

    assert told(house, run) == {"dora"}


def test_nobody_is_written_to_about_what_is_decided_by_then(house: Working) -> None:
    run = house.start()
    house.settle()
    house.deny(run)
    wait(house, minutes=10)

    assert told(house, run) == set()


def test_a_broken_glass_ends_what_people_were_asked_directly(store: SqlStore, clock: Clock) -> None:
    glass = '\nbreak_glass: {people: ["@kim"], by: ["@governors"], review: 24h}\n'
    house = Working(store, clock, policy=NUDGING + glass)
    house.town.groups["@governors"] = {"gina"}
    run = house.start()
    house.settle()
    wait(house, minutes=10)
    row = message(house, run, "ana")
    assert row is not None
    order = Breaking(request=house.request(run).id, person=id_of("kim"), reason="it is urgent")
    house.engine.break_glass(order)
    after = message(house, run, "ana")

    assert after is not None
    assert after.wanted == row.wanted + 1
    assert house.store.outbox.find(Subject.OUTCOME, run) is not None


def test_whoever_has_decided_by_then_is_left_alone(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=TWO_VOTES)
    run = house.start()
    house.settle()
    house.approve(run, by="ana")
    wait(house, minutes=10)

    assert told(house, run) == {"ben"}


def test_a_later_stage_is_written_to_as_long_after_its_own_turn_began(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, policy=TWO_STAGES)
    run = house.start()
    house.settle()
    wait(house, minutes=10)
    first = told(house, run)
    house.approve(run, by="ana")
    wait(house, minutes=9)
    early = told(house, run)
    wait(house, minutes=1)

    assert first == early == {"ana", "ben"}
    assert told(house, run) == {"ana", "ben", "dora"}


def test_a_reminder_and_the_end_of_a_request_change_the_one_message_there_is(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, policy=TWO_VOTES)
    run = house.start()
    house.settle()
    counts = []
    for step in ("nudge", "remind", "approve", "settle"):
        if step == "nudge":
            wait(house, minutes=10)
        elif step == "remind":
            wait(house, hours=2)
        else:
            house.approve(run, by="ana" if step == "approve" else "ben")
        found = message(house, run, "ben")
        assert found is not None
        counts.append((found.id, found.wanted))

    assert len({ident for ident, _ in counts}) == 1
    assert [wanted for _, wanted in counts] == [1, 2, 3, 4]
    assert told(house, run) == {"ana", "ben"}


def test_nobody_is_written_to_while_all_is_quiet(store: SqlStore, clock: Clock) -> None:
    quiet = NUDGING.replace("{after: 10m}", '{after: 10m}, quiet: {from: "12:00", to: "15:00"}')
    house = Working(store, clock, policy=quiet)
    run = house.start()
    house.settle()
    wait(house, hours=2)
    early = told(house, run)
    wait(house, hours=1)

    assert early == set()
    assert told(house, run) == {"ana", "ben"}


def test_whoever_may_decide_later_because_nobody_has_is_written_to_as_well(
    store: SqlStore, clock: Clock
) -> None:
    later = NUDGING.rstrip() + '\n    escalate: {after: 4h, to: ["@directors"]}\n'
    house = Working(store, clock, policy=later)
    run = house.start()
    house.settle()
    wait(house, hours=4)
    early = told(house, run)
    wait(house, minutes=10)

    assert early == {"ana", "ben"}
    assert told(house, run) == {"ana", "ben", "dora"}


def test_an_expired_and_a_withdrawn_request_change_it_too(house: Working) -> None:
    run = house.start()
    house.settle()
    wait(house, minutes=10)
    other = house.start()
    house.settle()
    wait(house, minutes=10)
    house.engine.cancel(other, person=id_of("rita"), reason="not needed")
    wait(house, hours=24)

    for one in (run, other):
        found = message(house, one, "ana")
        assert found is not None
        assert found.wanted == 2


def test_what_becomes_of_such_a_message_stops_no_run(house: Working) -> None:
    run = house.start()
    house.settle()
    wait(house, minutes=10)
    found = message(house, run, "ana")
    assert found is not None
    house.store.outbox.mark_failed(found.id, error="cannot_dm_bot")

    house.approve(run)
    house.settle()

    assert house.status(run) == "done"


CHANGE_ASKING = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
inputs:
  by: {type: integer, minimum: 1, maximum: 1000, title: By}
steps:
  - id: change
    uses: world.change
    with: {name: number, by: "${{ inputs.by }}"}
    effect: destructive
    verify: {uses: world.read, with: {name: number}, expect: result.value > 0}
    undo: none
"""
