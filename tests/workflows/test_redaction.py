"""No held value leaves in any form that we write."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.errors import SecretError
from workflows.redaction import MARK, Redactor

SECRET = 'pa"ss/wörd+7&x'
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(json.dumps({"token": SECRET})),
        quote(SECRET),
        quote(SECRET, safe="").lower(),
        SECRET.encode().hex(),
        SECRET.replace("&", "&amp;"),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_in_every_form(written: str) -> None:
    redacted = Redactor([SECRET])(f"before {written} after")

    assert MARK in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@given(before=texts, after=texts)
def test_a_secret_inside_a_longer_base64_text_is_taken_out(before: str, after: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()

    assert MARK in Redactor([SECRET])(encoded)


@given(texts)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Redactor(["nowhere-in-it-0192"])(text) == text


def test_of_two_secrets_the_longer_is_taken_out_whole() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-and-more"])("x abcdefgh-and-more y") == f"x {MARK} y"


def test_a_secret_that_would_stand_in_ordinary_words_is_refused() -> None:
    with pytest.raises(SecretError, match="fewer than 8"):
        Redactor(["short"])


def test_it_says_whether_a_held_value_stands_in_a_text() -> None:
    redactor = Redactor(["abcdefgh"])

    assert redactor.holds("x abcdefgh")
    assert not redactor.holds("x abcdefg")
