"""How fast Slack lets us speak, as arithmetic: buckets by method, and by channel for posts.

Pure but for what it remembers; the moment comes in as an argument, waiting is for the outbox.
The figures stay a little under Slack's published ones (each is "at least so many a minute").
"""

from dataclasses import dataclass, field
from typing import Final

POST, UPDATE = "chat.postMessage", "chat.update"

PER_MINUTE: Final = {
    POST: 300.0,  # Slack promises no figure for the whole workspace; "several hundred".
    UPDATE: 48.0,
    "conversations.open": 48.0,
    "conversations.history": 48.0,
    "conversations.replies": 48.0,
    "conversations.list": 18.0,
}
DEFAULT_PER_MINUTE: Final = 18.0
# A burst is what may leave at once after a pause.
BURST: Final = 10.0
CHANNEL_PER_SECOND: Final = 1.0
CHANNEL_BURST: Final = 3.0


@dataclass(slots=True)
class _Bucket:
    """Calls saved up: `level` of them at moment `seen`, refilled by `rate` a second."""

    most: float
    rate: float
    level: float
    seen: float

    def wait(self, now: float) -> float:
        return max(0.0, (1.0 - self._level(now)) / self.rate)

    def take(self, now: float) -> None:
        self.level, self.seen = self._level(now) - 1.0, now

    def _level(self, now: float) -> float:
        return min(self.most, self.level + max(0.0, now - self.seen) * self.rate)


@dataclass(slots=True)
class Pace:
    """When each method may be called next, in each channel. Not thread-safe by itself."""

    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _slowed: dict[str, float] = field(default_factory=dict)

    def wait(self, method: str, *, now: float, channel: str | None = None) -> float:
        """Return in how many seconds `method` may be called in `channel`; 0 is now."""
        waits = [bucket.wait(now) for bucket in self._of(method, channel, now)]
        slowed = [self._slowed.get(name, now) - now for name in _names(method, channel)]
        return max(0.0, *waits, *slowed)

    def take(self, method: str, *, now: float, channel: str | None = None) -> None:
        """Count one call."""
        for bucket in self._of(method, channel, now):
            bucket.take(now)

    def slow_down(self, method: str, *, until: float) -> None:
        """Hold `method` back as Slack demanded. Other methods go on: the limit is the method's."""
        self._slowed[method] = max(until, self._slowed.get(method, until))

    def _of(self, method: str, channel: str | None, now: float) -> list[_Bucket]:
        return [self._bucket(name, method, now) for name in _names(method, channel)]

    def _bucket(self, name: str, method: str, now: float) -> _Bucket:
        if name not in self._buckets:
            per_minute = PER_MINUTE.get(method, DEFAULT_PER_MINUTE)
            most, rate = (
                (BURST, per_minute / 60) if name == method else (CHANNEL_BURST, CHANNEL_PER_SECOND)
            )
            self._buckets[name] = _Bucket(most, rate, most, now)
        return self._buckets[name]


def _names(method: str, channel: str | None) -> list[str]:
    if method == POST and channel is not None:
        return [method, f"{method}/{channel}"]
    return [method]
