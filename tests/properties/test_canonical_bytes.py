"""The bytes of a payload, made two ways: our fast path and a general RFC 8785 encoder."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from workflows.binding import json_bytes
from workflows.entry import Json

TEXTS = st.text(max_size=20) | st.sampled_from(['"', "\\", "\x00", "\x1f", "\x7f", "\u2028", "😀"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.floats(allow_nan=True, allow_infinity=True)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_payload_has_the_bytes_that_a_general_encoder_gives(value: Json) -> None:
    try:
        expected = rfc8785.dumps(value)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  any refusal will do; its words are theirs
            json_bytes(value)
    else:
        assert json_bytes(value) == expected


def test_keys_beyond_ascii_stand_in_the_order_of_their_utf_16_units() -> None:
    value: Json = {"\ufb01": 1, "\U0001f600": 2}

    assert list(json.loads(json_bytes(value))) == ["\U0001f600", "\ufb01"]


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        json_bytes({"words": "\ud800"})
