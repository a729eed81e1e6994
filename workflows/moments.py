"""Moments as the trail writes them (AUDIT.md section 2), and as definitions and people do."""

from contextlib import suppress
from datetime import UTC, date, datetime, time

from workflows.errors import ExpressionError


def stamp(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DDThh:mm:ss.mmmZ`: UTC, exactly three decimals."""
    return f"{_bare(moment).isoformat(timespec='milliseconds')}Z"


def second(moment: datetime) -> str:
    """Return `moment` as inputs hold it: `YYYY-MM-DDThh:mm:ssZ`, UTC, whole seconds."""
    return f"{_bare(moment).isoformat(timespec='seconds')}Z"


def _bare(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def moment(text: str) -> datetime:
    """Return the moment that `stamp` wrote.

    Raises:
        ValueError: the text has another form.
    """
    return datetime.fromisoformat(text).astimezone(UTC)


def moment_of(text: str) -> datetime:
    """Return the moment that `text` writes: RFC 3339 with an offset, or a day (its start, UTC).

    Raises:
        ExpressionError: it writes none.
    """
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    raise ExpressionError(
        f"{text!r} is no moment to wait for.",
        hint="Give a day such as 2026-03-31, or a moment such as 2026-03-31T09:00:00+02:00.",
    )
