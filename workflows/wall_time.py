"""Times of day as a policy writes them, in its own zone, on days when clocks change too."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import StringConstraints

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
MINUTE = timedelta(minutes=1)
HORIZON = 40  # Days that are looked ahead; no request is open for longer.


def time_of_day(moment: datetime, zone: str) -> str:
    """Return what a clock in `zone` shows, as a policy writes it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def in_words(moment: datetime, zone: str) -> str:
    """Return a moment for people, as in "Mon 2 Mar, 09:00 (Europe/Berlin)"."""
    here = moment.astimezone(ZoneInfo(zone))
    return f"{here:%a} {here.day} {here:%b}, {here:%H:%M} ({zone})"


def is_between(now: str, begins: str, ends: str) -> bool:
    """Say whether `now` lies between two times of day, over midnight where `ends` comes first."""
    if begins < ends:
        return begins <= now < ends
    return now >= begins or now < ends


def first_from(
    moment: datetime, zone: str, times: tuple[str, ...], holds: Callable[[datetime], bool]
) -> datetime | None:
    """Return `moment` if `holds` is true of it, else the first midnight or time of day that is.

    None where no such moment comes within the horizon.
    """
    if holds(moment):
        return moment
    coming = sorted(_turns_of_days(moment, ZoneInfo(zone), ("00:00", *times)))
    return next((one for one in coming if one > moment and holds(one)), None)


def _turns_of_days(moment: datetime, zone: ZoneInfo, times: tuple[str, ...]) -> Iterator[datetime]:
    today = moment.astimezone(zone).date()
    for day in range(HORIZON):
        for text in times:
            yield from _moments(
                datetime.combine(today + timedelta(days=day), time.fromisoformat(text), zone)
            )


def _moments(here: datetime) -> Iterator[datetime]:
    """Yield when the clocks reach a time of day: in autumn that may be twice."""
    first, again = here.astimezone(UTC), here.replace(fold=1).astimezone(UTC)
    if again >= first:
        yield from {first, again}
        return
    # In spring the clocks jump over it, so it is reached in the minute in which they jump.
    after = first.astimezone(here.tzinfo).utcoffset()
    minutes = (again + timedelta(minutes=one) for one in range((first - again) // MINUTE + 1))
    yield next(one for one in minutes if one.astimezone(here.tzinfo).utcoffset() == after)
