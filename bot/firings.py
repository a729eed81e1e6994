"""When a schedule fires, and what is made of firings that nobody was there for. Pure.

cronsim is the calendar; waking up at these moments, once each, is for `clock`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from workflows.triggers import Missed, Once, Trigger, When

# What is later than this was missed: replicas look every 15 s, so a living one is in time.
GRACE = timedelta(seconds=60)
# cronsim moves a local time that a clock change skips to the next one that exists. Counting
# from a little earlier gives the same moments wherever one starts, changed clocks included.
LEAD = timedelta(hours=3)
MOST_COUNTED = 100_000
MOST_CAUGHT_UP = 50
NAME_LENGTH = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Firings that nobody was there for: the first, the last, how many, and the rule."""

    first: datetime
    last: datetime
    count: int
    rule: Missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be started now, oldest first, and what was missed."""

    start: tuple[datetime, ...] = ()
    gap: Gap | None = None


def schedule_name(workflow: str, trigger: Trigger) -> str:
    """Return the name of a schedule: the same as long as it says the same.

    Another trigger added to the file does not rename this one.
    """
    what = json.dumps([workflow, trigger.cron, trigger.timezone, trigger.inputs], sort_keys=True)
    return f"{workflow[:NAME_LENGTH]}/{hashlib.sha256(what.encode()).hexdigest()[:8]}"


def firings_between(trigger: When, *, after: datetime, until: datetime) -> list[datetime]:
    """Return the moments in (after, until], in UTC, at most a hundred thousand."""
    coming = takewhile(lambda one: one <= until, _after(trigger, after))
    return list(islice(coming, MOST_COUNTED))


def next_firing(trigger: When, *, after: datetime) -> datetime | None:
    """Return the first moment later than `after`, None if there is none."""
    return next(_after(trigger, after), None)


def _after(trigger: When, after: datetime) -> Iterator[datetime]:
    if isinstance(trigger, Once):
        return iter([trigger.at] if trigger.at > after else [])
    start = (after - LEAD).astimezone(ZoneInfo(trigger.timezone))
    moments = (one.astimezone(UTC) for one in CronSim(trigger.cron, start))
    return dropwhile(lambda one: one <= after, moments)


def plan(
    trigger: When, *, since: datetime, now: datetime, held_until: datetime | None = None
) -> Plan:
    """Return what to do at `now` about the firings later than `since`.

    A run that ended at `held_until` held back what came before that moment: it was not missed.
    """
    due = firings_between(trigger, after=since, until=now)
    missed_until = now - GRACE
    late = [one for one in due if one < missed_until and not _was_held(one, held_until)]
    missed = frozenset(late)  # A year of minutes is half a million of them.
    in_time = [one for one in due if one not in missed]
    if not late:
        return Plan(start=tuple(in_time))
    gap = Gap(first=late[0], last=late[-1], count=len(late), rule=trigger.missed)
    return Plan(start=(*_caught_up(trigger.missed, late, in_time), *in_time), gap=gap)


def _was_held(due: datetime, held_until: datetime | None) -> bool:
    return held_until is not None and due <= held_until


def _caught_up(rule: Missed, late: list[datetime], in_time: list[datetime]) -> list[datetime]:
    match rule:
        case Missed.SKIP:
            return []
        case Missed.RUN_ONCE:
            # A run that is due anyhow stands for the missed ones too.
            return [] if in_time else late[-1:]
        case Missed.RUN_ALL:
            return late[-MOST_CAUGHT_UP:]


def wall_time(due: datetime, timezone: str) -> str:
    """Return a firing as people know it: local time with its offset, and the zone."""
    return f"{due.astimezone(ZoneInfo(timezone)).isoformat(timespec='seconds')} {timezone}"
