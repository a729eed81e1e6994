"""Local times and the moments they mean, changed clocks included, and how they are told. Pure.

Of a time that a clock change repeats the first is meant, and for one that it skips the first
moment after the gap: the same moments that cronsim gives a daily schedule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bot.firings import next_firing
from workflows.errors import UnclearTimeError
from workflows.triggers import LOCAL_ZONE, Once, When

SHOWN = 3
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A moment as a person reads it, with what is odd about it, if anything."""

    local: str
    utc: str
    note: str = ""

    @property
    def line(self) -> str:
        """Return both, or one where they are the same."""
        return self.local if self.local == self.utc else f"{self.local} · {self.utc}"


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone called `name`.

    Raises:
        UnclearTimeError: this machine knows none of that name, or only this machine does.
    """
    try:
        found = None if LOCAL_ZONE.fullmatch(name) else ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        found = None
    if found is None:
        raise UnclearTimeError(
            f"The time zone {name[:60]!r} is not known here.",
            hint="Name one such as Europe/Berlin, or write the time as “2026-12-24 18:30 UTC”.",
        )
    return found


def moment_at(local: datetime, zone: ZoneInfo) -> tuple[datetime, str]:
    """Return the moment that a wall clock of `zone` shows `local`, and what is odd about it."""
    first = local.replace(tzinfo=zone, fold=0)
    if _is_skipped(first):
        after = _end_of_gap(first, zone)
        return after, (
            f"The clocks go forward that day and {local:%H:%M} does not come;"
            f" {after.astimezone(zone):%H:%M} is meant."
        )
    if is_repeated(first):
        return first.astimezone(UTC), (
            f"The clocks go back that day and {local:%H:%M} comes twice; the first is meant."
        )
    return first.astimezone(UTC), ""


def _is_skipped(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) != local.replace(tzinfo=None)


def is_repeated(local: datetime) -> bool:
    """Say whether a wall clock shows this time twice."""
    other = local.replace(fold=1 - local.fold)
    return local.utcoffset() != other.utcoffset() and not _is_skipped(local)


def _end_of_gap(skipped: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment after the gap: with the later offset it lies before, or in it."""
    wall = skipped.replace(tzinfo=None)
    while _is_skipped(wall.replace(tzinfo=zone)):
        wall += _MINUTE
    return wall.replace(tzinfo=zone).astimezone(UTC)


def told(at: datetime, timezone: str, *, note: str = "") -> Told:
    """Return a moment in words: local with the zone's short name and its own, and UTC."""
    local = at.astimezone(ZoneInfo(timezone))
    short = local.tzname() or ""
    # Zones without a short name call themselves by their offset; either tells the two apart.
    named = f"{short} ({timezone})" if short and short != timezone else timezone
    return Told(local=f"{_day(local)} {named}", utc=_utc(at), note=note)


def _day(moment: datetime) -> str:
    seconds = f":{moment:%S}" if moment.second else ""
    return f"{moment:%a %-d %b %Y, %H:%M}{seconds}"


def _utc(at: datetime) -> str:
    return f"{_day(at.astimezone(UTC))} UTC"


def coming(when: When, *, after: datetime, most: int = SHOWN) -> list[datetime]:
    """Return the next moments, at most `most`."""
    found: list[datetime] = []
    while len(found) < most:
        at = next_firing(when, after=found[-1] if found else after)
        if at is None:
            break
        found.append(at)
    return found


def told_coming(when: When, *, after: datetime) -> Iterator[Told]:
    """Yield the next moments in words, each with what a clock change makes odd about it."""
    for at in coming(when, after=after):
        yield told(at, when.timezone, note=_oddity(at, when))


def _oddity(at: datetime, when: When) -> str:
    local = at.astimezone(ZoneInfo(when.timezone))
    if is_repeated(local):
        which = "second" if local.fold else "first"
        return f"the clocks go back: {local:%H:%M} comes twice, this is the {which}"
    if isinstance(when, Once) or _says(when.cron, local):
        return ""
    return f"the clocks go forward: the time meant does not come, so it is {local:%H:%M}"


def _says(cron: str, local: datetime) -> bool:
    """Say whether a cron line names this minute of this hour."""
    naive = local.replace(tzinfo=UTC, second=0, microsecond=0)
    return next(CronSim(cron, naive - _MINUTE)) == naive
