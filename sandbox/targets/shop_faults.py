"""Switches that make the shop misbehave on purpose, so many times."""

import threading
import time
from enum import StrEnum


class Fault(StrEnum):
    """One way to misbehave.

    Of a refund: BEFORE answers 500 and does nothing; DURING breaks off with everything
    written and nothing committed; AFTER does it and breaks off; AFTER_500 does it and
    answers 500. Of anything: SLOW waits, GARBAGE answers what is no JSON, ERROR answers 500.
    """

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    AFTER_500 = "after_500"
    SLOW = "slow"
    GARBAGE = "garbage"
    ERROR = "error"


class Faults:
    """Which faults are switched on, for how many requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[Fault, int] = {}
        self._seconds = 0.0

    def switch_on(self, fault: Fault, *, times: int = 1, seconds: float = 0.0) -> None:
        """Misbehave like that for the next `times` requests; `seconds` is for SLOW."""
        with self._lock:
            self._left[fault] = times
            if fault is Fault.SLOW:
                self._seconds = seconds

    def clear(self) -> None:
        """Behave."""
        with self._lock:
            self._left.clear()

    def strikes(self, fault: Fault) -> bool:
        """Say whether this request suffers that fault, and count it."""
        with self._lock:
            left = self._left.get(fault, 0)
            self._left[fault] = max(0, left - 1)
            return left > 0

    def dawdle(self) -> None:
        """Wait, if that fault is switched on."""
        if self.strikes(Fault.SLOW):
            time.sleep(self._seconds)
