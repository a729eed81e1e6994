"""`tomorrow 9am`, `in 2 hours`, `next friday 14:00`, `2026-12-24 18:30`: words into one moment.

What people say most is read by `plain_moments`. dateparser reads the rest, and leaves out what it
does not understand: “tomorrow 25:00” and “tomorrow at 9” become tomorrow at the present minute, a
zone's name is dropped. So only words that are known here get as far as it, a time of day has to be
said, and what comes back must show that time and that weekday. Whatever is unclear is refused with
what would be right.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.local_time import moment_at
from bot.plain_moments import read_plainly
from bot.recurring_words import DAYS
from bot.time_of_day import find_time
from workflows.errors import UnclearTimeError

FARTHEST = timedelta(days=500 * 365)  # Nobody means more; how far is allowed, others say.
SECONDS = 2.0  # Slack waits for three.
EXAMPLES = "Write it as “tomorrow 9am”, “in 2 hours”, “next friday 14:00” or “2026-12-24 18:30”."

_MONTHS = "january february march april may june july august september october november december"
_SMALL = "a an one two three four five six seven eight nine ten"
_UNITS = "min mins minute minutes h hr hrs hour hours d day days week weeks month months"
_MONTH_NAMES = frozenset(_MONTHS.split()) | {one[:3] for one in _MONTHS.split()} | {"sept"}
_UNIT_NAMES = frozenset(_UNITS.split())
_DAY_NAMES = frozenset(name for day in DAYS for name in (day, day[:3]))
_LINKS = frozenset("today tomorrow next this on at in and of".split())  # noqa: SIM905 - reads as words.
_KNOWN = _LINKS | _MONTH_NAMES | _UNIT_NAMES | _DAY_NAMES | frozenset(_SMALL.split())
_NUMBER = re.compile(r"\d{1,4}(st|nd|rd|th)?|\d{1,4}(min|h|d)")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})[ t](\d{1,2}):(\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|(?P<one>\d{1,2})[./](?P<two>\d{1,2})[./]\d{4}")
_UTC = re.compile(r"\s*(?:\butc|(?<=\d)z)$")
_DAY_AFTER = re.compile(r"\b(?:the )?day after tomorrow\b")
_BARE_HOUR = re.compile(r"(?P<day>.*?)\s*\b(?:at )?(?P<hour>\d{1,2})")
_SHORT_SPAN = re.compile(r"\b(min|mins|minutes?|h|hrs?|hours?)\b|\d(min|h)\b")
_MOST_WORDS = 100

Ask = Callable[[str, datetime], "datetime | None"]


def moment_of(
    words: str, zone: ZoneInfo, now: datetime, *, ask: Ask | None = None
) -> tuple[datetime, str]:
    """Return the moment that `words` mean to somebody in `zone`, and what is odd about it.

    `words` are in small letters; “UTC” at their end counts instead of `zone`.

    Raises:
        UnclearTimeError: they mean none, more than one, or one that has passed.
    """
    if _UTC.search(words):
        words, zone = _UTC.sub("", words), ZoneInfo("UTC")
    here = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    found, note = _in_reach(
        words, zone, here, now=now, ask=ask or partial(ask_child, seconds=SECONDS)
    )
    if found <= now:
        raise UnclearTimeError(
            f"“{words}” is {found.astimezone(zone):%Y-%m-%d %H:%M}, and that has passed:"
            f" it is {here:%Y-%m-%d %H:%M} ({zone.key}).",
            hint=EXAMPLES,
        )
    return found, note


def _in_reach(
    words: str, zone: ZoneInfo, here: datetime, *, now: datetime, ask: Ask
) -> tuple[datetime, str]:
    """Read it; at the end of the calendar some zones have no time that others could be told."""
    with suppress(OverflowError):
        found, note = _read(words, zone, here, now=now, ask=ask)
        if found - now <= FARTHEST:
            return found, note
    raise UnclearTimeError(
        f"“{words}” is too far away.", hint=f"At most {FARTHEST.days // 365} years."
    )


def _read(
    words: str, zone: ZoneInfo, here: datetime, *, now: datetime, ask: Ask
) -> tuple[datetime, str]:
    if iso := _ISO.fullmatch(words):
        # The one form that needs nobody's help, so it also works when the machine is too busy.
        return moment_at(_written(words, iso), zone)
    at, rest = find_time(words)
    _refuse_unknown(_DAY_AFTER.sub("tomorrow", rest))
    _refuse_half_said(words, rest)
    if words.startswith("in ") and at is None:
        return _span(words, zone, here, now=now, ask=ask)
    if words.startswith("in ") and _SHORT_SPAN.search(rest):
        span = rest.removesuffix(" at")
        raise UnclearTimeError(
            f"“{words}” says twice when.", hint=f"Leave out “{span}” or “{at:%H:%M}”."
        )
    if at is None:
        raise UnclearTimeError(f"“{words}” does not say at what time.", hint=_with_time(words))
    _refuse_today(rest, here, at)
    found = read_plainly(rest, at, here) or ask(f"{rest} {at:%H:%M}".strip(), here)
    if found is None:
        raise UnclearTimeError(f"“{words}” is no moment I know.", hint=EXAMPLES)
    _refuse_misread(words, rest, at, found)
    return moment_at(found, zone)


def _written(words: str, iso: re.Match[str]) -> datetime:
    try:
        return datetime.fromisoformat(f"{iso[1]} {int(iso[2]):02}:{iso[3]}")
    except ValueError:
        raise UnclearTimeError(f"“{words}” is no day and time.", hint=EXAMPLES) from None


def _span(
    words: str, zone: ZoneInfo, here: datetime, *, now: datetime, ask: Ask
) -> tuple[datetime, str]:
    """Read “in 2 hours” by elapsed time, and “in 2 days” by the clock on the wall."""
    is_short = _SHORT_SPAN.search(words) is not None
    base = now.astimezone(UTC).replace(tzinfo=None, microsecond=0) if is_short else here
    found = read_plainly(words, None, base) or ask(words, base)
    if found is None:
        raise UnclearTimeError(f"“{words}” is no moment I know.", hint=EXAMPLES)
    return (found.replace(tzinfo=UTC), "") if is_short else moment_at(found, zone)


def _refuse_unknown(rest: str) -> None:
    if len(rest) > _MOST_WORDS:
        raise UnclearTimeError("These are too many words for a moment.", hint=EXAMPLES)
    for word in re.split(r"[,\s]+", rest):
        if date := _DATE.fullmatch(word):
            _refuse_ambiguous(word, date)
        elif word and word not in _KNOWN and not _NUMBER.fullmatch(word):
            raise UnclearTimeError(
                f"“{word[:60]}” is no word for a time that I know.", hint=EXAMPLES
            )


def _refuse_half_said(words: str, rest: str) -> None:
    """Refuse a month without its day, and a unit of time without “in” or “next”."""
    said = set(re.split(r"[,\s]+", rest))
    is_dayless = said & _MONTH_NAMES and not re.search(r"\d", rest)
    is_loose = said & _UNIT_NAMES and not said & {"in", "next"} and "day after" not in rest
    if is_dayless or is_loose or {"today", "tomorrow"} <= said:
        raise UnclearTimeError(f"“{words}” does not say which day.", hint=EXAMPLES)


def _refuse_ambiguous(word: str, date: re.Match[str]) -> None:
    one, two = date["one"], date["two"]
    if one is None or int(one) == int(two) or max(int(one), int(two)) > 12:  # noqa: PLR2004 - no month has a larger number.
        return
    year = word[-4:]
    raise UnclearTimeError(
        f"“{word}” can be two days.",
        hint=f"Write {year}-{int(two):02}-{int(one):02} or {year}-{int(one):02}-{int(two):02}.",
    )


def _with_time(words: str) -> str:
    bare = _BARE_HOUR.fullmatch(words)
    if bare is None or not 1 <= int(bare["hour"]) < 12:  # noqa: PLR2004 - later hours have one meaning.
        return f"Write “{words} 9:00”, for example."
    day, hour = bare["day"], bare["hour"]
    return f"Write “{day} {hour}am” or “{day} {hour}pm”.".replace("“ ", "“")


def _refuse_today(rest: str, here: datetime, at: time) -> None:
    """Refuse “friday 14:00” on a Friday: it may be today, or a week from today."""
    named = _weekday_in(rest)
    if named != here.weekday() or at <= here.time() or re.search(r"\d|today|this|next", rest):
        return
    later = here + timedelta(days=7)
    raise UnclearTimeError(
        f"Today is {here:%A}, so this can be today or in a week.",
        hint=f"Write “today {at:%H:%M}” or “{later:%Y-%m-%d} {at:%H:%M}”.",
    )


def _refuse_misread(words: str, rest: str, at: time, found: datetime) -> None:
    """Refuse what came back with another time, weekday or number than was said."""
    named = _weekday_in(rest)
    numbers = {int(one) for one in re.findall(r"\d+", rest)}
    is_counted = bool(re.search(r"\bin\b", rest)) and named is None
    fits = is_counted or numbers <= {found.day, found.month, found.year}
    if fits and found.time() == at and named in {None, found.weekday()}:
        return
    raise UnclearTimeError(
        f"“{words}” does not fit together; part of it would be {found:%A}, {found:%Y-%m-%d}.",
        hint=f"Write “{found:%Y-%m-%d} {at:%H:%M}” if you mean that day.",
    )


def _weekday_in(rest: str) -> int | None:
    """Return the day of the week that is named, Monday being 0 as Python counts."""
    words = set(re.split(r"[,\s]+", rest))
    for number, day in enumerate(DAYS):
        if words & {day, day[:3]}:
            return (number - 1) % 7
    return None


def ask_child(words: str, base: datetime, *, seconds: float) -> datetime | None:
    """Return the wall time that dateparser finds in `words`, counted from `base`.

    Raises:
        UnclearTimeError: it did not answer in time.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "bot.moment_child"],
            input=json.dumps([words, base.isoformat()]),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
            env={},
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise UnclearTimeError(
            f"“{words}” could not be read just now.",
            hint="Write the day and the time, as in “2026-12-24 18:30”: that always works.",
        ) from error
    found = json.loads(done.stdout)
    return None if found is None else datetime.fromisoformat(found)
