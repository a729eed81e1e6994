"""How long a unit may wait for others before it is refused.

A person waits three seconds for Slack; a worker has time. Whoever answers people says so once
around all it does, instead of every unit saying it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MILLISECONDS: ContextVar[int | None] = ContextVar("patience", default=None)


@contextmanager
def in_a_hurry(milliseconds: int) -> Iterator[None]:
    """Let units of this thread wait that long at most; then they are refused."""
    token = _MILLISECONDS.set(milliseconds)
    try:
        yield
    finally:
        _MILLISECONDS.reset(token)


def patience() -> int | None:
    """Return how long units of this thread may wait, None for the database's own limit."""
    return _MILLISECONDS.get()
