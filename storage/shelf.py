"""Keeps a few connections of a pool at hand between two uses.

SQLAlchemy's pool takes as long to hand one out and take it back as SQLite to answer a small
question, and a run asks some twenty. The one used last is taken first: what it has prepared and
cached is what is asked next.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import PoolProxiedConnection


class Shelf:
    """At most `most` connections lie here, and count as lent in their pool meanwhile.

    `is_quiet` is asked of each one that is laid back, `is_alive` of each one that is taken. What
    is not, and whatever is still lent when the shelf is full, is for the pool.
    """

    def __init__(
        self,
        fetch: Callable[[], PoolProxiedConnection],
        *,
        most: int,
        is_quiet: Callable[[PoolProxiedConnection], bool],
        is_alive: Callable[[PoolProxiedConnection], bool] = lambda _: True,
    ) -> None:
        self._fetch = fetch
        self._most = most
        self._is_quiet = is_quiet
        self._is_alive = is_alive
        self._lying: list[PoolProxiedConnection] = []  # Each of its methods used here is atomic.

    @contextmanager
    def lend(self) -> Iterator[PoolProxiedConnection]:
        """Lend a connection to the block, which leaves nothing open on it."""
        lent = self._take()
        try:
            yield lent
        finally:
            self._lay_back(lent)

    def clear(self) -> None:
        """Give every connection back to the pool."""
        while (lying := self._next()) is not None:
            lying.close()

    def _take(self) -> PoolProxiedConnection:
        while (lying := self._next()) is not None:
            if self._is_alive(lying):
                return lying
            lying.invalidate()
        return self._fetch()

    def _next(self) -> PoolProxiedConnection | None:
        try:
            return self._lying.pop()
        except IndexError:
            return None

    def _lay_back(self, lent: PoolProxiedConnection) -> None:
        if len(self._lying) < self._most and self._is_quiet(lent):
            self._lying.append(lent)
        else:
            lent.close()
