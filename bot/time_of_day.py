"""A time of day as people type it: `9am`, `9:30 pm`, `14:00`, `noon`. Pure.

Days, moments and rhythms are for `moment_words` and `recurring_words`.
"""

import re
from datetime import time

from workflows.errors import UnclearTimeError

_CLOCK = re.compile(
    r"(?<![\w:.])(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>[ap])\.?m\.?(?![\w:])"
    r"|(?<![\w:.])(?P<hour24>\d{1,2}):(?P<minute24>\d{2})(?![\w:])"
    r"|\b(?P<noon>noon)\b"
)
_HALF_DAY = 12
HINT = "Write it as 9am, 9:30pm, 14:00 or noon."


def find_time(words: str) -> tuple[time | None, str]:
    """Return the time of day in `words`, None if there is none, and the words without it.

    Raises:
        UnclearTimeError: there are two, or one that no clock shows.
    """
    if re.search(r"\bmidnight\b", words):
        raise UnclearTimeError("“midnight” can begin a day or end it.", hint="Write 0:00 or 23:59.")
    found = list(_CLOCK.finditer(words))
    if len(found) > 1:
        raise UnclearTimeError(
            f"“{found[0][0].strip()}” and “{found[1][0].strip()}” are two times of day.", hint=HINT
        )
    if not found:
        return None, words
    at = found[0]
    rest = f"{words[: at.start()]} {words[at.end() :]}"
    return _time(at), " ".join(rest.split())


def _time(found: re.Match[str]) -> time:
    if found["noon"]:
        return time(12)
    try:
        if found["hour24"]:
            return time(int(found["hour24"]), int(found["minute24"]))
        return _with_half(
            int(found["hour"]), int(found["minute"] or 0), is_late=found["half"] == "p"
        )
    except ValueError:
        raise UnclearTimeError(f"“{found[0].strip()}” is no time of day.", hint=HINT) from None


def _with_half(hour: int, minute: int, *, is_late: bool) -> time:
    if not 1 <= hour <= _HALF_DAY:
        raise ValueError(hour)
    return time(hour % _HALF_DAY + _HALF_DAY * is_late, minute)
