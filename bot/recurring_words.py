"""`every weekday 9:00`, `every 15 minutes`, `cron "0 9 * * 1-5"`: rhythms read into cron. Pure.

The grammar is small on purpose: what it does not know is said in cron's five fields.
"""

import re
from collections.abc import Sequence

from bot.time_of_day import find_time
from workflows.errors import UnclearTimeError
from workflows.fault import nearest

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAYS_OF = {"day": "*", "weekday": "1-5", "weekend": "0,6"}
_STEPS = {"minute": 60, "hour": 24}
_NOON, _DAY = 12, 24
_EVERY = re.compile(r"(?:(?P<count>\d{1,4})\s+)?(?P<unit>minute|hour)s?")
HINT = (
    "Write it as “every day 18:00”, “every weekday 9:00”, “every monday 8am”, “every hour”,"
    ' “every 15 minutes”, or cron "0 9 * * 1-5".'
)


def is_recurring(words: str) -> bool:
    """Say whether `words` begin a rhythm and not one moment."""
    return words.partition(" ")[0] in {"every", "cron"}


def cron_of(words: str) -> str:
    """Return the cron line that `words` mean.

    Raises:
        UnclearTimeError: they mean none that this grammar knows.
    """
    first, _, rest = words.partition(" ")
    if first == "cron":
        return " ".join(rest.split())
    return _steps(rest) or _days(rest)


def _steps(words: str) -> str:
    found = _EVERY.fullmatch(words)
    if found is None:
        return ""
    count, whole = int(found["count"] or 1), _STEPS[found["unit"]]
    if count == 0 or whole % count:
        # Cron counts from the start of the hour or day, so other steps would be uneven.
        raise UnclearTimeError(
            f"“every {words}” does not go evenly into {'an hour' if whole == 60 else 'a day'}.",  # noqa: PLR2004 - the minutes of an hour.
            hint=HINT,
        )
    if found["unit"] == "hour":
        return "0 * * * *" if count == 1 else f"0 */{count} * * *"
    return "* * * * *" if count == 1 else f"*/{count} * * * *"


def _days(words: str) -> str:
    at, rest = find_time(words)
    named = [one for one in re.split(r"[,\s]+", rest) if one not in {"", "and", "at", "on"}]
    if not named:
        raise UnclearTimeError(f"“every {words}” does not say on which days.", hint=HINT)
    if at is None and len(named) > 1 and named[-1].isdecimal():
        _refuse_bare_hour(" ".join(named[:-1]), int(named[-1]))
    days = _days_of(named)
    if at is None:
        raise UnclearTimeError(
            "It does not say at what time of the day.",
            hint=f"Write “every {' '.join(named)} 9:00”.",
        )
    return f"{at.minute} {at.hour} * * {days}"


def _refuse_bare_hour(days: str, hour: int) -> None:
    both = f"“every {days} {hour}am” or “every {days} {hour}pm”"
    raise UnclearTimeError(
        f"“{hour}” is no time of day.",
        hint=f"Write {both}." if 0 < hour < _NOON else f"Write “every {days} {hour % _DAY}:00”.",
    )


def _days_of(named: Sequence[str]) -> str:
    if len(named) == 1 and (rhythm := _DAYS_OF.get(named[0].removesuffix("s"))):
        return rhythm
    return ",".join(str(one) for one in sorted({_day(name) for name in named}))


def _day(name: str) -> int:
    for number, day in enumerate(DAYS):
        if name in {day, f"{day}s", day[:3]}:
            return number
    if name.removesuffix("s") in _DAYS_OF:
        raise UnclearTimeError(f"“{name}” does not stand beside other days.", hint=HINT)
    near = nearest(name, [*DAYS, *_DAYS_OF])
    told = f" Did you mean “{near}”?" if near else ""
    raise UnclearTimeError(f"“{name}” is no day of the week.{told}", hint=HINT)
