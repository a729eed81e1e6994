"""What Slack said of people, kept for as long as the caller allows and until it says otherwise.

An answer that is on its way while Slack tells of a change may be older than that change: whoever
asked for it has it, and it is not kept.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from bot.roster import Known

EVERYBODY = "*"  # No user's id.

T = TypeVar("T")


@dataclass(slots=True)
class Read(Generic[T]):
    """Something read from Slack, and the moment before it was asked for."""

    value: T
    asked_at: float


def fresh(read: Read[T] | None, *, max_age: timedelta, now: float) -> T | None:
    """Return what was read, None if that is longer ago."""
    if read is None or now - read.asked_at > max_age.total_seconds():
        return None
    return read.value


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that is on its way, and who has changed since it was asked."""

    asked_at: float
    changed: set[str] = field(default_factory=set)

    def is_outdated(self, user: str) -> bool:
        return bool(self.changed & {user, EVERYBODY})


class KnownPeople:
    """People by their ids, and the list of all of them. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._people: dict[str, Read[Known]] = {}
        self._list: Read[tuple[Known, ...]] | None = None
        self._asking: dict[int, Asking] = {}

    def find(self, user: str, *, max_age: timedelta) -> Known | None:
        """Return what is known of one of them, None if that is older."""
        with self._guard:
            return fresh(self._people.get(user), max_age=max_age, now=self._clock())

    def everybody(self, *, max_age: timedelta) -> tuple[Known, ...] | None:
        """Return the list, None if that is older."""
        with self._guard:
            return fresh(self._list, max_age=max_age, now=self._clock())

    def forget(self, user: str) -> None:
        """Forget one of them, and the list in which they stand."""
        with self._guard:
            self._people.pop(user, None)
            self._change(user)

    def forget_everybody(self) -> None:
        """Forget all of them."""
        with self._guard:
            self._people.clear()
            self._change(EVERYBODY)

    def _change(self, user: str) -> None:
        self._list = None
        for one in self._asking.values():
            one.changed.add(user)

    @contextmanager
    def asking(self) -> Iterator[Asking]:
        """Yield what `keep` and `keep_list` need to know of a question, while Slack is asked."""
        asking = Asking(self._clock())
        with self._guard:
            self._asking[id(asking)] = asking
        try:
            yield asking
        finally:
            with self._guard:
                del self._asking[id(asking)]

    def keep(self, answer: Iterable[Known], asking: Asking) -> None:
        """Keep what Slack said of people, but of those who have changed since."""
        with self._guard:
            self._people |= {
                one.user: Read(one, asking.asked_at)
                for one in answer
                if not asking.is_outdated(one.user)
            }

    def keep_list(self, answer: tuple[Known, ...], asking: Asking) -> None:
        """Keep the list, unless somebody has changed since."""
        with self._guard:
            if not asking.changed:
                self._list = Read(answer, asking.asked_at)
