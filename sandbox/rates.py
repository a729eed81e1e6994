"""Rate limits: a bucket per method, and one per channel for posts."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import limits


@dataclass(slots=True)
class _Bucket:
    level: float
    seen: float


class Rates:
    """Counts calls and says how long to wait; `scale` None lifts every limit."""

    def __init__(self, scale: float | None, clock: Callable[[], float]) -> None:
        self.scale = scale
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, method: str, per_minute: float, *, channel: str | None = None) -> int | None:
        """Return None when the call may go on, else the seconds to wait before the next."""
        if self.scale is None:
            return None
        wait = self._take(method, most=per_minute, per_second=per_minute / 60)
        if wait is None and channel is not None:
            wait = self._take(
                f"post/{channel}", most=limits.POST_BURST, per_second=limits.POSTS_PER_SECOND
            )
        return wait

    def _take(self, name: str, *, most: float, per_second: float) -> int | None:
        scale = self.scale or 0.0
        most, per_second, now = max(1.0, most * scale), per_second * scale, self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(most, now))
        bucket.level = min(most, bucket.level + (now - bucket.seen) * per_second)
        bucket.seen = now
        if bucket.level >= 1:
            bucket.level -= 1
            return None
        return max(1, math.ceil((1 - bucket.level) / per_second))
