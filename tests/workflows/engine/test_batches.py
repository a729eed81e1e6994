"""Items of a loop that are put to people together: one card, a decision for each of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.approval_figures import read_approvals
from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.batches import loop, open_ones, paying, policy, requests, say
from tests.workflows.engine.flows import change
from tests.workflows.engine.gated import assert_sound, of_kind
from tests.workflows.engine.test_delegation import goes
from tests.workflows.engine.test_step_up import code, enrols, wrong
from tests.world import NOON, Clock, Working, failing, id_of
from workflows.entry import RequestId
from workflows.errors import (
    ActionFailedError,
    NoCodesError,
    NotEligibleError,
    ReasonMissingError,
    RequestClosedError,
    StaleRequestError,
    UnknownRunError,
    WrongCodeError,
)
from workflows.gate import Outcome, Verdict
from workflows.loading import load_policy
from workflows.orders import Ballot, Decided, Refused
from workflows.store import Delivery, Subject

GOES_ON = "on_item_failure: continue"
APPROVE, DENY = Verdict.APPROVE, Verdict.DENY
# What follows from rules alone is the same on either database.
Sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_whoever_decides_all_at_once_decided_once_as_far_as_habits_go(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock)
    say(house, open_ones(house, run), APPROVE)
    with database.read() as connection:
        found = read_approvals(connection, since=NOON, until=NOON + timedelta(days=1))

    assert [one.verdict for one in found.decisions] == [APPROVE]
    assert [dict(one) for one in found.settled.values()] == [{Outcome.APPROVED: 3}]


def test_all_items_are_asked_about_at_once_on_the_card_of_the_first(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock)
    asked = requests(house, run)

    assert [one.step for one in asked] == ["pay/0", "pay/1", "pay/2"]
    assert {one.batch for one in asked} == {asked[0].id}
    assert len({one.binding for one in asked}) == 3
    assert house.store.outbox.find(Subject.CARD, asked[0].id) is not None
    assert house.store.outbox.find(Subject.CARD, asked[1].id) is None


def test_whoever_approves_all_decides_each_of_them(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock)
    said = say(house, open_ones(house, run), APPROVE)
    house.settle()

    assert [one.tally.outcome for one in said if isinstance(one, Decided)] == [Outcome.APPROVED] * 3
    assert len(of_kind(house, run, "approval.granted")) == 3
    assert house.world.effects == [f"{run}/pay/{one}" for one in range(3)]
    assert house.status(run) == "done"
    assert_sound(database)


def test_each_item_gets_the_verdict_that_was_given_for_it(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock)
    say(house, open_ones(house, run), {"pay/0": APPROVE, "pay/1": DENY})
    house.settle()

    assert [one.step for one in open_ones(house, run)] == ["pay/2"]
    assert house.world.effects == [f"{run}/pay/0"]

    say(house, open_ones(house, run), APPROVE, by="ben")
    house.settle()

    assert house.world.effects == [f"{run}/pay/0", f"{run}/pay/2"]
    assert house.status(run) == "done"
    assert_sound(database)


@Sqlite
def test_a_rejected_item_ends_a_run_that_does_not_go_on_without_it(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock, more="")
    say(house, open_ones(house, run), {"pay/0": APPROVE, "pay/1": DENY})
    house.settle()

    assert house.status(run) == "denied"
    assert house.world.effects == []
    assert {one.outcome for one in requests(house, run)} == {Outcome.DENIED, Outcome.WITHDRAWN}
    assert_sound(database)


def test_an_item_decided_by_another_in_between_is_told_and_the_rest_decided(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock)
    shown = open_ones(house, run)
    say(house, shown[:1], DENY, by="ben")
    first, *rest = say(house, shown, APPROVE)

    assert isinstance(first, Refused)
    assert isinstance(first.why, RequestClosedError)
    assert [isinstance(one, Decided) and one.changed for one in rest] == [True, True]


@Sqlite
def test_a_digest_that_was_not_shown_is_not_decided(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, items=2)
    first, second = open_ones(house, run)
    mixed = [second, first]
    shown = [
        replace(one, binding=other.binding)
        for one, other in zip([first, second], mixed, strict=True)
    ]
    said = say(house, shown, APPROVE)

    assert [type(one.why) for one in said if isinstance(one, Refused)] == [StaleRequestError] * 2
    assert of_kind(house, run, "approval.granted") == []


@Sqlite
def test_the_same_click_again_changes_nothing(store: SqlStore, clock: Clock) -> None:
    house, run = paying(
        store, clock, rule='stages: [{from: ["@deciders"], approve: 2}], batch: true'
    )
    shown = open_ones(house, run)
    say(house, shown, APPROVE)
    said = say(house, shown, APPROVE)

    assert [one.changed for one in said if isinstance(one, Decided)] == [False] * 3
    assert len(of_kind(house, run, "approval.granted")) == 3


@Sqlite
def test_every_item_needs_its_own_quorum(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"], approve: 2}], batch: true'
    house, run = paying(store, clock, rule=rule)
    shown = open_ones(house, run)
    say(house, shown, APPROVE)
    house.settle()
    assert house.world.effects == []

    say(house, shown[:1], APPROVE, by="ben")
    house.settle()

    assert house.world.effects == [f"{run}/pay/0"]


@Sqlite
def test_an_item_is_refused_once_as_many_reject_it_as_the_rule_says(
    store: SqlStore, clock: Clock
) -> None:
    rule = 'stages: [{from: ["@deciders"], approve: 1, deny: 2}], batch: true'
    house, run = paying(store, clock, items=2, rule=rule)
    shown = open_ones(house, run)
    say(house, shown, DENY)
    assert len(open_ones(house, run)) == 2

    say(house, shown, {"pay/0": DENY, "pay/1": APPROVE}, by="ben")
    house.settle()

    assert [one.outcome for one in requests(house, run)] == [Outcome.DENIED, Outcome.APPROVED]


@Sqlite
def test_whoever_may_not_decide_one_item_may_decide_none(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock)
    said = say(house, open_ones(house, run), APPROVE, by="rita")

    assert [type(one.why) for one in said if isinstance(one, Refused)] == [NotEligibleError] * 3
    assert len(open_ones(house, run)) == 3


@Sqlite
def test_a_reason_is_wanted_for_each_item_as_for_any(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"]}], batch: true, reason: required'
    house, run = paying(store, clock, rule=rule)
    said = say(house, open_ones(house, run), APPROVE, comment="")

    assert [type(one.why) for one in said if isinstance(one, Refused)] == [ReasonMissingError] * 3


@Sqlite
def test_a_request_that_is_not_there_stops_the_whole(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock)
    shown = open_ones(house, run)
    gone = replace(shown[0], id=RequestId("nothing"))

    with pytest.raises(UnknownRunError):
        say(house, [*shown, gone], APPROVE)
    assert len(open_ones(house, run)) == 3


def test_items_expire_one_by_one(store: SqlStore, clock: Clock, database: Database) -> None:
    house, run = paying(store, clock)
    say(house, open_ones(house, run)[:1], APPROVE)
    house.settle()
    clock.forward(timedelta(hours=25))
    house.settle()

    assert [one.outcome for one in requests(house, run)] == [
        Outcome.APPROVED,
        Outcome.EXPIRED,
        Outcome.EXPIRED,
    ]
    assert house.status(run) == "done"
    assert_sound(database)


def test_a_run_of_which_no_item_was_approved_ends_as_its_items_did(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock)
    say(house, open_ones(house, run)[:1], DENY)
    house.settle()
    clock.forward(timedelta(hours=25))
    house.settle()

    assert [one.outcome for one in requests(house, run)] == [
        Outcome.DENIED,
        Outcome.EXPIRED,
        Outcome.EXPIRED,
    ]
    assert house.world.effects == []
    assert house.status(run) == "denied"
    assert_sound(database)


@Sqlite
def test_a_run_about_whose_items_nobody_decided_expires(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"], approve: 2}], batch: true'
    house, run = paying(store, clock, rule=rule)
    say(house, open_ones(house, run), APPROVE)
    clock.forward(timedelta(hours=25))
    house.settle()

    assert house.world.effects == []
    assert house.status(run) == "expired"


@Sqlite
def test_one_item_that_was_approved_and_failed_is_no_rejection_of_all(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock)
    house.world.trouble = failing("before", ActionFailedError("no such account"), times=9)
    say(house, open_ones(house, run), {"pay/0": DENY, "pay/1": DENY, "pay/2": APPROVE})
    house.settle()

    assert house.world.effects == []
    assert house.status(run) == "done"


@Sqlite
def test_what_follows_a_loop_of_which_nothing_was_approved_is_done_all_the_same(
    store: SqlStore, clock: Clock
) -> None:
    after = change("tell", "1")
    house = Working(store, clock, definitions=(loop(GOES_ON) + f"  - {after}\n",), policy=policy())
    house.world.items = [{"name": "a", "by": 1}]
    run = house.start("pay-all")
    house.settle()
    say(house, open_ones(house, run), DENY)
    house.settle()

    assert house.world.effects == [f"{run}/tell"]
    assert house.status(run) == "denied"


def test_no_more_than_fifty_are_open_and_the_next_come_once_all_are_decided(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, items=53)
    first = open_ones(house, run)
    assert len(first) == 50

    say(house, first[1:], APPROVE)
    house.settle()
    assert [one.step for one in open_ones(house, run)] == ["pay/0"]

    say(house, first[:1], APPROVE)
    house.settle()
    rest = open_ones(house, run)

    assert [one.step for one in rest] == ["pay/50", "pay/51", "pay/52"]
    assert {one.batch for one in rest} == {rest[0].id}


@Sqlite
def test_requests_of_several_runs_are_not_decided_together(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, items=1)
    other = house.start("pay-all")
    house.settle()

    with pytest.raises(ValueError, match="several runs"):
        say(house, [*open_ones(house, run), *open_ones(house, other)], APPROVE)
    assert len(open_ones(house, run)) == len(open_ones(house, other)) == 1


@Sqlite
def test_a_delivery_that_comes_again_is_taken_up_once(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock)
    shown, delivery = open_ones(house, run), Delivery(team="T0", kind="click", key="1")
    ballots = [Ballot(request=one.id, person=id_of("ana"), verdict=APPROVE) for one in shown]
    first, again = (
        house.engine.decide_together([replace(one, delivery=delivery) for one in some])
        for some in (ballots[:2], [replace(one, verdict=DENY) for one in ballots])
    )

    assert [isinstance(one, Decided) and one.changed for one in first] == [True, True]
    assert [isinstance(one, Decided) and one.changed for one in again] == [False] * 3
    assert [one.step for one in open_ones(house, run)] == ["pay/2"]


@Sqlite
def test_items_wait_together_however_few_go_on_at_once(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, items=6, more="max_parallel: 2")
    assert len(open_ones(house, run)) == 6

    say(house, open_ones(house, run), APPROVE)
    house.settle()

    assert sorted(house.world.effects) == [f"{run}/pay/{one}" for one in range(6)]


@Sqlite
def test_what_is_asked_again_waits_on_a_card_of_its_own_batch(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock)
    say(house, open_ones(house, run), APPROVE)
    house.policy = load_policy(policy().replace("24h", "23h"))
    house.settle()
    again = open_ones(house, run)

    assert [one.step for one in again] == ["pay/0", "pay/1", "pay/2"]
    assert {one.batch for one in again} == {again[0].id}
    assert house.world.effects == []


@Sqlite
def test_without_the_field_each_item_is_asked_about_alone(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, rule='stages: [{from: ["@deciders"]}]')

    assert [(one.step, one.batch) for one in requests(house, run)] == [("pay/0", None)]


@Sqlite
def test_one_rule_that_says_nothing_of_it_keeps_items_apart(store: SqlStore, clock: Clock) -> None:
    other = '{name: others, when: step == "pay", stages: [{from: ["@deciders"]}]}'
    text = policy().replace("batch: true}]", f"batch: true}}, {other}]")
    house = Working(store, clock, definitions=(loop(),), policy=text)
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run = house.start("pay-all")
    house.settle()

    assert [one.batch for one in requests(house, run)] == [None]


def test_one_code_goes_with_all_approvals_of_a_click(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"]}], batch: true, step_up: totp'
    house, run = paying(store, clock, rule=rule)
    house.town.groups["@directors"] = {"gus"}
    shown = open_ones(house, run)
    with pytest.raises(NoCodesError):
        say(house, shown, APPROVE)
    enrols(house, "ana")
    with pytest.raises(WrongCodeError):
        say(house, shown, APPROVE, code=wrong(house, "ana"))
    mixed = {"pay/0": DENY, "pay/1": APPROVE, "pay/2": APPROVE}
    with pytest.raises(WrongCodeError):  # Nor where some of them are rejected.
        say(house, shown, mixed)
    assert len(open_ones(house, run)) == 3

    say(house, shown, mixed, code=code(house, "ana"))

    assert [one.data["step_up"] for one in of_kind(house, run, "approval.granted")] == [True, True]
    assert open_ones(house, run) == []


@Sqlite
def test_a_form_about_several_that_is_sent_again_with_the_right_code_counts(
    store: SqlStore, clock: Clock
) -> None:
    rule = 'stages: [{from: ["@deciders"]}], batch: true, step_up: totp'
    house, run = paying(store, clock, rule=rule)
    house.town.groups["@directors"] = {"gus"}
    enrols(house, "ana")
    sent = Delivery(team="T0", kind="submission", key="v1")
    ballots = [
        Ballot(request=one.id, person=id_of("ana"), verdict=APPROVE, delivery=sent)
        for one in open_ones(house, run)
    ]
    for typed in (wrong(house, "ana"), wrong(house, "ana")):
        with pytest.raises(WrongCodeError):
            house.engine.decide_together([replace(one, code=typed) for one in ballots])
    typed = code(house, "ana")
    said = house.engine.decide_together([replace(one, code=typed) for one in ballots])

    assert all(isinstance(one, Decided) and one.changed for one in said)


@Sqlite
def test_a_stand_in_decides_every_item_in_the_place_of_whoever_is_away(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock, items=2)
    goes(house, "ana", "dora")
    say(house, open_ones(house, run), APPROVE, by="dora")
    house.settle()
    given = of_kind(house, run, "approval.granted")

    assert [one.data["for"] for one in given] == [_ref(house, "ana")] * 2
    assert house.status(run) == "done"
    assert_sound(database)


def test_items_that_are_asked_about_at_the_same_time_are_in_one_batch(
    store: SqlStore, clock: Clock
) -> None:
    step = loop().partition("steps: [")[2].partition("]\n")[0]
    look = "{id: first, uses: world.read, with: {name: x}}"
    text = loop("max_parallel: 8").replace(f"[{step}]", f"[{look}, {step}]")
    house = Working(store, clock, definitions=(text,), policy=policy())
    house.world.items = [{"name": f"n{one}", "by": 1} for one in range(20)]
    run = house.start("pay-all")
    house.settle()

    assert len({one.batch for one in open_ones(house, run)}) == 1
    assert len(open_ones(house, run)) == 20


@Sqlite
def test_what_was_denied_before_or_may_be_decided_alone_has_a_card_of_its_own(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, items=2, more="max_parallel: 2")
    house.policy = load_policy(policy().replace("24h", "24h, sticky: 7d"))
    say(house, open_ones(house, run), {"pay/0": DENY})  # Two at a time are asked in any order.
    house.settle()
    again = house.start("pay-all")
    house.settle()
    found = {one.step: one for one in requests(house, again)}

    assert found["pay/0"].batch is None
    assert found["pay/1"].batch == found["pay/1"].id

    glass = 'break_glass: {people: ["@owners"], by: ["@deputies"], review: 24h}\n'
    house.policy = load_policy(policy() + glass)
    third = house.start("pay-all")
    house.settle()

    assert [one.batch for one in requests(house, third)] == [None, None]


@Sqlite
def test_the_card_of_a_batch_that_cannot_be_shown_stops_all_its_items(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, items=2)
    first, _ = open_ones(house, run)
    house.engine.undeliverable(run, request=first.id, error_class="not_in_channel")

    assert {one.outcome for one in requests(house, run)} == {Outcome.WITHDRAWN}


@Sqlite
def test_a_reminder_of_a_batch_is_one_line(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"]}], batch: true, remind: [1h], nudge: {after: 1h}'
    house, run = paying(store, clock, rule=rule)
    clock.forward(timedelta(hours=1))
    house.settle()
    reminders = of_kind(house, run, "approval.reminded")
    ana = _ref(house, "ana")

    assert len(reminders) == 3
    told = [house.store.outbox.find(Subject.STEP, one.id) is not None for one in reminders]
    assert told == [True, False, False]
    asked = requests(house, run)
    nudged = [house.store.outbox.find(Subject.NUDGE, f"{one.id}/{ana}") for one in asked]
    assert [one is not None for one in nudged] == [True, False, False]


@Sqlite
def test_items_of_which_not_the_same_holds_wait_on_cards_of_their_own(
    store: SqlStore, clock: Clock
) -> None:
    asks = 'stages: [{from: ["%s"]}], batch: true'
    much = f'{{name: much, when: effect == "write" && args.by >= 2, {asks % "@directors"}}}'
    text = policy(asks % "@deciders").replace("}]\n", f"}}, {much}]\n")
    house = Working(store, clock, definitions=(loop(GOES_ON),), policy=text)
    house.world.items = [{"name": f"n{one}", "by": one} for one in (1, 2, 1, 3)]
    run = house.start("pay-all")
    house.settle()
    small, big = (
        [one for one in open_ones(house, run) if len(one.stages) == stages] for stages in (1, 2)
    )

    assert [one.step for one in small] == ["pay/0", "pay/2"]
    assert [one.step for one in big] == ["pay/1", "pay/3"]
    assert [one.batch for one in (*small, *big)] == [small[0].id] * 2 + [big[0].id] * 2

    say(house, small, APPROVE)
    house.settle()
    assert house.world.effects == [f"{run}/pay/{one}" for one in (0, 2)]


@Sqlite
def test_a_batch_names_everybody_whom_its_items_wait_for(store: SqlStore, clock: Clock) -> None:
    asks = 'stages: [{from: ["%s"]}], batch: true, remind: [1h], escalate: {after: 2h, to: ["%s"]}'
    little = policy(asks % ("@deciders", "@owners")).replace('step == "pay"', "args.by < 2")
    much = f'name: much, when: effect == "write" && args.by >= 2, {asks % ("@directors", "@sam")}'
    text = little.replace("}]\n", f"}}, {{{much}}}]\n")
    house = Working(store, clock, definitions=(loop(GOES_ON),), policy=text)
    house.world.items = [{"name": f"n{one}", "by": one} for one in (1, 2, 3)]
    run = house.start("pay-all")
    house.settle()
    for _ in range(2):
        clock.forward(timedelta(hours=1))
        house.settle()

    told = [of_kind(house, run, kind) for kind in ("approval.reminded", "approval.escalated")]
    lines = [
        [one.data["to"] for one in prompts if house.store.outbox.find(Subject.STEP, one.id)]
        for prompts in told
    ]
    wanted = [["ana", "ben"], ["dora"]], [["omar"], ["sam"]]
    assert lines == [
        [sorted(_ref(house, name) for name in people) for people in each] for each in wanted
    ]


def _ref(house: Working, name: str) -> str:
    with house.store.begin() as unit:
        return unit.ref(id_of(name))
