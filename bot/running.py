"""Starts the long-lived parts of a process in order, watches them, stops them in reverse."""

import logging
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Protocol

from workflows.errors import InterlockError

WATCH_SECONDS = 1.0
ONE_WISH_SECONDS = 1.0  # `timeout` tells the process and then its group: that is one wish.

log = logging.getLogger(__name__)


class BrokenDownError(InterlockError):
    """A part of the serving process can no longer do its work; start the process again."""


class Part(Protocol):
    """Something that works in threads of its own between `start` and `stop`."""

    def start(self) -> None:
        """Begin to work, or raise."""

    def stop(self) -> None:
        """Take nothing new and return soon; safe after a failed start."""


def run_until(
    stopping: threading.Event,
    parts: Sequence[Part],
    *,
    problem: Callable[[], str | None] = lambda: None,
    begun: Callable[[], bool] = lambda: True,
    grace: float = 0,
) -> None:
    """Run `parts` until `stopping` is set.

    `begun` is asked once all of them are started, and again each second until it says True.

    For `grace` seconds after the signal they work on: whoever sends people here asks meanwhile
    whether the process is ready, is told that it is not, and sends nobody any more.

    A part that fails to start stops those before it. Each is stopped even if another's stop
    fails, so that a lock is never kept by half a process.

    Raises:
        BrokenDownError: `problem` found one; whatever supervises the process starts it again.
    """
    with ExitStack() as stack:
        for part in parts:
            stack.callback(_stop, part)
            part.start()
        found = _watch(stopping, problem, begun)
        if found is None and grace:
            time.sleep(grace)
    if found is not None:
        raise BrokenDownError(found, hint="Its supervisor should start it again.")


def _watch(
    stopping: threading.Event, problem: Callable[[], str | None], begun: Callable[[], bool]
) -> str | None:
    has_begun = begun()
    while not stopping.wait(WATCH_SECONDS):
        found = problem()
        if found is not None:
            return found
        has_begun = has_begun or begun()
    return None


def _stop(part: Part) -> None:
    try:
        part.stop()
    except Exception:
        log.exception("a part did not stop cleanly", extra={"part": type(part).__name__})


def leave_no_core_dump() -> None:
    """Have the system write no picture of this process's memory should it break down."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def until_signalled(*, ticks: Callable[[], float] = time.monotonic) -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set; one that comes later ends the process at once.

    What comes within a second of the first is taken for the same wish.
    """
    stopping = threading.Event()
    wished = list[float]()

    def on_signal(number: int, _: FrameType | None) -> None:
        wished.append(ticks())
        stopping.set()
        if wished[-1] - wished[0] > ONE_WISH_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    earlier = {one: signal.signal(one, on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
