"""What programs send is read in one way or refused, and never a defect."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.json_body import BodyError, read_object
from workflows.entry import Json

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_written_is_read_again(value: dict[str, Json]) -> None:
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    try:
        found = read_object(body)
    except BodyError as refused:
        assert refused.message  # noqa: PT017 - a refusal is one of the two good answers.
        return

    assert json.loads(body) == found


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        (b"", "is empty", "one JSON object"),
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark", "without"),
        ('{"a": "é"}'.encode("latin-1"), "no UTF-8", "in UTF-8"),
        (b'{"a": "\\udc00"}', "half a character", "both halves"),
        (b'{"a": 12345678901234567890123}', "too long", "smaller"),
        (b'{"a": 1e999}', "too large", "smaller"),
        (b'{"a": 1, "a": 1}', "twice", "once"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_body_and_what_to_send(
    body: bytes, message: str, hint: str
) -> None:
    with pytest.raises(BodyError) as refused:
        read_object(body)

    assert message in refused.value.message
    assert hint in refused.value.hint
    assert "codec" not in refused.value.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": Infinity}',
        b'{"a": -1e999}',
        b'{"a": "\\udc00"}',
        b'{"\\ud800": 1}',
        b'{"a": 12345678901234567890123}',
        b"[" * 200_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b'\xef\xbb\xbf{"a": 1}',
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(BodyError):
        read_object(body)
