"""No held value leaves in any form that we write."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.errors import SecretError
from workflows.redaction import MARK, Redactor

SECRET = 'pa"ss/wörd+7&x'
AWKWARD = "q\"u'o\\te<é&/ ~"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("secret", [SECRET, AWKWARD])
@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: json.dumps(json.dumps({"token": value})),
        quote,
        quote_plus,
        lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: html.escape(value, quote=False),
        html.escape,
        lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_in_every_form(write: Callable[[str], str], secret: str) -> None:
    redacted = Redactor([secret])(f"before {write(secret)} after")

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
    assert Redactor()(text) == text


def test_of_two_secrets_the_longer_is_taken_out_whole() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-and-more"])("x abcdefgh-and-more y") == f"x {MARK} y"


def test_a_secret_that_would_stand_in_ordinary_words_is_refused() -> None:
    with pytest.raises(SecretError, match="fewer than 8"):
        Redactor(["short"])


def test_it_says_whether_a_held_value_stands_in_a_text() -> None:
    redactor = Redactor(["abcdefgh"])

    assert redactor.holds("x abcdefgh")
    assert not redactor.holds("x abcdefg")


@pytest.mark.parametrize("width", [5, 9, 76])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n    ", "\\n", "\\\\r\\\\n"])
def test_a_secret_that_is_broken_over_lines_is_taken_out(width: int, end: str) -> None:
    encoded = base64.b64encode(f"user:{SECRET} and more of it".encode()).decode()
    broken = end.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    redacted = Redactor([SECRET])(f"before{end}{broken}{end}after")

    assert redacted.count(MARK) == 1
    assert redacted.startswith(f"before{end}")
    assert redacted.endswith(f"{end}after")
    # Of the secret as little is left as where nothing was broken.
    assert redacted.replace(end, "") == Redactor([SECRET])(f"before{encoded}after")
    assert Redactor([SECRET]).holds(broken)


def test_lines_of_a_text_without_a_secret_stay_as_they_are() -> None:
    text = "one\r\ntwo\n  three \\n four"

    assert Redactor([SECRET])(text) == text
    assert Redactor([SECRET])(f"{text}\n{SECRET}\n{text}") == f"{text}\n{MARK}\n{text}"


def test_each_line_of_a_long_key_is_taken_out_and_its_frame_is_not() -> None:
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQ", "EFAASCBKcwggSjAgEAAoIBAQ"]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    redact = Redactor([key])

    assert redact(f"> {lines[1]}") == f"> {MARK}"
    assert redact("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    assert lines[0] not in redact(json.dumps(key))


def test_the_password_in_an_address_is_taken_out_by_itself() -> None:
    redact = Redactor(["postgresql://bot:s3same%2Fopen@db.internal/shop"])

    assert redact("password s3same/open refused, s3same%2Fopen too") == (
        f"password {MARK} refused, {MARK} too"
    )


def test_a_short_line_of_a_long_value_is_left_in_ordinary_words() -> None:
    redact = Redactor(["operator\nand-a-line-of-16"])

    assert redact("the operator said and-a-line-of-16") == f"the operator said {MARK}"


def test_a_password_is_taken_out_as_the_address_writes_it_and_no_address_is_too_odd() -> None:
    addresses = ["redis://:s3s%61me-open@cache", "amqp://bot:eight-88@queue"]
    redact = Redactor([*addresses, "see://[nobody-closes-this"])
    told = "s3s%61me-open s3same-open eight-88 see://[nobody-closes-this"

    assert redact(told) == " ".join([MARK] * 4)


def test_what_is_held_beside_the_first_ones_takes_the_place_of_what_was_so_before() -> None:
    redact = Redactor(["abcdefgh"])
    redact.also("of-a-token")
    assert redact("abcdefgh of-a-token") == f"{MARK} {MARK}"
    redact.also("of-another")

    assert redact("abcdefgh of-another of-a-token") == f"{MARK} {MARK} of-a-token"


def test_what_is_learnt_stays_out_of_texts_for_good() -> None:
    redact = Redactor(["abcdefgh"])
    redact.also("of-a-token")
    redact.learn("older-value")
    redact.learn("newer-value")

    assert redact("abcdefgh of-a-token older-value newer-value") == " ".join([MARK] * 4)


def test_a_value_that_is_refused_leaves_those_that_are_held() -> None:
    redact = Redactor(["abcdefgh"])

    with pytest.raises(SecretError):
        redact.learn("long-enough", "short")
    assert redact("abcdefgh short") == f"{MARK} short"
    redact.learn("another-value")
    assert redact("another-value long-enough") == f"{MARK} long-enough"


def test_a_long_row_of_backslashes_is_looked_at_once() -> None:
    text, begun = "\\" * 200_000, time.process_time()

    assert Redactor([SECRET])(text) == text
    assert time.process_time() - begun < 1  # Looked at from each of its characters: a minute.
