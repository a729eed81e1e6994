"""Moments as the trail writes them (AUDIT.md section 2): UTC, exactly three decimals."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DDThh:mm:ss.mmmZ`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """Return the moment that `stamp` wrote.

    Raises:
        ValueError: the text has another form.
    """
    return datetime.fromisoformat(text).astimezone(UTC)
