"""Ends a process at the n-th commit or effect, as a kill would, without a process to kill.

    fuse = Fuse(7)
    house = Working(store, clock, wrapped=fuse.around(store))
    house.world.trouble = fuse.at_effect

The seventh boundary raises `Crash`, which nothing in the product catches. Half of the
boundaries are just before a commit (which is then lost), half just after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workflows.store import Store, Unit


class Crash(BaseException):
    """The end of a process."""


class Fuse:
    """Counts boundaries and blows at one of them."""

    def __init__(self, blows_at: int | None = None) -> None:
        self.blows_at = blows_at
        self.count = 0
        self.places: list[str] = []

    def burn(self, place: str) -> None:
        """Pass one boundary."""
        self.count += 1
        self.places.append(place)
        if self.count == self.blows_at:
            raise Crash(f"{place} (boundary {self.count})")

    def at_effect(self, place: str) -> None:
        """Pass the boundary of an action: `read`, `before` or `after` an effect."""
        self.burn(f"action {place}")

    def around(self, store: Store) -> Store:
        """Return `store` with a boundary before and after each commit."""
        return _Fused(store, self)  # type: ignore[return-value]


class _Fused:
    """A store that burns the fuse at each commit and is otherwise the one it wraps."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has.
        return getattr(self._store, name)

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        with self._store.begin() as unit:
            yield unit
            self._fuse.burn("before a commit")
        self._fuse.burn("after a commit")
