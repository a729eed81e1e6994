"""The calendar against a slow and plain one: each local time is honoured once, none is lost.

The plain calendar walks every minute over a weekend on which some zone changes its clocks.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.firings import firings_between, next_firing
from workflows.triggers import Trigger

MINUTE = timedelta(minutes=1)
# Zones and the UTC days around which they change: by an hour, by half an hour, at midnight.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("America/St_Johns", datetime(2026, 10, 31, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 4, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 5, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 5, 1, tzinfo=UTC)),
    ("UTC", datetime(2026, 5, 1, tzinfo=UTC)),
]
PLACES = st.sampled_from(CHANGES)
FIXED = st.builds(
    lambda minute, hours: (minute, tuple(sorted(hours))),
    st.integers(0, 59),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
)


def minutes(start: datetime, days: int) -> Iterator[datetime]:
    for number in range(1, days * 24 * 60 + 1):
        yield start + number * MINUTE


def walls(start: datetime, days: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield every minute that a wall clock could show in that time, shown or skipped."""
    first = start.astimezone(zone).replace(tzinfo=None) - timedelta(hours=2)
    for number in range((days * 24 + 4) * 60):
        yield first + number * MINUTE


def meant_by(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which a daily schedule for `wall` fires, found by looking."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC) - timedelta(hours=3)
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += MINUTE
    return moment


@settings(deadline=None, max_examples=60)
@given(place=PLACES, times=FIXED)
def test_a_daily_time_fires_once_at_its_first_moment_or_just_after_the_gap(
    place: tuple[str, datetime], times: tuple[int, tuple[int, ...]]
) -> None:
    (name, start), (minute, hours) = place, times
    zone, end = ZoneInfo(name), start + timedelta(days=3)
    trigger = Trigger(cron=f"{minute} {','.join(map(str, hours))} * * *", timezone=name)
    named = [one for one in walls(start, 3, zone) if one.minute == minute and one.hour in hours]
    expected = sorted({meant_by(one, zone) for one in named})

    found = firings_between(trigger, after=start, until=end)

    assert found == [one for one in expected if start < one <= end]


@settings(deadline=None, max_examples=60)
@given(place=PLACES, step=st.sampled_from([1, 5, 20, 30, 60]))
def test_a_rhythm_over_all_hours_keeps_every_one_of_its_minutes(
    place: tuple[str, datetime], step: int
) -> None:
    name, start = place
    zone, end = ZoneInfo(name), start + timedelta(days=3)
    trigger = Trigger(cron=f"*/{step} * * * *" if step < 60 else "0 * * * *", timezone=name)
    expected = [one for one in minutes(start, 3) if one.astimezone(zone).minute % step == 0]

    assert firings_between(trigger, after=start, until=end) == expected


FIELDS = st.tuples(
    st.sampled_from(["0", "30", "*/15", "5,35", "*", "59"]),
    st.sampled_from(["*", "2", "0", "*/2", "1-3", "23", "2,3"]),
    st.sampled_from(["*", "1", "*/2", "L"]),
    st.just("*"),
    st.sampled_from(["*", "0", "1-5", "6"]),
)


@settings(deadline=None, max_examples=150)
@given(place=PLACES, fields=FIELDS, cut=st.integers(0, 3 * 24 * 60))
def test_firings_are_strictly_later_each_time_and_the_same_wherever_counting_starts(
    place: tuple[str, datetime], fields: tuple[str, ...], cut: int
) -> None:
    name, start = place
    trigger = Trigger(cron=" ".join(fields), timezone=name)
    end, middle = start + timedelta(days=3), start + cut * MINUTE

    whole = firings_between(trigger, after=start, until=end)
    halves = firings_between(trigger, after=start, until=middle) + firings_between(
        trigger, after=middle, until=end
    )
    coming = next_firing(trigger, after=start)

    assert all(one < other for one, other in pairwise(whole))
    assert halves == whole
    assert coming is not None
    assert whole == [] or coming == whole[0]
