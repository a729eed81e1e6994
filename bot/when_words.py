"""What people type for the time of a schedule, read into the moments it means.

`moment_words` reads one moment, `recurring_words` a rhythm; this puts the time zone to it and
says the result back. Whether it is stored is decided by a person who has seen that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cronsim import CronSim
from pydantic import ValidationError

from bot.local_time import Told, told, told_coming, zone_of
from bot.moment_words import EXAMPLES, Ask, moment_of
from bot.recurring_words import HINT, cron_of, is_recurring
from workflows.errors import UnclearTimeError
from workflows.triggers import Missed, Once, Trigger, When


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What words for a time mean, and what is odd about it."""

    when: When
    note: str = ""


def read_when(
    words: str, *, timezone: str, now: datetime, missed: Missed, ask: Ask | None = None
) -> Meant:
    """Return what `words` mean to somebody in `timezone`.

    Raises:
        UnclearTimeError: they mean nothing, more than one thing, or a moment that has passed.
    """
    said = " ".join(words.casefold().replace("\u202f", " ").split())
    if not said:
        raise UnclearTimeError("It does not say when.", hint=f"{EXAMPLES} Or: {HINT}")
    if is_recurring(said):
        rhythm = said.removesuffix(" utc")
        zone = timezone if rhythm == said else "UTC"
        return Meant(when=_recurring(rhythm, zone, missed))
    at, note = moment_of(said, zone_of(timezone), now, ask=ask)
    return Meant(when=Once(at=at, timezone=timezone, missed=missed), note=note)


def _recurring(said: str, timezone: str, missed: Missed) -> Trigger:
    zone_of(timezone)
    try:
        return Trigger(cron=cron_of(said), timezone=timezone, missed=missed)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UnclearTimeError(f"This cron line cannot be read: {why}.", hint=HINT) from error


def moments_told(when: When, *, now: datetime, note: str = "") -> Iterator[Told]:
    """Yield the moments to come as a person reads them, three of a rhythm."""
    if isinstance(when, Once):
        yield told(when.at, when.timezone, note=note)
        return
    yield from told_coming(when, after=now)


def rhythm_told(when: When) -> str:
    """Return how often it fires, in words."""
    if isinstance(when, Once):
        return "Once"
    explained = CronSim(when.cron, datetime(2024, 1, 1)).explain()  # noqa: DTZ001 - only its words.
    return f"{explained} ({when.timezone})"
