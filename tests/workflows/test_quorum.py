"""People are enough if each place can have somebody of its own, whoever sits where first."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from workflows.quorum import can_agree, place_for

PEOPLE = st.frozensets(st.sampled_from("abcd"), max_size=4)
WANTED = st.lists(st.tuples(st.integers(0, 2), PEOPLE), max_size=3)


def by_trying(wanted: list[tuple[int, frozenset[str]]]) -> bool:
    places = [people for number, people in wanted for _ in range(number)]
    if len(places) > 4:
        return False
    return any(
        all(who in people for who, people in zip(order, places, strict=False))
        for order in permutations("abcd")
    )


@given(WANTED)
def test_it_is_found_whenever_it_exists(wanted: list[tuple[int, frozenset[str]]]) -> None:
    assert can_agree(wanted) == by_trying(wanted)


def test_a_place_is_taken_so_that_the_rest_can_still_agree() -> None:
    wanted = [(1, frozenset("ab")), (1, frozenset("a"))]

    assert place_for("a", [0, 1], wanted) == 1
    assert place_for("b", [0], wanted) == 0
    assert place_for("a", [0], wanted) is None
