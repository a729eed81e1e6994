"""`monday`, `friday 18:00`, `in 3 days`: until when somebody is away, in words.

As `moment_words` reads a moment, except that a day alone will do: it means its beginning, since
whoever is away until Monday is back on Monday. It is said back before it counts.
"""

from datetime import datetime

from bot.local_time import zone_of
from bot.moment_words import Ask, moment_of
from bot.time_of_day import find_time
from workflows.errors import UnclearTimeError

EXAMPLES = "Write it as “monday”, “friday 18:00”, “in 3 days” or “2026-12-24 18:30”."


def read_until(
    words: str, *, timezone: str, now: datetime, ask: Ask | None = None
) -> tuple[datetime, str]:
    """Return the moment that `words` mean to somebody in `timezone`, and what is odd about it.

    Raises:
        UnclearTimeError: they mean none, more than one, or one that has passed.
    """
    said = " ".join(words.casefold().replace("\u202f", " ").split())
    if not said:
        raise UnclearTimeError("It does not say until when.", hint=EXAMPLES)
    at, _rest = find_time(said)
    if at is None and not said.startswith("in "):
        said = f"{said} 00:00"
    return moment_of(said, zone_of(timezone), now, ask=ask)
