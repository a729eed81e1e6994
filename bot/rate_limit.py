"""How often a program may ask: a bucket for each name, filled again as time goes by."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from bot.problems import DoorError

MOST_NAMES = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """Allows `burst` requests at once and `rate` a second from then on, for each name."""

    def __init__(self, *, rate: float, burst: int, ticks: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._ticks = ticks
        self._buckets: dict[str, _Bucket] = {}
        self._guard = threading.Lock()

    def take(self, name: str) -> None:
        """Count one request of `name`.

        Raises:
            DoorError: there were too many; it says after how many seconds to ask again.
        """
        now = self._ticks()
        with self._guard:
            bucket = self._buckets.pop(name, None) or _Bucket(left=self._burst, at=now)
            bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
            bucket.at = now
            self._buckets[name] = bucket  # The one used last stands last.
            if len(self._buckets) > MOST_NAMES:
                del self._buckets[next(iter(self._buckets))]
            if bucket.left >= 1:
                bucket.left -= 1
                return
            wait = math.ceil((1 - bucket.left) / self._rate)
        raise DoorError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many requests in a short time.",
            hint=f"Ask again in {wait} s.",
            headers={"Retry-After": str(wait)},
        )
