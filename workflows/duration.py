"""Lengths of time as definitions write them: `30s`, `5m`, `24h`, `2d`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

PATTERN = r"^[1-9][0-9]{0,5}(ms|s|m|h|d)$"
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DOWN = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def duration(text: object) -> timedelta:
    """Return the length that `text` writes.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no length of time; write 30s, 5m, 24h or 2d")
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()  # type: ignore[union-attr]  # PATTERN just matched.
    return timedelta(**{_UNITS[unit]: int(number)})


def duration_text(length: timedelta) -> str:
    """Return the one text for `length`, in the largest unit that fits without a rest."""
    milliseconds = length // timedelta(milliseconds=1)
    unit, size = next((unit, size) for unit, size in _DOWN if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["30s", "5m", "24h", "2d"]}),
]


def at_most(longest: timedelta) -> AfterValidator:
    """Return the check that a length of time is no longer than `longest`."""

    def check(length: timedelta) -> timedelta:
        if length > longest:
            raise ValueError(f"is too long; write at most {duration_text(longest)}")
        return length

    return AfterValidator(check)
