"""The bytes of an entry: one function makes them, one reads them (AUDIT.md sections 2 and 3).

What the kinds of entries demand stands in `workflows.kinds`; order and storage in `journal`.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from workflows.binding import canonical
from workflows.entry import Json

ENTRY_TYPE = b"application/vnd.audit-entry.v1+json"
MEMBERS = frozenset(
    ["actor", "data", "id", "key", "kind", "log", "parts", "prev", "rseq", "run", "sig", "ts", "v"]
)
MOST_BYTES = 16_384
MOST_LEVELS = 32
MOST_INTEGER = 2**53 - 1
KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# `,"ts":"2026-03-02T09:00:00.000Z","v":1}` ends every line, `,"sig":"…"` stands before it.
TAIL = 39
SIGNATURE = 97


class MalformedEntryError(ValueError):
    """Bytes or values that no entry can have."""


def stamp(moment: datetime) -> str:
    """Return `moment` as an entry's `ts`: UTC with exactly three decimals, the rest cut off."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def read_stamp(ts: str) -> datetime:
    """Return the moment that an entry's `ts` names."""
    return datetime.fromisoformat(ts)


def pae(kind: bytes, body: bytes) -> bytes:
    """Return what DSSE signs for `body` of type `kind`."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def leaf_hash(line: bytes) -> bytes:
    """Return the Merkle leaf of an entry's line."""
    return hashlib.sha256(b"\0" + line).digest()


def seal(body_members: Mapping[str, Json], sign: Callable[[bytes], bytes]) -> bytes:
    """Return the line of an entry with those twelve members, signed.

    Raises:
        MalformedEntryError: a value outside the canonical form, or a line over 16,384 bytes.
    """
    check_value(body_members["data"])
    body = _canonical(dict(body_members))
    if len(body) + SIGNATURE > MOST_BYTES:
        raise MalformedEntryError(
            f"An entry takes {MOST_BYTES} bytes; this one would have {len(body) + SIGNATURE}. "
            "What is long belongs into a part."
        )
    signature = base64.b64encode(sign(pae(ENTRY_TYPE, body)))
    return b'%b,"sig":"%b"%b' % (body[:-TAIL], signature, body[-TAIL:])


def body_of(line: bytes) -> bytes:
    """Return the bytes that an entry's signature covers."""
    return line[: -TAIL - SIGNATURE] + line[-TAIL:]


def read_line(line: bytes) -> dict[str, Any]:
    """Return the members of an entry's line.

    Raises:
        MalformedEntryError: not canonical, too long, or not exactly the thirteen members.
    """
    if len(line) > MOST_BYTES:
        raise MalformedEntryError(f"A line of {len(line)} bytes; {MOST_BYTES} are allowed.")
    members = read_canonical(line)
    if not isinstance(members, dict) or members.keys() != MEMBERS:
        raise MalformedEntryError("An entry has exactly thirteen members.")
    return members


def read_canonical(data: bytes) -> Any:  # noqa: ANN401  any JSON value
    """Return the value of canonical JSON.

    Raises:
        MalformedEntryError: duplicates, fractions, odd keys, or bytes that re-encode to others.
    """
    try:
        value = DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedEntryError(f"Not canonical JSON: {error}") from None
    check_value(value)
    # A member that stands twice, odd spaces or escapes: all of them re-encode to other bytes.
    if _canonical(value) != data:
        raise MalformedEntryError("The bytes are not in canonical form.")
    return value


def check_value(value: object, depth: int = 1) -> None:
    """Refuse what the canonical form has no place for.

    Raises:
        MalformedEntryError: a fraction, a large integer, a bad key, a NUL, too many levels.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise MalformedEntryError("A text of an entry holds U+0000.")
    elif isinstance(value, int):
        if not -MOST_INTEGER <= value <= MOST_INTEGER:
            raise MalformedEntryError(f"{value} is beyond 2^53 - 1.")
    elif isinstance(value, dict):
        _check_object(value, depth)
    elif isinstance(value, list):
        _check_depth(depth)
        for one in value:
            check_value(one, depth + 1)
    elif value is not None:
        raise MalformedEntryError(f"An entry holds no {type(value).__name__}.")


def decode64(text: object, size: int) -> bytes:
    """Return the `size` bytes that base64 `text` stands for, in its one allowed spelling.

    Raises:
        MalformedEntryError: other bytes, or another spelling of them.
    """
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise MalformedEntryError("Not base64.") from None
    if len(data) != size or base64.b64encode(data).decode() != text:
        raise MalformedEntryError(f"Not the base64 of {size} bytes.")
    return data


def _canonical(value: Json) -> bytes:
    try:
        return canonical(value)
    except UnicodeEncodeError:
        raise MalformedEntryError("A text of an entry holds half a character.") from None


def _check_object(value: dict[Any, Any], depth: int) -> None:
    _check_depth(depth)
    for key, one in value.items():
        if not isinstance(key, str) or not is_member(key):
            raise MalformedEntryError(f"{key!r} is no name of a member.")
        if type(one) is not str or "\0" in one:  # A text without is most of what there is.
            check_value(one, depth + 1)


@lru_cache(maxsize=1024)  # Entries use the same few names over and over.
def is_member(key: str) -> bool:
    """Say whether an object of an entry may have a member of that name."""
    return KEY.fullmatch(key) is not None


def _check_depth(depth: int) -> None:
    if depth > MOST_LEVELS:
        raise MalformedEntryError(f"More than {MOST_LEVELS} levels.")


def refuse_number(text: str) -> NoReturn:
    """Refuse a fraction, an exponent, a NaN or an infinity, whose spelling is `text`."""
    raise MalformedEntryError(f"{text} is not an integer.")


DECODER = json.JSONDecoder(parse_float=refuse_number, parse_constant=refuse_number)
