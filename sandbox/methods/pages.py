"""Cursors: how long lists are handed out in pages."""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from sandbox import limits
from sandbox.errors import SlackError

T = TypeVar("T")


def page(
    items: Sequence[T], arguments: dict[str, Any], *, most: int = limits.PAGE_MOST
) -> tuple[Sequence[T], str]:
    """Return one page of `items` and the cursor of the next, empty at the end.

    Raises:
        SlackError: `invalid_limit` or `invalid_cursor`.
    """
    limit = arguments.get("limit") or limits.PAGE
    if not isinstance(limit, int) or not 0 < limit <= most:
        raise SlackError("invalid_limit")
    start = _start(arguments.get("cursor") or "")
    after = start + limit
    cursor = base64.b64encode(f"next:{after}".encode()).decode() if after < len(items) else ""
    return items[start:after], cursor


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, place = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise SlackError("invalid_cursor")
        return int(place)
    except ValueError as problem:
        raise SlackError("invalid_cursor") from problem
