"""What a token looks like, and that only its digest is kept."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tokens import BYTES, digest_of, is_token, make_token

RANDOM = st.binary(min_size=BYTES, max_size=BYTES)


@given(RANDOM)
def test_every_token_has_the_form_that_scanners_look_for(random: bytes) -> None:
    token = make_token(random)

    assert re.fullmatch(r"ilk_[0-9A-Za-z]{49}", token)
    assert is_token(token)
    assert re.fullmatch(r"[0-9a-f]{64}", digest_of(token))


@given(RANDOM, RANDOM)
def test_different_bytes_give_different_tokens_and_digests(one: bytes, other: bytes) -> None:
    assert (make_token(one) == make_token(other)) == (one == other)
    assert (digest_of(make_token(one)) == digest_of(make_token(other))) == (one == other)


@given(RANDOM, st.integers(4, 52), st.sampled_from("0123456789abcXYZ"))
def test_a_token_with_one_letter_wrong_is_none(random: bytes, place: int, letter: str) -> None:
    token = make_token(random)
    changed = token[:place] + letter + token[place + 1 :]

    assert is_token(changed) == (changed == token)


@pytest.mark.parametrize("text", ["", "ilk_", "ilk_" + "0" * 48, "ilk_" + "0" * 50, "xoxb-1"])
def test_what_has_another_length_or_beginning_is_none(text: str) -> None:
    assert not is_token(text)


def test_a_token_is_never_made_of_fewer_bytes() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        make_token(b"short")
