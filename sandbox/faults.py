"""Faults to order: what goes wrong with the next calls and deliveries.

`faults.next("chat.postMessage", fault.lose_answer())` spoils one call;
`faults.randomly({"chat.postMessage": [...]}, rate=0.1)` spoils some, always the same ones
for a seed. Deliveries are named by payload type (`slash_commands`, `block_actions`,
`view_submission`, `app_mention`, ...) and understand `slow`, `duplicate` and `drop`.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

FaultKind = Literal["lose_answer", "reset", "status", "slow", "error", "duplicate", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong; `seconds` delays whatever else happens."""

    kind: FaultKind
    seconds: float = 0.0
    status: int = 200
    error: str = ""
    headers: Mapping[str, str] | None = None


def lose_answer() -> Fault:
    """Do what was asked, then cut the line before the answer."""
    return Fault(kind="lose_answer")


def reset() -> Fault:
    """Cut the line before anything is done."""
    return Fault(kind="reset")


def server_error(status: int = 500) -> Fault:
    """Answer with an HTTP error, nothing done."""
    return Fault(kind="status", status=status)


def slow(seconds: float) -> Fault:
    """Do what was asked, answer (or deliver) `seconds` later."""
    return Fault(kind="slow", seconds=seconds)


def rate_limited(seconds: int = 1) -> Fault:
    """Answer 429, nothing done."""
    return Fault(
        kind="error", status=429, error="ratelimited", headers={"Retry-After": str(seconds)}
    )


def refuse(error: str) -> Fault:
    """Answer `ok: false` with this error, nothing done."""
    return Fault(kind="error", error=error)


def duplicate() -> Fault:
    """Deliver the same thing twice."""
    return Fault(kind="duplicate")


def drop() -> Fault:
    """Lose a delivery on its way to the app."""
    return Fault(kind="drop")


@dataclass(slots=True)
class _Plan:
    name: str
    fault: Fault
    left: int
    when: Callable[[Mapping[str, Any]], bool] | None


class Faults:
    """The faults ordered so far; each is used up as it happens."""

    def __init__(self, *, seed: int) -> None:
        self._lock = Lock()
        self._random = random.Random(seed)  # noqa: S311 - a seed makes the faults repeatable.
        self._plans: list[_Plan] = []
        self._chances: dict[str, Sequence[Fault]] = {}
        self._rate = 0.0

    def next(
        self,
        name: str,
        fault: Fault,
        *,
        times: int = 1,
        when: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """Spoil the next `times` calls or deliveries called `name` for which `when` holds."""
        with self._lock:
            self._plans.append(_Plan(name, fault, times, when))

    def randomly(
        self, chances: Mapping[str, Sequence[Fault]], *, rate: float, seed: int | None = None
    ) -> None:
        """Spoil the named calls with probability `rate`, one of their faults each time."""
        with self._lock:
            self._chances = dict(chances)
            self._rate = rate
            if seed is not None:
                self._random.seed(seed)

    def clear(self) -> None:
        """Order no more faults."""
        with self._lock:
            self._plans.clear()
            self._chances.clear()

    def take(self, name: str, arguments: Mapping[str, Any]) -> Fault | None:
        """Return the fault of this call or delivery, if one is due."""
        with self._lock:
            for plan in self._plans:
                if plan.name == name and (plan.when is None or plan.when(arguments)):
                    return self._use(plan)
            chances = self._chances.get(name)
            if chances and self._random.random() < self._rate:
                return self._random.choice(list(chances))
        return None

    def _use(self, plan: _Plan) -> Fault:
        plan.left -= 1
        if plan.left <= 0:
            self._plans.remove(plan)
        return plan.fault
