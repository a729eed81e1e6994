"""Who sent a delivery: its signature, checked over the very bytes that came.

Two schemes. Standard Webhooks signs id, moment and body, so an old delivery is refused and a
repeated one is known by its id. GitHub signs the body alone: there the signature itself names
the delivery, since whoever replays one could give it any id.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from workflows.errors import InterlockError, SecretError
from workflows.secret_book import plain
from workflows.webhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every such secret begins.
SHORTEST_KEY = 24  # Bytes, as the scheme asks for.
MOST_SIGNATURES = 10  # A sender that changes its secret signs with both for a while.
# Without a full stop, id and moment can be told apart in what is signed in one way only.
_ID = re.compile(r"[A-Za-z0-9_:-]{1,128}")
_MOMENT = re.compile(r"[0-9]{1,10}")
_GITHUB = re.compile(r"sha256=([0-9a-f]{64})")


class SignatureError(InterlockError):
    """A delivery is not signed by whom it should be, or too long ago."""


def key_of(secret: str) -> bytes:
    """Return the key that a secret of the standard scheme writes.

    Raises:
        SecretError: it is not base64, or shorter than the scheme asks for.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST_KEY:
        raise SecretError(
            f"A webhook's secret is {SECRET_PREFIX} and then base64 of at least "
            f"{SHORTEST_KEY} bytes, and this one is not.",
            hint="Copy it again from the sender, or make one of 32 random bytes.",
        )
    return key


def signing_key(webhook: Webhook, secret: str) -> bytes:
    """Return the key with which deliveries of a webhook are signed under its secret.

    Raises:
        SecretError: it is none of its scheme.
    """
    return secret.encode() if webhook.scheme == "github" else key_of(secret)


def refuse_keyless(name: str, webhook: Webhook, secret: str) -> None:
    """Return where `secret` is a key for the webhook of that name.

    Raises:
        SecretError: it is none, with the names of both.
    """
    try:
        signing_key(webhook, secret)
    except SecretError as error:
        raise SecretError(
            f"The secret {plain(webhook.secret)} of the webhook {name} cannot be used."
            f" {error.message}",
            hint=error.hint,
        ) from None


def standard_delivery(
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: bytes,
    now: datetime,
    tolerance: timedelta,
) -> str:
    """Return the id of a delivery signed with `key` (Standard Webhooks, `v1`).

    Raises:
        SignatureError: it is not signed so, or its moment is too far from `now`.
    """
    ident, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(ident) or not _MOMENT.fullmatch(moment):
        raise SignatureError(
            "The header webhook-id or webhook-timestamp is missing, or cannot be used.",
            hint="Send an id of letters, digits, _, - and :, and the seconds since 1970.",
        )
    expected = hmac.digest(key, f"{ident}.{moment}.".encode() + body, "sha256")
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    if not any(_is_signature(one, expected) for one in given):
        raise _unsigned()
    if abs(now - datetime.fromtimestamp(int(moment), UTC)) > tolerance:
        raise SignatureError(
            "This delivery is signed for another time.",
            hint="Send it again with a new timestamp, and check the clocks on both sides.",
        )
    return ident


def github_delivery(headers: Mapping[str, str], body: bytes, *, key: bytes) -> str:
    """Return what names a delivery that GitHub signed with `key`: its signature.

    Raises:
        SignatureError: it is not signed so.
    """
    found = _GITHUB.fullmatch(headers.get("x-hub-signature-256", ""))
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()
    if found is None or not hmac.compare_digest(found[1], expected):
        raise _unsigned()
    return expected


def _is_signature(given: str, expected: bytes) -> bool:
    version, _, encoded = given.partition(",")
    try:
        return version == "v1" and hmac.compare_digest(
            base64.b64decode(encoded, validate=True), expected
        )
    except (binascii.Error, ValueError):
        return False


def _unsigned() -> SignatureError:
    return SignatureError(
        "This delivery is not signed with the webhook's secret.",
        hint="Check the secret and the scheme on both sides.",
    )
