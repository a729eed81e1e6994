"""When to try again. A policy answers; the engine stores the answer as a due-row."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

SPREAD = 0.2  # A fifth, so that many runs that failed together do not come back together.


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How often and how far apart a step is tried."""

    attempts: int
    first: timedelta
    longest: timedelta
    is_exponential: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """No further attempt, and why."""

    why: str


def next_try(attempt: int, policy: Backoff, *, salt: str) -> timedelta | GiveUp:
    """Return how long to wait after the failed `attempt` (1 is the first), or why there is none.

    The answer is spread by up to a fifth, decided by `salt` alone, so that a replay of the
    history gives the same moment.
    """
    if attempt >= policy.attempts:
        return GiveUp(why=f"{attempt} of {policy.attempts} attempts failed")
    factor = 2 ** (attempt - 1) if policy.is_exponential else 1
    wait = min(policy.first * factor, policy.longest)
    return wait * (1 - SPREAD * _fraction(f"{salt}/{attempt}"))


def _fraction(salt: str) -> float:
    """Return a number in [0, 1) that depends on `salt` only."""
    return int.from_bytes(hashlib.sha256(salt.encode()).digest()[:4], "big") / 2**32
