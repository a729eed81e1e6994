"""Programs that wait for a run to move on: a bounded number, and no thread for any of them.

A commit of this process wakes them at once; what others commit they see by looking again.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

from bot.problems import DoorError
from workflows.entry import RunId

MOST = 200
MOST_EACH = 20


class Polls:
    """Those who wait in this process. `moved` and `close` may be called from any thread."""

    def __init__(self, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._places: Counter[str] = Counter()
        self._waiting: dict[RunId, set[_Sleeper]] = {}
        self._guard = threading.Lock()
        self.is_closed = False

    @property
    def waiting(self) -> int:
        """Return how many wait now."""
        with self._guard:
            return self._places.total()

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """Keep a place for one that waits.

        Raises:
            DoorError: too many wait already.
        """
        with self._guard:
            if self._places.total() >= self._most or self._places[who] >= self._most_each:
                raise DoorError(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "Too many requests wait already.",
                    hint="Ask without ?wait, or wait for fewer runs at once.",
                    headers={"Retry-After": "1"},
                )
            self._places[who] += 1
        try:
            yield
        finally:
            with self._guard:
                self._places[who] -= 1

    @contextmanager
    def watching(self, run: RunId) -> Iterator["_Sleeper"]:
        """Give what is woken by every move of `run` from now on."""
        sleeper = _Sleeper()
        with self._guard:
            self._waiting.setdefault(run, set()).add(sleeper)
        try:
            yield sleeper
        finally:
            with self._guard:
                others = self._waiting[run]
                others.discard(sleeper)
                if not others:
                    del self._waiting[run]

    def moved(self, run: RunId) -> None:
        """Wake whoever waits for `run`."""
        with self._guard:
            sleepers = list(self._waiting.get(run, ()))
        for one in sleepers:
            one.wake()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self.is_closed = True
        with self._guard:
            sleepers = [one for those in self._waiting.values() for one in those]
        for one in sleepers:
            one.wake()


class _Sleeper:
    """Waits in one event loop, and is woken from any thread. No wake is lost between two naps."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        with suppress(RuntimeError):  # The loop has ended, and with it whoever waited.
            self._loop.call_soon_threadsafe(self._event.set)

    async def nap(self, seconds: float) -> None:
        """Sleep until woken, at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()
