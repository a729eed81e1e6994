"""Moments as the trail writes them (AUDIT.md section 2), and as definitions and people do."""

from datetime import UTC, date, datetime, time

from workflows.errors import ExpressionError


def stamp(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DDThh:mm:ss.mmmZ`: UTC, exactly three decimals."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def second(moment: datetime) -> str:
    """Return `moment` as inputs hold it: `YYYY-MM-DDThh:mm:ssZ`, UTC, whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


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
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or (found.tzinfo is None and "T" in text):
        raise ExpressionError(
            f"{text!r} is no moment to wait for.",
            hint="Give a day such as 2026-03-31, or a moment such as 2026-03-31T09:00:00+02:00.",
        )
    if found.tzinfo is None:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    return found.astimezone(UTC)
