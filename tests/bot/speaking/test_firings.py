"""The calendar: which moments a schedule means, clock changes and missed ones included."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.firings import Gap, firings_between, next_firing, plan, schedule_name, wall_time
from workflows.triggers import Missed, Trigger


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(cron: str = "30 2 * * *", missed: Missed = Missed.SKIP) -> Trigger:
    return Trigger(cron=cron, timezone="Europe/Berlin", missed=missed)


def test_a_time_that_the_spring_change_skips_comes_once_just_after_it() -> None:
    found = firings_between(daily(), after=at("2026-03-28T12:00"), until=at("2026-03-30T12:00"))

    assert found == [at("2026-03-29T01:00"), at("2026-03-30T00:30")]


def test_a_daily_time_that_the_autumn_change_repeats_comes_once() -> None:
    found = firings_between(daily(), after=at("2026-10-24T12:00"), until=at("2026-10-25T12:00"))

    assert found == [at("2026-10-25T00:30")]


def test_an_hourly_schedule_keeps_every_hour_of_the_autumn_night() -> None:
    found = firings_between(
        daily("30 * * * *"), after=at("2026-10-24T23:00"), until=at("2026-10-25T03:00")
    )

    assert found == [
        at("2026-10-24T23:30"),
        at("2026-10-25T00:30"),
        at("2026-10-25T01:30"),
        at("2026-10-25T02:30"),
    ]


def test_weekday_one_is_monday() -> None:
    assert next_firing(daily("0 9 * * 1"), after=at("2026-11-21T00:00")) == at("2026-11-23T08:00")


def test_the_moment_itself_belongs_to_the_past() -> None:
    trigger = Trigger(cron="0 9 * * *")

    assert next_firing(trigger, after=at("2026-01-01T09:00")) == at("2026-01-02T09:00")
    assert firings_between(trigger, after=at("2026-01-01T08:59"), until=at("2026-01-01T09:00")) == [
        at("2026-01-01T09:00")
    ]


CHANGES = [at("2026-03-28T12:00"), at("2026-10-24T12:00")]


@settings(deadline=None)  # A busy machine is no defect.
@given(
    day=st.sampled_from(CHANGES),
    begin=st.integers(0, 24 * 60),
    minutes=st.integers(0, 240),
    cron=st.sampled_from(["30 2 * * *", "*/20 * * * *", "0 2,3 * * *", "15 * * * *", "0 3 * * 0"]),
)
def test_wherever_counting_starts_the_moments_are_the_same(
    day: datetime, begin: int, minutes: int, cron: str
) -> None:
    trigger, start = daily(cron), day + timedelta(minutes=begin)
    middle, end = start + timedelta(minutes=minutes), start + timedelta(hours=8)

    whole = firings_between(trigger, after=start, until=end)
    halves = firings_between(trigger, after=start, until=middle) + firings_between(
        trigger, after=middle, until=end
    )

    assert halves == whole
    assert len(set(whole)) == len(whole)


def test_a_firing_in_time_is_started_and_nothing_was_missed() -> None:
    decided = plan(daily(), since=at("2026-01-01T12:00"), now=at("2026-01-02T01:30:30"))

    assert decided.start == (at("2026-01-02T01:30"),)
    assert decided.gap is None


@pytest.mark.parametrize(
    ("rule", "started"),
    [
        (Missed.SKIP, []),
        (Missed.RUN_ONCE, ["2026-01-04T01:30"]),
        (Missed.RUN_ALL, ["2026-01-02T01:30", "2026-01-03T01:30", "2026-01-04T01:30"]),
    ],
)
def test_missed_firings_are_made_up_for_as_the_schedule_says(
    rule: Missed, started: list[str]
) -> None:
    decided = plan(daily(missed=rule), since=at("2026-01-01T12:00"), now=at("2026-01-04T12:00"))

    assert list(decided.start) == [at(one) for one in started]
    assert decided.gap == Gap(
        first=at("2026-01-02T01:30"), last=at("2026-01-04T01:30"), count=3, rule=rule
    )


def test_a_run_that_is_due_now_stands_for_the_missed_ones() -> None:
    trigger = daily(missed=Missed.RUN_ONCE)

    decided = plan(trigger, since=at("2026-01-01T12:00"), now=at("2026-01-04T01:30:10"))

    assert decided.start == (at("2026-01-04T01:30"),)
    assert decided.gap is not None
    assert decided.gap.count == 2


def test_catching_up_on_all_has_an_end() -> None:
    trigger = daily("* * * * *", missed=Missed.RUN_ALL)

    decided = plan(trigger, since=at("2026-01-01T00:00"), now=at("2026-01-02T00:00"))

    assert decided.gap is not None
    assert decided.gap.count == 1_438
    assert len(decided.start) == 52


def test_a_month_of_minutes_that_nobody_was_there_for_is_counted_at_once() -> None:
    # Each of them was looked up in a set that was made anew for it; that took minutes.
    trigger = daily("* * * * *", missed=Missed.SKIP)

    decided = plan(trigger, since=at("2026-01-01T00:00"), now=at("2026-01-31T00:00"))

    assert decided.gap is not None
    assert decided.gap.count == 43_198


def test_a_schedule_keeps_its_name_as_long_as_it_says_the_same() -> None:
    name = schedule_name("nightly-check", daily())

    assert name == schedule_name("nightly-check", daily(missed=Missed.RUN_ALL))
    assert name != schedule_name("nightly-check", daily("0 3 * * *"))
    assert name.startswith("nightly-check/")
    assert len(schedule_name("x" * 64, daily())) <= 64


def test_a_due_time_is_told_as_the_clock_on_the_wall_says_it() -> None:
    assert wall_time(at("2026-03-29T01:00"), "Europe/Berlin") == (
        "2026-03-29T03:00:00+02:00 Europe/Berlin"
    )
