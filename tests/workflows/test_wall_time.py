"""Times of day of a policy: quiet and business hours, on days when clocks change too."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.policy_hours import Hours, OpenHours, hours_of, opens_at
from workflows.policy_quiet import Quiet

BERLIN = "Europe/Berlin"
NIGHT = Quiet(begins="20:00", ends="07:00")
WEEKEND = Quiet(begins="20:00", ends="07:00", weekends=True)
NINE_TO_FIVE = Hours(weekdays=(1, 2, 3, 4, 5), begins="09:00", ends="17:00")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "at", "over"),
    [
        (NIGHT, "2026-01-12T18:59", "2026-01-12T18:59"),
        (NIGHT, "2026-01-12T19:00", "2026-01-13T06:00"),
        (NIGHT, "2026-01-13T05:59", "2026-01-13T06:00"),
        (NIGHT, "2026-01-13T06:00", "2026-01-13T06:00"),
        # In the night in spring an hour is missing, in the one in autumn it comes twice.
        (NIGHT, "2026-03-28T20:00", "2026-03-29T05:00"),
        (NIGHT, "2026-10-24T19:00", "2026-10-25T06:00"),
        (WEEKEND, "2026-03-27T19:30", "2026-03-30T05:00"),
        (WEEKEND, "2026-03-29T12:00", "2026-03-30T05:00"),
        (Quiet(begins="01:00", ends="02:30"), "2026-03-29T00:30", "2026-03-29T01:00"),
        (Quiet(begins="01:00", ends="02:30"), "2026-10-25T01:10", "2026-10-25T01:30"),
        (Quiet(begins="12:00", ends="13:00"), "2026-03-27T11:30", "2026-03-27T12:00"),
    ],
)
def test_quiet_ends_by_the_clocks_of_the_zone(quiet: Quiet, at: str, over: str) -> None:
    assert quiet.over_at(utc(at), BERLIN) == utc(over)


MOMENTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: utc("2026-01-01T00:00") + timedelta(minutes=minutes, seconds=1)
)
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


@given(MOMENTS, TIMES, TIMES, st.booleans())
def test_what_waits_for_the_end_of_quiet_never_comes_early_nor_in_quiet(
    at: datetime,
    begins: str,
    ends: str,
    weekends: bool,  # noqa: FBT001
) -> None:
    if begins == ends:
        return
    quiet = Quiet(begins=begins, ends=ends, weekends=weekends)
    over = quiet.over_at(at, BERLIN)

    assert over >= at
    assert not quiet.holds_at(over, BERLIN)
    assert over - at <= timedelta(days=4)
    if over > at:
        assert quiet.holds_at(over - timedelta(seconds=1), BERLIN)


def hours(*rules: Hours, zone: str = BERLIN) -> list[OpenHours]:
    return [hours_of(one, zone) for one in rules]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-27T07:59", "2026-03-27T08:00"),  # A Friday, in winter time.
        ("2026-03-27T12:00", "2026-03-27T12:00"),
        ("2026-03-27T16:00", "2026-03-30T07:00"),  # Until Monday, in summer time.
    ],
)
def test_business_hours_open_by_the_clocks_of_the_zone(at: str, opens: str) -> None:
    assert opens_at(hours(NINE_TO_FIVE), utc(at)) == utc(opens)


def test_hours_that_never_meet_never_open() -> None:
    night = Hours(begins="20:00", ends="23:00")

    assert opens_at(hours(NINE_TO_FIVE, night), utc("2026-03-27T12:00")) is None
    assert opens_at([], utc("2026-03-27T12:00")) == utc("2026-03-27T12:00")


def test_a_holiday_is_one_day_of_the_zone() -> None:
    off = NINE_TO_FIVE.model_copy(update={"holidays": (date(2026, 3, 27),)})
    (one,) = hours(off)

    assert not one.holds_at(utc("2026-03-27T12:00"))
    assert one.holds_at(utc("2026-03-26T12:00"))
    assert OpenHours.read(one.json()) == one


def test_far_holidays_are_left_out_of_what_a_request_carries() -> None:
    days = tuple(date(2026, 3, day) for day in range(1, 29))
    (one,) = hours(NINE_TO_FIVE.model_copy(update={"holidays": days}))
    near = one.between(utc("2026-03-10T23:30"), utc("2026-03-12T22:30"))

    assert near.holidays == tuple(date(2026, 3, day) for day in (11, 12, 13))


@pytest.mark.parametrize(
    ("days", "told"),
    [((1, 2, 3, 4, 5), "Mon–Fri"), ((6, 7), "Sat, Sun"), ((1, 3), "Mon, Wed"), ((), "every day")],  # noqa: RUF001
)
def test_weekdays_are_said_as_people_say_them(days: tuple[int, ...], told: str) -> None:
    rule = Hours(begins="09:00", ends="17:00", **({"weekdays": days} if days else {}))

    assert str(hours_of(rule, "UTC")) == f"{told} 09:00–17:00 (UTC)"  # noqa: RUF001
