"""Divides long work into portions, each a unit of its own, so that nobody's click waits for it.

What is little is one portion: an ordinary night takes one unit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from storage.unit import SqlUnit

PORTION = 500  # Rows. A unit of as many is over before anybody notices that they waited.

T = TypeVar("T")


class Work(NamedTuple):
    """Something to be done in a unit, and about how many rows it is."""

    rows: int
    do: Callable[[SqlUnit], None]


def portions(work: Iterable[Work]) -> Iterator[list[Work]]:
    """Yield what is done together, in order."""
    some, rows = list[Work](), 0
    for one in work:
        if some and rows + one.rows > PORTION:
            yield some
            some, rows = [], 0
        some.append(one)
        rows += one.rows
    if some:
        yield some


def pages(read: Callable[[T | None, int], Sequence[T]]) -> Iterator[Sequence[T]]:
    """Yield pages of what `read` finds after its last one, so that memory never holds it all."""
    last = None
    while some := read(last, PORTION):
        yield some
        last = some[-1]
