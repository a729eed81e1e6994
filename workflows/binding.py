"""Commitments to payload, and the digest that an approval is bound to (AUDIT.md section 4)."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping

import rfc8785

from workflows.entry import Json
from workflows.quick_json import dumped

PART_TAG = b"audit-part/v1"
MOST_INTEGER = 2**53 - 1
# What is encoded was read from JSON or checked for its depth, so nobody looks for circles in it.
_PATIENT = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)
_NUMBER_OF_ITS_OWN = re.compile(rb"[0-9](?:[.eE]|[0-9]{15})")  # A fraction, a large integer.


def canonical(value: Json) -> bytes:
    """Return the canonical bytes of `value`, which holds no fractions (AUDIT.md section 3)."""
    quick = dumped(value)
    return _PATIENT.encode(value).encode() if quick is None else quick


def commitment(salt: bytes, name: str, value: bytes) -> str:
    """Return the base64 commitment to the part `name` with that value."""
    mac = hmac.digest(salt, b"\0".join((PART_TAG, name.encode(), value)), "sha256")
    return base64.b64encode(mac).decode()


def binding(
    *,
    workflow: str,
    version: str,
    step: str,
    policy: str,
    args: str | None,
    plan: str | None,
) -> str:
    """Return the digest an approval is bound to; `args` and `plan` are commitments."""
    bound: Mapping[str, Json] = {
        "args": args,
        "plan": plan,
        "policy": policy,
        "step": step,
        "version": version,
        "workflow": workflow,
    }
    return hashlib.sha256(canonical(dict(bound))).hexdigest()


def json_bytes(value: Json) -> bytes:
    """Return the RFC 8785 bytes of `value`, fractions included: equal values, equal bytes.

    Raises:
        ValueError: a number that RFC 8785 cannot write (too large, not finite).
    """
    quick = dumped(value)
    if quick is not None and _looks_plain(quick):
        return quick
    return canonical(value) if _is_plain(value) else rfc8785.dumps(value)


def _looks_plain(text: bytes) -> bool:
    """Say whether nothing in that JSON may be what `_is_plain` looks for; a text may look so."""
    return (
        text.isascii()
        and b"null" not in text  # NaN is written so, too.
        and _NUMBER_OF_ITS_OWN.search(text) is None
    )


def _is_plain(value: object) -> bool:
    """Say whether the quick encoder gives the RFC 8785 bytes of `value`.

    It differs in fractions, in large integers, and in the order of keys beyond ASCII.
    """
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, int):
        return -MOST_INTEGER <= value <= MOST_INTEGER
    if isinstance(value, dict):
        return all(
            isinstance(key, str) and key.isascii() and _is_plain(one) for key, one in value.items()
        )
    return isinstance(value, list) and all(_is_plain(one) for one in value)
