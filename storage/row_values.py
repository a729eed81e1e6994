"""Rows of somebody else's database as JSON, and a digest of many that knows no order."""

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from workflows.actions.base import Affected
from workflows.entry import Json
from workflows.errors import ActionFailedError

LARGEST_INTEGER = 2**53 - 1
MOST_TOUCHED = 1_000_000


def json_value(value: Any) -> Json:  # noqa: ANN401  a driver may hand over anything
    """Return `value` as JSON; what JSON has no exact word for becomes text."""
    if isinstance(value, Mapping):
        return {str(name): json_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    if value is None or isinstance(value, bool | str):
        # A database may hold text that is no Unicode; the trail may not.
        return value.encode(errors="replace").decode() if isinstance(value, str) else value
    return _number(value) if isinstance(value, int | float) else _text(value)


def _number(value: float) -> Json:
    fits = abs(value) <= LARGEST_INTEGER if isinstance(value, int) else math.isfinite(value)
    return value if fits else str(value)


def _text(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value)


def json_row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Json]:
    """Return one row by its column names."""
    return dict(zip(names, map(json_value, values), strict=True))


def row_text(row: Mapping[str, Json]) -> str:
    """Return the row as text, the same for equal rows."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def gather(rows: Iterable[dict[str, Json]], *, shown: int) -> Affected:
    """Count the rows, digest them whatever their order, and keep the first few.

    Raises:
        ActionFailedError: more rows than anybody could answer for at once.
    """
    digests: list[bytes] = []
    first: list[dict[str, Json]] = []
    for row in rows:
        digests.append(hashlib.sha256(row_text(row).encode()).digest())
        first.append(row)
        if len(first) >= 50 * (shown + 1):
            first = sorted(first, key=_place)[:shown]
        if len(digests) > MOST_TOUCHED:
            raise ActionFailedError(
                f"The statement touches more than {MOST_TOUCHED} rows.",
                error_class="too_large",
                hint="Narrow it, and do it in several steps.",
            )
    digest = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    kept = sorted(first, key=_place)[:shown]
    return Affected(count=len(digests), digest=digest, shown=tuple(kept))


def _place(row: Mapping[str, Json]) -> list[tuple[int, float, str]]:
    """Return where a row stands among others: by its columns, numbers before words."""
    return [
        (0, float(one), "") if isinstance(one, int | float) else (1, 0.0, str(one))
        for one in row.values()
    ]
