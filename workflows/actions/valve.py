"""How often a service is asked, and when it is left alone because it is in trouble.

What is counted is kept in the process and counted by its own clock: each process has a valve of
its own for a service, and a new process begins with one that is open to all.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from workflows.actions.base import Busy
from workflows.duration import duration_text
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.services import Breaker, Rate

RATE_LIMITED, CIRCUIT_OPEN = "rate_limited", "circuit_open"
NOT_ASKED = frozenset({RATE_LIMITED, CIRCUIT_OPEN})  # How a call ends that was not let through.
TRYING = 1.0  # Seconds after which the others look again while one call finds out.
# What says that a service is in trouble; anything else is its answer, or our own fault.
TROUBLE = frozenset({"unreachable", "timeout", "reply_lost", "http_408", "http_425", "http_429"})


class Valve:
    """What one service is asked through. Safe to share between threads."""

    def __init__(
        self,
        name: str,
        rate: Rate | None,
        breaker: Breaker | None,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._rate = rate
        self._breaker = breaker
        self._ticks = ticks
        self._guard = threading.Lock()
        self._asked: deque[float] = deque(maxlen=rate.calls if rate else 0)
        self._failed: deque[float] = deque(maxlen=breaker.failures if breaker else 0)
        self._opened: float | None = None  # Since when it is left alone.
        self._is_trying = False  # Whether one call finds out how it is by now.

    def busy(self) -> Busy | None:
        """Return why the service is not to be asked just now, None if it may be."""
        with self._guard:
            return self._left_alone() or self._spent()

    @contextmanager
    def passage(self, *, is_read: bool) -> Iterator[None]:
        """Let one call through, and learn from how it ends.

        Raises:
            TransientReadError, NotPerformedError: not now; nothing was sent.
        """
        is_trial = self._enter(is_read=is_read)
        is_well: bool | None = None
        try:
            yield
            is_well = True
        except ActionError as error:
            is_well = _says(error)
            raise
        finally:
            self._leave(is_well=is_well, is_trial=is_trial)

    def _enter(self, *, is_read: bool) -> bool:
        with self._guard:
            why = self._left_alone() or self._spent()
            if why is not None:
                kind = TransientReadError if is_read else NotPerformedError
                raise kind(f"Not asked: {why.words}.", error_class=why.error_class)
            self._asked.append(self._ticks())
            self._is_trying = self._opened is not None
            return self._is_trying

    def _leave(self, *, is_well: bool | None, is_trial: bool) -> None:
        with self._guard:
            if is_trial:
                self._is_trying = False
            if is_well is None or self._breaker is None:
                return
            if is_well and is_trial:
                self._opened = None
                self._failed.clear()
            elif not is_well:
                self._note_failure(self._breaker, is_trial=is_trial)

    def _note_failure(self, breaker: Breaker, *, is_trial: bool) -> None:
        now = self._ticks()
        self._failed.append(now)
        is_full = len(self._failed) == breaker.failures
        if is_trial or (is_full and now - self._failed[0] <= _seconds(breaker.within)):
            self._opened = now

    def _left_alone(self) -> Busy | None:
        if self._breaker is None or self._opened is None:
            return None
        left = self._opened + _seconds(self._breaker.rest) - self._ticks()
        if left <= 0 and not self._is_trying:
            return None
        words = (
            f"{self._name} is left alone for {duration_text(self._breaker.rest)}, since"
            f" {self._breaker.failures} calls failed within {duration_text(self._breaker.within)}"
        )
        return Busy(error_class=CIRCUIT_OPEN, words=words, seconds=max(left, TRYING))

    def _spent(self) -> Busy | None:
        rate = self._rate
        if rate is None or len(self._asked) < rate.calls:
            return None
        left = self._asked[0] + _seconds(rate.per) - self._ticks()
        if left <= 0:
            return None
        words = (
            f"{self._name} is asked at most {rate.calls} times in {duration_text(rate.per)},"
            " by the policy"
        )
        return Busy(error_class=RATE_LIMITED, words=words, seconds=left)


def _says(error: ActionError) -> bool | None:
    """Return whether the service is well, by how a call failed; None where that says nothing."""
    error_class = error.error_class
    if isinstance(error, InDoubtError) or error_class in TROUBLE or _is_its_fault(error_class):
        return False
    answered = isinstance(error, ActionFailedError) and error_class.startswith("http_")
    return True if answered else None


def _is_its_fault(error_class: str) -> bool:
    return error_class.startswith("http_5")


def _seconds(length: timedelta) -> float:
    return length.total_seconds()
