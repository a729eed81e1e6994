"""How long a unit may wait for others, or for a server that is away, before it is refused.

A person waits three seconds for Slack; a worker has time. Whoever answers people says so once
around all it does, instead of every unit saying it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

_MILLISECONDS: ContextVar[int | None] = ContextVar("patience", default=None)
_SERVER_SECONDS: ContextVar[float] = ContextVar("server_patience", default=0.0)


@contextmanager
def in_a_hurry(milliseconds: int) -> Iterator[None]:
    """Let units of this thread wait that long at most; then they are refused."""
    token = _MILLISECONDS.set(milliseconds)
    try:
        yield
    finally:
        _MILLISECONDS.reset(token)


@contextmanager
def waiting_for_the_server(limit: timedelta) -> Iterator[None]:
    """Let units of this thread wait for a server that is away, before they begin."""
    token = _SERVER_SECONDS.set(limit.total_seconds())
    try:
        yield
    finally:
        _SERVER_SECONDS.reset(token)


def patience() -> int | None:
    """Return how long units of this thread may wait, None for the database's own limit."""
    return _MILLISECONDS.get()


def server_patience() -> float:
    """Return how many seconds units of this thread wait for a server that is away."""
    return _SERVER_SECONDS.get()
