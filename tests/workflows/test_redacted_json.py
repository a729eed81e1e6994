"""What is left of JSON without its secrets is JSON, whatever a secret is made of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.binding import json_bytes
from workflows.entry import Json
from workflows.redacted_json import redacted_json
from workflows.redaction import MARK, Redactor

PIN = "12345678"
QUOTED = 'tk-"quoted"-\\'
OBJECT = '{"pass":"a-long-one","user":"u"}'
SECRETS = st.sampled_from([PIN, QUOTED, OBJECT, "back-slash\\", "two lines\nof a key"])
WORDS = st.one_of(st.text(), SECRETS, st.builds("{0}{1}".format, SECRETS, st.text(max_size=3)))
NUMBERS = st.one_of(st.just(int(PIN)), st.just(float(PIN)), st.integers(0, 2**53 - 1))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
)


@given(VALUES, st.lists(SECRETS, min_size=1, unique=True))
def test_it_can_be_read_and_holds_no_secret(value: Json, held: list[str]) -> None:
    redact = Redactor(held)
    told = redacted_json(value, redact)

    json.loads(told)

    assert not redact.holds(told)


@pytest.mark.parametrize("value", [{"pin": 12345678}, {"pin": 99123456789}, {"pin": 12345678.5}])
def test_a_number_in_which_a_secret_stands_becomes_the_mark(value: Json) -> None:
    assert json.loads(redacted_json(value, Redactor([PIN]))) == {"pin": MARK}


def test_a_secret_that_is_json_is_taken_out_as_a_whole() -> None:
    held: Json = {"pass": "a-long-one", "user": "u"}

    assert json.loads(redacted_json({"found": held}, Redactor([OBJECT]))) == MARK


def test_what_holds_no_secret_stays_as_it_is() -> None:
    value: Json = {"b": [1, None, "x"], "a": {"n": 2}}

    assert redacted_json(value, Redactor([PIN])) == json_bytes(value).decode()
