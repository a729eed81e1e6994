"""How fast Slack lets us speak, as arithmetic: buckets by method, and by channel for posts.

`Pace` is pure but for what it remembers: the moment comes in as an argument. `Pacer` shares it
between threads. Neither waits: whoever is too early is told when to come back. `PatientPacer`
does, for those who ask once and alone.
The figures keep every minute under Slack's published ones, bursts included.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

POST, UPDATE, PUBLISH = "chat.postMessage", "chat.update", "views.publish"

PER_MINUTE: Final = {
    POST: 300.0,  # Slack promises no figure for the whole workspace; "several hundred".
    UPDATE: 41.0,
    PUBLISH: 82.0,
    "conversations.open": 41.0,
    "conversations.history": 41.0,
    "conversations.replies": 41.0,
    "conversations.list": 16.0,
    "files.completeUploadExternal": 82.0,
    "files.getUploadURLExternal": 82.0,
    "functions.completeSuccess": 41.0,
    "functions.completeError": 41.0,
}
DEFAULT_PER_MINUTE: Final = 16.0
# What may leave at once after a pause: with it, no minute holds more than Slack's figure.
BURST_SHARE: Final = 0.2
CHANNEL_PER_SECOND: Final = 1.0
CHANNEL_BURST: Final = 3.0
# What is not urgent leaves this share of a burst to what is: open decisions go first.
RESERVED: Final = 0.4
# A moment that was waited for may be reached a little early, by another clock than it was told by.
EARLY_SECONDS: Final = 0.001


class Urgency(IntEnum):
    """Who goes first where Slack does not take all at once."""

    DECISION = 0  # What people are asked.
    WORD = 1
    LIVE = 2  # Live states, and what stands behind everything else.


# Told to come back together, a crowd would only be sent away again; so they come one by one, those
# of each urgency in a line of their own. Each is drawn anew when it comes, and that costs.
MOST_SPREAD_SECONDS: Final = {Urgency.DECISION: 10.0, Urgency.WORD: 10.0, Urgency.LIVE: 30.0}


@dataclass(slots=True)
class _Bucket:
    """Calls saved up: `level` of them at moment `seen`, refilled by `rate` a second."""

    most: float
    rate: float
    level: float
    seen: float
    next_slots: dict[Urgency, float] = field(default_factory=dict)

    def wait(self, now: float, urgency: Urgency) -> float:
        is_last = urgency is Urgency.LIVE
        needed = 1.0 + RESERVED * (self.most - 1.0) if is_last else 1.0
        return max(0.0, (needed - self._level(now)) / self.rate)

    def take(self, now: float) -> None:
        self.level, self.seen = self._level(now) - 1.0, now

    def _level(self, now: float) -> float:
        return min(self.most, self.level + max(0.0, now - self.seen) * self.rate)


@dataclass(slots=True)
class Pace:
    """When each method may be called next, in each channel. Not thread-safe by itself."""

    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _slowed: dict[str, float] = field(default_factory=dict)

    def wait(
        self,
        method: str,
        *,
        now: float,
        channel: str | None = None,
        urgency: Urgency = Urgency.WORD,
    ) -> float:
        """Return in how many seconds `method` may be called in `channel`; 0 is now."""
        waits = [one.wait(now, urgency) for one in self._of(method, channel, now)]
        slowed = [self._slowed.get(name, now) - now for name in _names(method, channel)]
        return max(0.0, *waits, *slowed)

    def take(self, method: str, *, now: float, channel: str | None = None) -> None:
        """Count one call."""
        for bucket in self._of(method, channel, now):
            bucket.take(now)

    def spread(
        self, method: str, wait: float, *, now: float, channel: str | None, urgency: Urgency
    ) -> float:
        """Return `wait`, or longer for each that asks after another: a place in a line."""
        bucket, most = self._of(method, channel, now)[-1], MOST_SPREAD_SECONDS[urgency]
        slot = max(now + wait, bucket.next_slots.get(urgency, now))
        bucket.next_slots[urgency] = min(slot, now + most) + 1.0 / bucket.rate
        return min(slot - now, max(wait, most))

    def slow_down(self, method: str, *, until: float) -> None:
        """Hold `method` back as Slack demanded. Other methods go on: the limit is the method's."""
        self._slowed[method] = max(until, self._slowed.get(method, until))

    def _of(self, method: str, channel: str | None, now: float) -> list[_Bucket]:
        return [self._bucket(name, method, now) for name in _names(method, channel)]

    def _bucket(self, name: str, method: str, now: float) -> _Bucket:
        if name not in self._buckets:
            per_minute = PER_MINUTE.get(method, DEFAULT_PER_MINUTE)
            most, rate = (
                (per_minute * BURST_SHARE, per_minute / 60)
                if name == method
                else (CHANNEL_BURST, CHANNEL_PER_SECOND)
            )
            self._buckets[name] = _Bucket(most, rate, most, now)
        return self._buckets[name]


def _names(method: str, channel: str | None) -> list[str]:
    if method == POST and channel is not None:
        return [method, f"{method}/{channel}"]
    return [method]


class TooSoonError(Exception):
    """The call would come faster than Slack allows; `after` seconds from now it may be made."""

    def __init__(self, method: str, *, after: float) -> None:
        super().__init__(f"{method}: again in {after:.2f} s")
        self.method = method
        self.after = after


class Pacer:
    """One pace for all threads that speak with one token."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._pace = Pace()

    def take(
        self, method: str, *, channel: str | None = None, urgency: Urgency = Urgency.WORD
    ) -> None:
        """Count a call that is about to be made.

        Raises:
            TooSoonError: it must wait; nothing is counted.
        """
        with self._guard:
            now = self._clock()
            wait = self._pace.wait(method, now=now, channel=channel, urgency=urgency)
            if wait > EARLY_SECONDS:
                spread = self._pace.spread(method, wait, now=now, channel=channel, urgency=urgency)
                raise TooSoonError(method, after=spread)
            self._pace.take(method, now=now, channel=channel)

    def slow_down(self, method: str, *, after: float) -> None:
        """Hold `method` back for as many seconds as Slack said."""
        with self._guard:
            self._pace.slow_down(method, until=self._clock() + after)


class PatientPacer(Pacer):
    """A pace for whoever has the time: it waits until the call may be made."""

    def __init__(
        self, clock: Callable[[], float], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(clock)
        self._sleep = sleep

    def take(
        self, method: str, *, channel: str | None = None, urgency: Urgency = Urgency.WORD
    ) -> None:
        """Count a call that is about to be made, once its turn has come."""
        while True:
            try:
                return super().take(method, channel=channel, urgency=urgency)
            except TooSoonError as early:
                self._sleep(early.after)
