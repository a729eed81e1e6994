"""Times in words: each becomes exactly one moment, or is refused with what would be right."""

import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.local_time import moment_at, told
from bot.moment_child import parse
from bot.moment_words import ask_child
from bot.plain_moments import read_plainly
from bot.when_words import Meant, moments_told, read_when, rhythm_told
from workflows.errors import UnclearTimeError
from workflows.triggers import Missed, Once, Trigger

NOW = datetime(2026, 11, 25, 19, 47, 30, tzinfo=UTC)  # A Wednesday, 20:47 in Berlin.
BERLIN = "Europe/Berlin"


def read(words: str, *, zone: str = BERLIN, now: datetime = NOW) -> Meant:
    """Read in this process; the child is for memory, not for meaning."""
    return read_when(words, timezone=zone, now=now, missed=Missed.SKIP, ask=parse)


def at(words: str, *, zone: str = BERLIN, now: datetime = NOW) -> str:
    when = read(words, zone=zone, now=now).when
    assert isinstance(when, Once)
    return f"{when.at:%Y-%m-%d %H:%M}"


def cron(words: str) -> str:
    when = read(words).when
    assert isinstance(when, Trigger)
    return when.cron


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("tomorrow 9am", "2026-11-26 08:00"),
        ("Tomorrow 9 AM", "2026-11-26 08:00"),
        ("tomorrow at 9:30pm", "2026-11-26 20:30"),
        ("in 2 hours", "2026-11-25 21:47"),
        ("in 90 min", "2026-11-25 21:17"),
        ("in 1 hour and 30 minutes", "2026-11-25 21:17"),
        ("in 3 days", "2026-11-28 19:47"),
        ("in 3 days at 9:00", "2026-11-28 08:00"),
        ("next friday 14:00", "2026-11-27 13:00"),
        ("friday noon", "2026-11-27 11:00"),
        ("today 22:00", "2026-11-25 21:00"),
        ("23:00", "2026-11-25 22:00"),
        ("9am", "2026-11-26 08:00"),
        ("2026-12-24 18:30", "2026-12-24 17:30"),
        ("2026-12-24T18:30Z", "2026-12-24 18:30"),
        ("2026-12-24 18:30 UTC", "2026-12-24 18:30"),
        ("24 dec 18:30", "2026-12-24 17:30"),
        ("24/12/2026 18:30", "2026-12-24 17:30"),
        ("the day after tomorrow 9am", "2026-11-27 08:00"),
        ("tuesday 1 december 9:00", "2026-12-01 08:00"),
        ("wednesday 14:00", "2026-12-02 13:00"),
        ("tomorrow 12am", "2026-11-25 23:00"),
        ("tomorrow 12pm", "2026-11-26 11:00"),
    ],
)
def test_words_for_one_moment(words: str, moment: str) -> None:
    assert at(words) == moment


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("every day 18:00", "0 18 * * *"),
        ("every weekday 9:00", "0 9 * * 1-5"),
        ("every weekend at noon", "0 12 * * 0,6"),
        ("every monday 8am", "0 8 * * 1"),
        ("every tuesday and thursday 9:30pm", "30 21 * * 2,4"),
        ("every sun, mon 9:00", "0 9 * * 0,1"),
        ("every hour", "0 * * * *"),
        ("every 6 hours", "0 */6 * * *"),
        ("every 15 minutes", "*/15 * * * *"),
        ("every minute", "* * * * *"),
        ("cron 0 9 * * 1-5", "0 9 * * 1-5"),
    ],
)
def test_words_for_a_rhythm(words: str, line: str) -> None:
    assert cron(words) == line


@pytest.mark.parametrize(
    ("words", "why", "right"),
    [
        ("", "does not say when", "tomorrow 9am"),
        ("tomorrow", "at what time", "tomorrow 9:00"),
        ("tomorrow at 9", "at what time", "“tomorrow 9am” or “tomorrow 9pm”"),
        ("tomorrow 25:00", "no time of day", "14:00"),
        ("tomorrow 13pm", "no time of day", "9:30pm"),
        ("tomorrow 9am 10am", "two times of day", "9am"),
        ("tomorrow 5 9am", "does not fit together", "2026-11-26 09:00"),
        ("tomorrow 9am EST", "“est” is no word", "tomorrow 9am"),
        ("tomorrow midnight", "can begin a day or end it", "0:00 or 23:59"),
        ("in 3 hours at 9:00", "says twice when", "Leave out “in 3 hours”"),
        ("monday 1 december 9:00", "does not fit together", "2026-12-01 09:00"),
        ("wednesday 22:00", "today or in a week", "“today 22:00” or “2026-12-02 22:00”"),
        ("03/04/2027 9:00", "can be two days", "2027-04-03 or 2027-03-04"),
        ("today 9:00", "that has passed", "20:47"),
        ("2026-01-01 9:00", "that has passed", "2026-11-25 20:47"),
        ("in 0 minutes", "that has passed", "tomorrow 9am"),
        ("2 hours ago", "“ago” is no word", "in 2 hours"),
        ("yesterday 9:00", "no word", "tomorrow 9am"),
        ("december 9:00", "which day", "2026-12-24"),
        ("today tomorrow 9:00", "which day", "tomorrow 9am"),
        ("2026-02-30 9:00", "no day and time", "2026-12-24 18:30"),
        ("31 feb 9:00", "no moment", "2026-12-24 18:30"),
        ("every 7 minutes", "does not go evenly", "every 15 minutes"),
        ("every 0 minutes", "does not go evenly", "every 15 minutes"),
        ("every mnoday 9:00", "Did you mean “monday”", "every monday 8am"),
        (
            "every weekday at 8",
            "“8” is no time of day",
            "“every weekday 8am” or “every weekday 8pm”",
        ),
        ("every weekday at 18", "“18” is no time of day", "“every weekday 18:00”"),
        ("every weekday and sunday 9:00", "“weekday” does not stand beside", "every weekday 9:00"),
        ("every day", "at what time", "every day 9:00"),
        ("every 9:00", "on which days", "every day 18:00"),
        ("cron 0 9 * *", "five fields", "0 9 * * 1-5"),
        ("cron 0 9 31 2 *", "cannot be read", "0 9 * * 1-5"),
        ("cron 99 9 * * *", "cannot be read", "0 9 * * 1-5"),
    ],
)
def test_what_is_unclear_is_refused_with_what_would_be_right(
    words: str, why: str, right: str
) -> None:
    with pytest.raises(UnclearTimeError) as refused:
        read(words)

    assert why in refused.value.message
    assert right in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("9999-12-31 23:59", "America/Los_Angeles"),
        ("9999-12-31 23:59", "UTC"),
        ("9999-12-31 23:59 UTC", "Pacific/Kiritimati"),
        ("31 dec 9999 23:59", "America/Los_Angeles"),
        ("in 9999 months", BERLIN),
    ],
)
def test_what_is_further_away_than_anybody_can_be_told_is_refused(words: str, zone: str) -> None:
    with pytest.raises(UnclearTimeError, match="too far away"):
        read(words, zone=zone)


def test_a_rhythm_may_be_by_utc() -> None:
    here, there = read("every weekday 9:00").when, read("every weekday 9:00 UTC").when

    assert isinstance(here, Trigger)
    assert isinstance(there, Trigger)
    assert (there.cron, there.timezone) == (here.cron, "UTC")


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnclearTimeError, match="not known here"):
        read("tomorrow 9am", zone="Mars/Olympus")


@pytest.mark.parametrize("words", ["in 2 hours", "in 120 minutes"])
def test_hours_from_now_are_elapsed_hours_also_over_a_clock_change(words: str) -> None:
    night = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)  # 01:30; at 02:00 it becomes 03:00.

    assert at(words, now=night) == "2027-03-28 02:30"
    assert "04:30 CEST" in told(night + timedelta(hours=2), BERLIN).local


def test_days_from_now_keep_the_time_on_the_wall_over_a_clock_change() -> None:
    assert at("in 2 days", now=datetime(2027, 3, 27, 8, 0, tzinfo=UTC)) == "2027-03-29 07:00"


def test_a_time_that_is_skipped_or_repeated_says_which_moment_is_meant() -> None:
    skipped, repeated = read("2027-03-28 02:30"), read("2027-10-31 02:30")

    assert isinstance(skipped.when, Once)
    assert skipped.when.at == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert "03:00 is meant" in skipped.note
    assert isinstance(repeated.when, Once)
    assert repeated.when.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert "the first is meant" in repeated.note


@pytest.mark.trap(34)
def test_the_next_firings_say_which_of_them_a_clock_change_makes_odd() -> None:
    def notes(words: str, now: datetime) -> list[str]:
        return [one.note for one in moments_told(read(words, now=now).when, now=now)]

    spring = notes("every day 2:30", datetime(2027, 3, 27, 12, 0, tzinfo=UTC))
    autumn = notes("every hour", datetime(2027, 10, 30, 23, 30, tzinfo=UTC))

    assert "it is 03:00" in spring[0]
    assert spring[1:] == ["", ""]
    assert ["first" in autumn[0], "second" in autumn[1], autumn[2]] == [True, True, ""]


def test_a_moment_is_told_in_both_zones_by_the_zones_name() -> None:
    shown = told(datetime(2026, 12, 24, 17, 30, tzinfo=UTC), BERLIN)

    assert shown.line == ("Thu 24 Dec 2026, 18:30 CET (Europe/Berlin) · Thu 24 Dec 2026, 17:30 UTC")
    assert told(NOW, "UTC").line == "Wed 25 Nov 2026, 19:47:30 UTC"
    assert rhythm_told(read("every weekday 9:00").when) == (
        "At 09:00 on Monday through Friday (Europe/Berlin)"
    )


def test_words_are_read_by_a_process_of_their_own() -> None:
    base = datetime(2026, 11, 25, 20, 47)  # noqa: DTZ001 - a wall time.

    assert ask_child("tomorrow 09:00", base, seconds=60) == datetime(2026, 11, 26, 9)  # noqa: DTZ001 - a wall time.
    assert ask_child("of no meaning", base, seconds=60) is None


def test_a_child_that_is_too_slow_is_given_up_and_the_plain_form_named() -> None:
    with pytest.raises(UnclearTimeError, match="2026-12-24 18:30"):
        ask_child("tomorrow 09:00", NOW.replace(tzinfo=None), seconds=0.001)


@pytest.mark.parametrize(
    "words", ["2026-12-24 18:30", "tomorrow 9am", "next friday noon", "in 2 hours", "18:30 UTC"]
)
def test_what_people_say_most_is_read_without_a_child(words: str) -> None:
    def nobody(words: str, base: datetime) -> datetime | None:
        raise AssertionError(f"asked for {words} from {base}")

    meant = read_when(words, timezone=BERLIN, now=NOW, missed=Missed.SKIP, ask=nobody)
    assert isinstance(meant.when, Once)


DAY = st.sampled_from(["tomorrow", "today", "monday", "next tue", "friday", "on sunday at"])
SPAN = st.builds(
    "in {} {}".format, st.integers(1, 99), st.sampled_from(["days", "weeks", "day", "hours", "min"])
)


@settings(deadline=None, max_examples=60)  # As below.
@given(
    words=DAY | SPAN,
    at=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    base=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001 - wall times.
)
def test_what_is_read_without_a_child_is_what_the_child_would_say(
    words: str, at: time, base: datetime
) -> None:
    is_span = words.endswith(("hours", "min"))
    base = base.replace(second=0, microsecond=0)

    read = read_plainly(words, None if is_span else at, base)
    assert read == parse(words if is_span else f"{words} {at:%H:%M}", base)


def test_a_bare_time_on_the_last_of_a_month_is_the_next_that_comes() -> None:
    # dateparser takes it for the first of the month that ends.
    last = datetime(2028, 11, 30, 20, 43, tzinfo=UTC)

    assert at("at 13:17", zone="UTC", now=last) == "2028-12-01 13:17"


def test_the_bot_never_holds_the_library_that_reads_words() -> None:
    code = "import bot.app, bot.listeners, sys; print('dateparser' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.strip() == "False"


DAYS = ["today", "tomorrow", "next", "this", "friday", "monday", "day", "week", "weekday", "days"]
TIMES = ["9am", "14:00", "noon", "12:61", "hours", "minutes", "utc", "dec", "may", "24/12/2026"]
REST = ["on", "at", "in", "of", "an", "every", "cron", "*", "0", "2", "5", "9", "31", "2027", "1-5"]


@settings(deadline=None, max_examples=300)  # A busy machine is no defect.
@given(words=st.lists(st.sampled_from([*DAYS, *TIMES, *REST]), max_size=6))
def test_whatever_is_typed_is_one_coming_moment_a_rhythm_or_refused(words: list[str]) -> None:
    try:
        meant = read(" ".join(words)).when
    except UnclearTimeError:
        return

    assert isinstance(meant, Trigger) or (meant.at > NOW and meant.at.microsecond == 0)


@settings(deadline=None)
@given(
    wall=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - wall times.
    zone=st.sampled_from([BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_a_wall_time_means_a_moment_that_shows_it_or_the_end_of_the_gap(
    wall: datetime, zone: str
) -> None:
    at, note = moment_at(wall.replace(second=0, microsecond=0), ZoneInfo(zone))
    shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert shown == wall.replace(second=0, microsecond=0) or "is meant" in note
    assert shown >= wall.replace(second=0, microsecond=0)
