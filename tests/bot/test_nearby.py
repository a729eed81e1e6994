"""A mistyped command is put right as a suggestion, and never done on a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command_text import parse
from bot.command_values import USAGE, Misread
from bot.nearby import corrected, nearest_names

NAMES = {"refund-customer", "roll-back-release", "purge-stale-accounts"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rnus mine", "runs mine"),
        ("RUSN mine", "runs mine"),
        ("aprovals", "approvals"),
        ("workflow", "workflows"),
        ("shwo r_1", "show r_1"),
        ("cancle r_1 “it\u2019s wrong”", 'cancel r_1 "it\'s wrong"'),
        ("refund-custmer order=ord_1", "run refund-customer order=ord_1"),
        ("refund", "run refund-customer"),
        ("run refund-custmer order=ord_1", "run refund-customer order=ord_1"),
        ("run REFUND order=ord_1", "run refund-customer order=ord_1"),
        ("schedule purge-stale tomorrow 9am", "schedule purge-stale-accounts tomorrow 9am"),
        ('run purge before="two\nlines"', 'run purge-stale-accounts before="two\nlines"'),
    ],
)
def test_the_nearest_name_is_put_in_place_of_the_one_that_is_none(typed: str, meant: str) -> None:
    assert corrected(typed, NAMES) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "runs",
        "run refund-customer",
        "run",
        "runs refund-custmer",  # Of workflows that are gone there may be runs.
        "r",
        "re",
        "🎉🎉🎉",
        "cancle",  # Put right it would still lack what it needs.
        "xyzzy plugh",
        "run xyzzy",
    ],
)
def test_what_is_right_or_near_nothing_is_left_alone(typed: str) -> None:
    assert corrected(typed, NAMES) == ""


def test_a_beginning_that_two_names_share_names_neither() -> None:
    assert corrected("rol", {"roll-back", "roll-out"}) == ""


@given(st.text(max_size=200))
def test_whatever_is_typed_a_suggestion_can_be_carried_out(typed: str) -> None:
    meant = corrected(typed, NAMES)

    assert not meant or not isinstance(parse(meant), Misread)


@given(st.sampled_from(sorted(USAGE)), st.integers(0, 8), st.sampled_from("abcxyz"))
def test_one_slip_of_a_long_word_is_forgiven(word: str, at: int, slip: str) -> None:
    if len(word) < 6:
        return
    typed = word[: at % len(word)] + slip + word[at % len(word) + 1 :]

    assert nearest_names(typed, list(USAGE))
