"""Until when somebody is away, in words: as other moments, and a day alone means its beginning."""

from datetime import UTC, datetime

import pytest

from bot.away_words import read_until
from bot.moment_child import parse
from workflows.errors import UnclearTimeError

NOW = datetime(2026, 11, 25, 19, 47, 30, tzinfo=UTC)  # A Wednesday, 20:47 in Berlin.


def until(words: str) -> str:
    found, _note = read_until(words, timezone="Europe/Berlin", now=NOW, ask=parse)
    return f"{found:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("monday", "2026-11-29 23:00"),
        ("Next  Friday", "2026-11-26 23:00"),
        ("tomorrow", "2026-11-25 23:00"),
        ("wednesday", "2026-12-01 23:00"),  # Today is one, and its beginning has passed.
        ("2026-12-24", "2026-12-23 23:00"),
        ("24 december", "2026-12-23 23:00"),
        ("friday 18:00", "2026-11-27 17:00"),
        ("in 3 days", "2026-11-28 19:47"),
        ("2026-12-24 18:30 utc", "2026-12-24 18:30"),
    ],
)
def test_a_day_with_or_without_a_time_is_one_moment(words: str, moment: str) -> None:
    assert until(words) == moment


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "until when"),
        ("today", "has passed"),
        ("whenever", "no word for a time"),
        ("december", "which day"),
        ("5/6/2027", "can be two days"),
        ("friday 9", "does not fit together"),
    ],
)
def test_what_means_no_single_moment_is_refused(words: str, why: str) -> None:
    with pytest.raises(UnclearTimeError, match=why):
        until(words)
