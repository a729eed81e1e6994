"""Whether everybody who has to agree can be found, when one person counts once over everything."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias, TypeVar

P = TypeVar("P")
Wanted: TypeAlias = tuple[int, AbstractSet[P]]  # So many of these people.


def can_agree(wanted: Sequence[Wanted[P]]) -> bool:
    """Say whether each of `wanted` can have people of its own."""
    if any(number > len(people) for number, people in wanted):
        return False
    taken: dict[P, int] = {}
    places = [people for number, people in wanted for _ in range(number)]
    return all(_seat(place, places, taken, set()) for place in range(len(places)))


def place_for(person: P, here: Sequence[int], wanted: Sequence[Wanted[P]]) -> int | None:
    """Return the first of `here` that `person` can take so that all others find people too."""
    for place in here:
        left = [
            (number - (index == place), people - {person})
            for index, (number, people) in enumerate(wanted)
        ]
        if can_agree(left):
            return place
    return None


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
