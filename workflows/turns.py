"""In which order the stages of several rules are decided, so that each rule keeps its own.

A stage is named by whom it asks, and stands once however many rules ask for it. Where two
rules want opposite orders, the one that stands earlier has its way.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

Key: TypeAlias = frozenset[str]  # Whom a stage asks.
Turns: TypeAlias = Sequence[Sequence[Key]]  # What one rule wants, turn by turn.
Order: TypeAlias = frozenset[tuple[Key, Key]]  # Which stage comes before which.


def order_of(wanted: Iterable[Turns]) -> Order:
    """Return which stages have to come before which others."""
    found: set[tuple[Key, Key]] = set()
    for turns in wanted:
        for earlier, later in ((a, b) for a, b in _in_a_row(turns) if a != b):
            if (earlier, later) not in found and not _leads(later, earlier, found):
                found.add((earlier, later))
    return frozenset(found)


def _in_a_row(turns: Turns) -> Iterable[tuple[Key, Key]]:
    for number, turn in enumerate(turns):
        for later in turns[number + 1 :]:
            yield from ((a, b) for a in turn for b in later)


def _leads(start: Key, end: Key, order: AbstractSet[tuple[Key, Key]]) -> bool:
    """Say whether `start` comes before `end`, be it through others."""
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        news = {later for earlier, later in order if earlier == here} - reached
        reached |= news
        waiting += news
    return end in reached


def in_turns(wanted: Sequence[Turns], order: Order) -> list[list[Key]]:
    """Return every stage once, turn by turn.

    They come in order of first appearance as far as `order` allows. Stages share a turn where
    the first rule that asks for them had them decided side by side, and no rule forbids it.
    """
    group: dict[Key, tuple[int, int]] = {}
    for rule, turns in enumerate(wanted):
        for number, turn in enumerate(turns):
            for key in turn:
                group.setdefault(key, (rule, number))
    found: list[list[Key]] = []
    left = list(group)
    while left:
        blocked = {later for earlier, later in order if earlier in left}
        free = [key for key in left if key not in blocked]
        turn = [key for key in free if group[key] == group[free[0]]]
        found.append(turn)
        left = [key for key in left if key not in turn]
    return found


def turns_in(numbers: Sequence[int | None]) -> list[tuple[int, ...]]:
    """Return which stages are decided together, given the turn that each of them names.

    Neighbours of one number share a turn; a stage without a number is a turn of its own.
    """
    found: list[tuple[int, ...]] = []
    for index, number in enumerate(numbers):
        if number is not None and index and numbers[index - 1] == number:
            found[-1] = (*found[-1], index)
        else:
            found.append((index,))
    return found
