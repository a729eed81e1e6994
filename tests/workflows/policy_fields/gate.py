"""What shows when a field of the gate is ignored: who is asked, when, and what counts."""

from datetime import timedelta

import pytest

from tests.workflows.engine.gated import asked, of_kind, policy_of, wait
from tests.workflows.policy_fields.harness import Bench, Row, utc
from tests.world import CHANGE, Working, failing, id_of
from workflows.definition_steps import ApprovalStage
from workflows.entry import RunId
from workflows.errors import (
    ActionFailedError,
    NotAllowedError,
    NotEligibleError,
    OutsideHoursError,
    ReasonMissingError,
)
from workflows.gate import Outcome, Verdict
from workflows.operators import acting
from workflows.orders import Ballot
from workflows.people import PersonId
from workflows.policy_defaults import Defaults

LEADS = 'stages: [{from: ["@leads"]}]'
MONTH = timedelta(days=30)
WRITES = CHANGE.replace("    effect: destructive\n", "")
REFUSED = ActionFailedError("refused", error_class="http_422")


def outcome(house: Working, run: RunId) -> Outcome:
    return house.request(run).outcome


def elsewhere(_old: object) -> tuple[str, ...]:
    """Return other people than those a file names."""
    return ("@security",)


# Who is asked


def only_matching_rules_ask(bench: Bench) -> None:
    house = bench.house(
        "defaults: {expires: 24h}\nrules:\n"
        f'  - {{name: mine, when: workflow == "change-it", {LEADS}}}\n'
        '  - {name: other, when: workflow == "other", stages: [{from: ["@directors"]}]}\n'
    )
    (entry,) = of_kind(house, asked(house), "approval.requested")

    assert entry.data["rules"] == ["mine"]


def without_rules_nothing_is_asked(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS))

    assert house.status(asked(house)) == "waiting"


def those_named_are_asked(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS))
    run = asked(house)
    house.approve(run, by="ana")

    assert outcome(house, run) is Outcome.APPROVED


def so_many_have_to_agree(bench: Bench) -> None:
    house = bench.house(policy_of('stages: [{from: ["@leads"], approve: 2}]'))
    run = asked(house)
    house.approve(run, by="ana")

    assert outcome(house, run) is Outcome.OPEN


def so_many_have_to_reject(bench: Bench) -> None:
    house = bench.house(policy_of('stages: [{from: ["@leads"], deny: 2}]'))
    run = asked(house)
    house.deny(run, by="ana")

    assert outcome(house, run) is Outcome.OPEN


def every_part_has_to_agree(bench: Bench) -> None:
    both = '{all: [{from: ["@leads"]}, {from: ["@security"]}]}'
    house = bench.house(policy_of(f"stages: [{both}]"))
    run = asked(house)
    house.approve(run, by="ana")

    assert outcome(house, run) is Outcome.OPEN


def a_group_is_left_out(bench: Bench) -> None:
    house = bench.house(policy_of(f'{LEADS}, exclude: ["@interns"]'))
    house.town.groups["@interns"] = {"ana"}
    run = asked(house)

    with pytest.raises(NotEligibleError, match="leaves you out"):
        house.approve(run, by="ana")


def a_rule_may_ask_nobody(bench: Bench) -> None:
    house = bench.house(_auto(), definition=WRITES)

    assert house.status(asked(house)) == "done"


def it_asks_where_its_condition_is_not_true(bench: Bench) -> None:
    house = bench.house(_auto().replace("< 10", "< 3"), definition=WRITES)

    assert house.status(asked(house)) == "waiting"


def it_says_why_it_asks_nobody(bench: Bench) -> None:
    house = bench.house(_auto(), definition=WRITES)
    (entry,) = of_kind(house, asked(house), "decision.made")

    assert entry.parts["reason"].value == b"It is small."


def _auto() -> str:
    return (
        'defaults: {expires: 24h}\nrules: [{name: r, when: effect != "read", '
        f"{LEADS}, auto: {{when: inputs.by < 10, because: It is small.}}}}]\n"
    )


# When, and how


def a_rule_ends_its_request(bench: Bench) -> None:
    _expires_after_an_hour(bench.house(policy_of(f"{LEADS}, expires: 1h")))


def every_request_ends(bench: Bench) -> None:
    _expires_after_an_hour(bench.house(policy_of(LEADS).replace("24h", "1h")))


def _expires_after_an_hour(house: Working) -> None:
    run = asked(house)
    wait(house, hours=1)

    assert outcome(house, run) is Outcome.EXPIRED


def people_are_reminded(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, remind: [1h]"))
    run = asked(house)
    wait(house, hours=1)

    assert len(of_kind(house, run, "approval.reminded")) == 1


def a_reason_is_wanted(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, reason: required"))
    run = asked(house)

    with pytest.raises(ReasonMissingError):
        house.approve(run)


def a_reason_has_a_form(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, {_ticket()}"))
    run = asked(house)

    with pytest.raises(ReasonMissingError, match="does not have the form"):
        house.engine.decide(_ballot(house, run, "no ticket"))


def a_reason_that_does_not_do_says_what_would(bench: Bench) -> None:
    house = bench.house(policy_of(f"{LEADS}, {_ticket()}"))
    run = asked(house)

    with pytest.raises(ReasonMissingError, match="Name the ticket"):
        house.engine.decide(_ballot(house, run, "no ticket"))


def _ticket() -> str:
    return 'reason: {pattern: "T-[0-9]+", hint: Name the ticket.}'


def _ballot(house: Working, run: RunId, comment: str) -> Ballot:
    return Ballot(
        request=house.request(run).id,
        person=id_of("ana"),
        verdict=Verdict.APPROVE,
        comment=comment,
    )


def approvals_have_business_hours(bench: Bench) -> None:
    _refused_at(bench, "2026-03-02T08:59")


def business_hours_end(bench: Bench) -> None:
    _refused_at(bench, "2026-03-02T17:00")


def business_hours_have_days(bench: Bench) -> None:
    _refused_at(bench, "2026-03-01T12:00")  # A Sunday.


def business_hours_have_holidays(bench: Bench) -> None:
    _refused_at(bench, "2026-03-03T12:00")


def _refused_at(bench: Bench, at: str) -> None:
    hours = 'hours: {weekdays: [1-5], from: "09:00", to: "17:00", holidays: [2026-03-03]}'
    house = bench.house(policy_of(f"{LEADS}, {hours}, expires: 7d"), at=utc(at))
    run = asked(house)

    with pytest.raises(OutsideHoursError):
        house.approve(run)


def more_people_may_decide_later(bench: Bench) -> None:
    house = bench.house(policy_of(f'{LEADS}, escalate: {{after: 2h, to: ["@directors"]}}'))
    run = asked(house)
    wait(house, hours=2)
    house.approve(run, by="dora")

    assert outcome(house, run) is Outcome.APPROVED


# Quiet, reminders of exceptions


def reminders_keep_quiet_at_night(bench: Bench) -> None:
    assert _reminders_by(bench, "2026-03-02T21:00") == 0


def quiet_begins(bench: Bench) -> None:
    assert _reminders_by(bench, "2026-03-02T20:00") == 0


def quiet_ends(bench: Bench) -> None:
    assert _reminders_by(bench, "2026-03-02T20:00", "2026-03-03T07:00") == 1


def weekends_are_quiet(bench: Bench) -> None:
    assert _reminders_by(bench, "2026-03-07T12:00") == 0


def _reminders_by(bench: Bench, *moments: str) -> int:
    """Return how many reminders came, of a request that was raised an hour before the first."""
    text = policy_of(f"{LEADS}, remind: [1h]").replace(
        "expires: 24h", 'expires: 4d, quiet: {from: "20:00", to: "07:00", weekends: true}'
    )
    house = bench.house(text, at=utc(moments[0]) - timedelta(hours=1))
    run = asked(house)
    for one in moments:
        house.clock.at = utc(one)
        house.settle()
    return len(of_kind(house, run, "approval.reminded"))


def exceptions_are_reminded_of(bench: Bench) -> None:
    text = policy_of(LEADS).replace("24h", "24h, exceptions: {remind: [10m]}")
    house = bench.house(text)
    run = _stopped(house)
    wait(house, minutes=10)

    assert len(of_kind(house, run, "exception.reminded")) == 1


def governors_settle_what_stands(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest='roles: {governors: ["@directors"]}'))
    run = _stopped(house)
    try:
        house.engine.settle_exception(run, "change", person=id_of("dora"), answer="abort")
    except NotAllowedError:
        pytest.fail("A governor may not settle it.")

    assert house.status(run) == "aborted"


def _stopped(house: Working) -> RunId:
    house.world.trouble = failing("before", REFUSED)
    run = asked(house)
    house.approve(run, by="ana")
    house.settle()
    assert house.status(run) == "exception"
    return run


def an_account_acts_for_a_person(bench: Bench) -> None:
    text = policy_of(LEADS, rest='operators: {deploy: "@omar"}')
    house = bench.house(text)

    assert acting(PersonId("os:deploy"), house.policy, house.town) == id_of("omar")


def hours_of_rules_are_those_of_the_zone(bench: Bench) -> None:
    night = 'stages: [{from: ["@directors"]}]'
    house = bench.house(
        "defaults: {expires: 24h}\ntimezone: Asia/Tokyo\nrules:\n"
        f'  - {{name: always, when: effect == "destructive", {LEADS}}}\n'
        f"  - {{name: nights, when: hour >= 20, {night}}}\n"
    )
    (entry,) = of_kind(house, asked(house), "approval.requested")  # Noon is 21:00 there.

    assert entry.data["rules"] == ["always", "nights"]


ROWS = [
    Row(
        field="Policy.defaults",
        scenario=every_request_ends,
        instead=lambda _: Defaults(expires=MONTH),
    ),
    Row(field="Policy.rules", scenario=without_rules_nothing_is_asked, instead=lambda _: ()),
    Row(field="Policy.roles", scenario=governors_settle_what_stands),
    Row(field="Policy.operators", scenario=an_account_acts_for_a_person),
    Row(field="Policy.timezone", scenario=hours_of_rules_are_those_of_the_zone),
    Row(field="Roles.governors", scenario=governors_settle_what_stands, instead=elsewhere),
    Row(field="Defaults.expires", scenario=every_request_ends, instead=lambda _: MONTH),
    Row(field="Defaults.exceptions", scenario=exceptions_are_reminded_of),
    Row(field="Exceptions.remind", scenario=exceptions_are_reminded_of),
    Row(field="Defaults.quiet", scenario=reminders_keep_quiet_at_night),
    Row(field="Quiet.begins", scenario=quiet_begins, instead=lambda _: "20:01"),
    Row(field="Quiet.ends", scenario=quiet_ends, instead=lambda _: "07:01"),
    Row(field="Quiet.weekends", scenario=weekends_are_quiet),
    Row(field="Rule.name", scenario=only_matching_rules_ask, instead=lambda _: "a rule"),
    Row(field="Rule.when", scenario=only_matching_rules_ask, instead=lambda _: "true"),
    Row(
        field="Rule.stages",
        scenario=those_named_are_asked,
        instead=lambda _: (ApprovalStage(asked=("@security",)),),
    ),
    Row(field="Rule.expires", scenario=a_rule_ends_its_request),
    Row(field="Rule.remind", scenario=people_are_reminded),
    Row(field="Rule.reason", scenario=a_reason_is_wanted),
    Row(field="Rule.exclude", scenario=a_group_is_left_out),
    Row(field="Rule.hours", scenario=approvals_have_business_hours),
    Row(field="Rule.escalate", scenario=more_people_may_decide_later),
    Row(field="Rule.auto", scenario=a_rule_may_ask_nobody),
    Row(field="ApprovalStage.asked", scenario=those_named_are_asked, instead=elsewhere),
    Row(field="ApprovalStage.approve", scenario=so_many_have_to_agree),
    Row(field="ApprovalStage.deny", scenario=so_many_have_to_reject),
    Row(field="AllOf.parts", scenario=every_part_has_to_agree, instead=lambda old: old[:1]),
    Row(field="ReasonPattern.pattern", scenario=a_reason_has_a_form, instead=lambda _: ".*"),
    Row(
        field="ReasonPattern.hint",
        scenario=a_reason_that_does_not_do_says_what_would,
        instead=lambda _: "?",
    ),
    Row(
        field="Hours.begins",
        scenario=approvals_have_business_hours,
        instead=lambda _: "00:00",
    ),
    Row(field="Hours.ends", scenario=business_hours_end, instead=lambda _: "23:59"),
    Row(field="Hours.weekdays", scenario=business_hours_have_days),
    Row(field="Hours.holidays", scenario=business_hours_have_holidays),
    Row(
        field="Escalate.after",
        scenario=more_people_may_decide_later,
        instead=lambda _: timedelta(hours=23),
    ),
    Row(field="Escalate.to", scenario=more_people_may_decide_later, instead=elsewhere),
    Row(
        field="Auto.when",
        scenario=it_asks_where_its_condition_is_not_true,
        instead=lambda _: "true",
    ),
    Row(field="Auto.because", scenario=it_says_why_it_asks_nobody, instead=lambda _: "?"),
]
