"""A connection that sends what it is told without first asking the system whether it may.

The driver asks twice for each statement of a pipeline, which is most of what a statement costs
there, and each time lets another thread run. What the socket does not take stays in libpq's
buffer and leaves with the answers, for which the driver waits as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready

T = TypeVar("T")


class EagerConnection(psycopg.Connection[Any]):
    """A connection of psycopg's; nothing about it differs outside `telling`."""

    _is_telling = False

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Say the statements of a pipeline in the block; no answer is waited for in it."""
        self._is_telling = True
        try:
            yield
        finally:
            self._is_telling = False

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401  as in its base
        if not self._is_telling:
            return super().wait(gen, *args, **kwargs)
        try:
            next(gen)
            while True:
                gen.send(Ready.W)
        except StopIteration as told:
            return told.value  # type: ignore[no-any-return]
