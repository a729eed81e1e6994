"""How much longer Slack may be asked while a person waits for an answer.

One gesture may need several looks at people, groups and channels. Each has a limit of its own;
all of them together have what is left of the person's patience.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float | None] = ContextVar("hurry", default=None)
STEP = 0.25  # A client is kept for each limit, so limits come in few sizes.


@contextmanager
def asking_at_most(seconds: float) -> Iterator[None]:
    """Let this thread ask Slack for that long, however often it asks."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def time_left(limit: float) -> float:
    """Return for how many seconds to ask now: `limit`, or what is left; 0 when nothing is."""
    until = _UNTIL.get()
    if until is None or until - time.monotonic() >= limit:
        return limit
    return max(0.0, (until - time.monotonic()) // STEP * STEP)
