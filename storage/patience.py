"""How long a unit may wait for others, or for a server that is away, before it is refused.

A person waits three seconds for Slack; a worker has time. Whoever answers people says so once
around all it does, instead of every unit saying it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

SHORTEST_MS = 250  # However late it is: a unit that need not wait for others is done by then.

_MILLISECONDS: ContextVar[int | None] = ContextVar("patience", default=None)
_UNTIL: ContextVar[float] = ContextVar("patience_until", default=float("inf"))
_SERVER_SECONDS: ContextVar[float] = ContextVar("server_patience", default=0.0)


@contextmanager
def in_a_hurry(milliseconds: int, *, until: float = float("inf")) -> Iterator[None]:
    """Let each unit of this thread wait that long at most; then it is refused.

    Together they wait no longer than `until`, a moment of the monotonic clock; what comes after
    it waits for next to nothing.
    """
    each, end = _MILLISECONDS.set(milliseconds), _UNTIL.set(until)
    try:
        yield
    finally:
        _MILLISECONDS.reset(each)
        _UNTIL.reset(end)


@contextmanager
def waiting_for_the_server(limit: timedelta) -> Iterator[None]:
    """Let units of this thread wait for a server that is away, before they begin."""
    token = _SERVER_SECONDS.set(limit.total_seconds())
    try:
        yield
    finally:
        _SERVER_SECONDS.reset(token)


def patience() -> int | None:
    """Return how long a unit of this thread may wait, None for the database's own limit."""
    each, until = _MILLISECONDS.get(), _UNTIL.get()
    if each is None or until == float("inf"):
        return each
    return min(each, max(SHORTEST_MS, int((until - time.monotonic()) * 1000)))


def server_patience() -> float:
    """Return how many seconds units of this thread wait for a server that is away."""
    return _SERVER_SECONDS.get()
