"""Whether everybody who has to agree can be found, when one person counts once over everything."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

P = TypeVar("P")


def can_agree(wanted: Sequence[tuple[int, AbstractSet[P]]]) -> bool:
    """Say whether each of `wanted`, so many of these people, can have people of its own."""
    if any(number > len(people) for number, people in wanted):
        return False
    taken: dict[P, int] = {}
    places = [people for number, people in wanted for _ in range(number)]
    return all(_seat(place, places, taken, set()) for place in range(len(places)))


def _seat(place: int, places: Sequence[AbstractSet[P]], taken: dict[P, int], seen: set[P]) -> bool:
    """Find somebody for `place`, moving others to where they can stand in as well."""
    for one in places[place]:
        if one in seen:
            continue
        seen.add(one)
        if one not in taken or _seat(taken[one], places, taken, seen):
            taken[one] = place
            return True
    return False
