"""An approval is given within business hours, a rejection whenever; reminders keep quiet hours."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.gated import (
    asked,
    assert_sound,
    of_kind,
    policy_of,
    trouble_of,
    wait,
    with_groups,
)
from tests.world import LOST, Clock, Working, failing
from workflows.errors import OutsideHoursError
from workflows.gate import Outcome

LEADS = 'stages: [{from: ["@leads"]}]'
NINE_TO_FIVE = f'{LEADS}, hours: {{weekdays: [1-5], from: "09:00", to: "17:00"}}'
QUIET = 'defaults: {expires: 4d, quiet: {from: "20:00", to: "07:00", weekends: true}}'
MONDAY_EVENING = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def a_house(store: SqlStore, clock: Clock, *rules: str, rest: str = "") -> Working:
    return with_groups(Working(store, clock, policy=policy_of(*rules, rest=rest)))


def test_an_approval_outside_business_hours_is_refused_and_says_when_again(
    store: SqlStore, clock: Clock
) -> None:
    clock.at = MONDAY_EVENING
    house = a_house(store, clock, NINE_TO_FIVE)
    run = asked(house)

    with pytest.raises(OutsideHoursError) as refused:
        house.approve(run)
    assert str(refused.value) == (
        "This can be approved only Mon–Fri 09:00–17:00 (UTC). "  # noqa: RUF001
        "Decide again from Tue 3 Mar, 09:00 (UTC). You can reject it at any time."
    )
    assert house.request(run).outcome is Outcome.OPEN


def test_within_business_hours_it_counts(store: SqlStore, clock: Clock, database: Database) -> None:
    house = a_house(store, clock, NINE_TO_FIVE)
    run = asked(house)
    house.approve(run)
    house.settle()

    assert house.status(run) == "done"
    assert_sound(database)


def test_a_rejection_counts_at_any_hour(store: SqlStore, clock: Clock) -> None:
    clock.at = MONDAY_EVENING
    house = a_house(store, clock, NINE_TO_FIVE)
    run = asked(house)
    house.deny(run)

    assert house.request(run).outcome is Outcome.DENIED


def test_a_holiday_has_no_business_hours(store: SqlStore, clock: Clock) -> None:
    rule = NINE_TO_FIVE.replace('17:00"', '17:00", holidays: [2026-03-03, 2027-01-01]')
    clock.at = MONDAY_EVENING
    house = a_house(store, clock, f"{rule}, expires: 3d")
    run = asked(house)
    clock.at = MONDAY_EVENING.replace(day=3, hour=12)
    (entry,) = of_kind(house, run, "approval.requested")

    with pytest.raises(OutsideHoursError, match="Wed 4 Mar, 09:00"):
        house.approve(run)
    assert entry.data["hours"] == [
        {
            "weekdays": [1, 2, 3, 4, 5],
            "from": "09:00",
            "to": "17:00",
            "holidays": ["2026-03-03"],  # The other one is far away.
            "zone": "UTC",
        }
    ]


def test_the_hours_of_every_rule_have_to_be_open(store: SqlStore, clock: Clock) -> None:
    early = f'{LEADS}, hours: {{from: "06:00", to: "12:00"}}'
    house = a_house(store, clock, NINE_TO_FIVE, early)
    run = asked(house)  # At noon.

    with pytest.raises(OutsideHoursError, match=r"and every day 06:00.*Tue 3 Mar, 09:00"):
        house.approve(run)


def test_what_nobody_could_approve_before_it_ends_is_not_asked(
    store: SqlStore, clock: Clock
) -> None:
    clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)  # A Friday.
    house = a_house(store, clock, NINE_TO_FIVE)
    run = asked(house)

    assert house.status(run) == "exception"
    assert "the request would end before that" in trouble_of(house, run)


def test_business_hours_are_those_of_the_policys_time_zone(store: SqlStore, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)  # Half past seven on Tuesday in Adelaide.
    house = a_house(store, clock, NINE_TO_FIVE, rest="timezone: Australia/Adelaide")
    run = asked(house)

    with pytest.raises(OutsideHoursError, match="09:00"):
        house.approve(run)
    wait(house, hours=2)
    house.approve(run)


def quiet(store: SqlStore, clock: Clock, rule: str) -> Working:
    text = policy_of(rule).replace("defaults: {expires: 24h}", QUIET)
    return with_groups(Working(store, clock, policy=text))


def test_a_reminder_waits_until_quiet_hours_are_over(store: SqlStore, clock: Clock) -> None:
    clock.at = MONDAY_EVENING
    house = quiet(store, clock, f"{LEADS}, remind: [2h, 4h]")
    run = asked(house)
    wait(house, hours=5)
    at_night = of_kind(house, run, "approval.reminded")
    clock.at = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    house.settle()
    wait(house, hours=10)

    assert at_night == []
    # Both were due at night; people hear of it once.
    assert [one.data["n"] for one in of_kind(house, run, "approval.reminded")] == [1]


def test_weekends_are_quiet_where_the_policy_says_so(store: SqlStore, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)  # A Friday.
    house = quiet(store, clock, f"{LEADS}, remind: [1d]")
    run = asked(house)
    wait(house, days=2)
    assert of_kind(house, run, "approval.reminded") == []
    clock.at = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    house.settle()

    assert len(of_kind(house, run, "approval.reminded")) == 1


def test_a_request_expires_in_quiet_hours_too(store: SqlStore, clock: Clock) -> None:
    clock.at = MONDAY_EVENING
    house = quiet(store, clock, f"{LEADS}, expires: 4h")
    run = asked(house)
    wait(house, hours=4)

    assert house.status(run) == "expired"


def test_a_reminder_of_a_doubt_waits_for_the_morning_too(store: SqlStore, clock: Clock) -> None:
    clock.at = MONDAY_EVENING
    house = quiet(store, clock, LEADS)
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    run = asked(house)
    house.approve(run)
    house.settle()
    wait(house, hours=6)
    at_night = of_kind(house, run, "exception.reminded")
    clock.at = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    house.settle()

    assert at_night == []
    assert len(of_kind(house, run, "exception.reminded")) == 1


def test_reminders_that_passed_while_nobody_looked_are_told_once(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, f"{LEADS}, remind: [1h, 2h, 3h]")
    run = asked(house)
    house.clock.forward(timedelta(hours=2, minutes=30))
    house.settle()
    house.clock.forward(timedelta(minutes=30))
    house.settle()

    assert [one.data["n"] for one in of_kind(house, run, "approval.reminded")] == [1, 2]
