"""Only what Slack signed a moment ago, with the secret that we share, is taken for Slack's."""

import hmac
import time

import pytest

from bot.slack_signature import SIGNATURE, STAMP, SlackSignature, only_looks

SECRET, BODY = "a secret of ours and Slack's", b"command=%2Fops&text=runs"


def signed(body: bytes = BODY, *, ago: int = 0, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time()) - ago)
    mac = hmac.digest(secret.encode(), b"v0:" + stamp.encode() + b":" + body, "sha256")
    return {STAMP: stamp, SIGNATURE: f"v0={mac.hex()}"}


def test_what_slack_signed_a_moment_ago_is_slacks() -> None:
    assert SlackSignature(SECRET).is_on(signed(), BODY)


@pytest.mark.parametrize(
    "headers",
    [
        signed(b"text=cancel"),
        signed(secret="another"),
        signed(ago=3_600),
        signed() | {STAMP: str(int(time.time()) - 1)},
        signed() | {SIGNATURE: signed()[SIGNATURE].upper()},
        signed() | {STAMP: "now"},
        signed() | {STAMP: ""},
        {},
    ],
)
def test_anything_else_is_not(headers: dict[str, str]) -> None:
    assert not SlackSignature(SECRET).is_on(headers, BODY)


def test_a_body_that_is_no_text_is_not_slacks_whoever_signed_it() -> None:
    assert not SlackSignature(SECRET).is_on(signed(b"\xff"), b"\xff")


def test_without_a_secret_nothing_is_slacks() -> None:
    assert not SlackSignature("").is_on(signed(secret=""), BODY)


@pytest.mark.parametrize(
    ("body", "looks"),
    [(b"ssl_check=1&token=x", True), (b"token=x&ssl_check=1", True), (b"text=ssl_check=1", False)],
)
def test_a_look_at_the_certificate_says_so_in_a_field_of_its_own(
    body: bytes, *, looks: bool
) -> None:
    assert only_looks(body) is looks
