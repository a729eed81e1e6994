"""The moments that people say most, read without help: `tomorrow 9am`, `friday noon`, `in 2 hours`.

What is not read here is for dateparser in a process of its own (`moment_words`), which on a busy
machine may not answer in time. Pure.
"""

import re
from datetime import datetime, time, timedelta

from bot.recurring_words import DAYS

_COUNTS = "one two three four five six seven eight nine ten".split()  # noqa: SIM905 - reads as words.
_NUMBERS = {word: number for number, word in enumerate(_COUNTS, start=1)} | {"a": 1, "an": 1}
_SHORT = {"min": "minutes", "minute": "minutes", "h": "hours", "hr": "hours", "hour": "hours"}
_LONG = {"d": "days", "day": "days", "week": "weeks"}
_FILLING = frozenset({"", "at", "on"})
_WEEK = 7


def read_plainly(words: str, at: time | None, base: datetime) -> datetime | None:
    """Return the wall time that `words` mean, counted from `base`; None if others have to read it.

    `at` is the time of day that was said beside them.
    """
    named = [one for one in re.split(r"[,\s]+", words) if one not in _FILLING]
    if named[:1] == ["in"]:
        return _later(named[1:], at, base)
    if at is None:
        return None
    if not named:
        return _on(base, at, days=0 if at > base.time() else 1)
    if named == ["today"]:
        return _on(base, at, days=0)
    if named == ["tomorrow"]:
        return _on(base, at, days=1)
    return _weekday(named, at, base)


def _later(named: list[str], at: time | None, base: datetime) -> datetime | None:
    """Read `in 2 hours`, and `in 3 days` at the same time of day or the one that was said."""
    if len(named) != len(("count", "unit")):
        return None
    count = _NUMBERS.get(named[0]) or (
        int(named[0]) if re.fullmatch(r"\d{1,4}", named[0]) else None
    )
    unit = named[1] if named[1] in _SHORT else named[1].removesuffix("s")
    if count is None:
        return None
    if at is None and unit in _SHORT:
        return base + timedelta(**{_SHORT[unit]: count})
    if unit not in _LONG:
        return None
    then = base + timedelta(**{_LONG[unit]: count})
    return then if at is None else _on(then, at, days=0)


def _weekday(named: list[str], at: time, base: datetime) -> datetime | None:
    """Read `friday` and `next friday` as the next one there is."""
    day = named[1:] if named[0] == "next" else named
    found = [number for number, name in enumerate(DAYS) if day in ([name], [name[:3]])]
    if not found:
        return None
    away = ((found[0] - 1) - base.weekday()) % _WEEK
    return _on(base, at, days=away or _WEEK)


def _on(base: datetime, at: time, *, days: int) -> datetime:
    return datetime.combine(base.date() + timedelta(days=days), at)
