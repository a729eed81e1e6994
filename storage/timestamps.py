"""Time stamps over heads (RFC 3161): the request, and what an answer says.

What is stamped is the note as it was then. Whether the authority is one to trust is for
whoever checks the token with its certificate: `openssl ts -verify`.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.der import (
    BOOLEAN,
    EXPLICIT,
    GENERALIZED_TIME,
    INTEGER,
    NULL,
    OBJECT,
    OCTETS,
    SEQUENCE,
    SET,
    MalformedDerError,
    Value,
    inside,
    integer,
    number_in,
    values,
    written,
)

SHA_256 = bytes.fromhex("608648016503040201")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")  # What a token of time holds.
GRANTED = frozenset({b"\0", b"\1"})  # As asked, or with changes that the token tells of.
MOMENT = re.compile(rb"([0-9]{14})(?:\.[0-9]+)?Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """What a token states: these bytes existed at that time."""

    digest: bytes
    serial: int
    at: datetime
    nonce: int | None

    def covers(self, note: str) -> bool:
        """Say whether the note was stamped, maybe before it got its last signature lines."""
        return self.stamped(note) is not None

    def stamped(self, note: str) -> bytes | None:
        """Return the bytes that were stamped: the note, or what it was before its last lines."""
        beginnings = _beginnings(note)
        return next(
            (one for one in beginnings if hashlib.sha256(one).digest() == self.digest), None
        )


def request_for(note: str, *, nonce: int) -> bytes:
    """Return the request for a stamp over the note, with the authority's certificate in it."""
    algorithm = written(SEQUENCE, written(OBJECT, SHA_256), written(NULL))
    digest = hashlib.sha256(note.encode()).digest()
    imprint = written(SEQUENCE, algorithm, written(OCTETS, digest))
    return written(SEQUENCE, integer(1), imprint, integer(nonce), written(BOOLEAN, b"\xff"))


def read_stamp(answer: bytes) -> TimeStamp:
    """Return what the answer of an authority states.

    Raises:
        MalformedDerError: it is no such answer, or refuses.
    """
    (whole,) = _exactly(values(answer), 1)
    status, *token = _exactly(inside(whole, SEQUENCE), 1, or_more=True)
    code, *_words = _exactly(inside(status, SEQUENCE), 1, or_more=True)
    if code.tag != INTEGER or code.content not in GRANTED:
        raise MalformedDerError("The authority refuses.")
    _kind, wrapped = _exactly(inside(_exactly(token, 1)[0], SEQUENCE), 2)
    (signed,) = _exactly(inside(wrapped, EXPLICIT), 1)
    _version, _digests, content, *more = _exactly(inside(signed, SEQUENCE), 4, or_more=True)
    _exactly(inside(more[-1], SET), 1)  # Who signed it, and nobody besides.
    kind, held = _exactly(inside(content, SEQUENCE), 2)
    if kind != Value(OBJECT, TST_INFO):
        raise MalformedDerError("What was signed is no time stamp.")
    (octets,) = _exactly(inside(held, EXPLICIT), 1)
    (told,) = _exactly(inside(octets, OCTETS), 1)
    return _stamp(inside(told, SEQUENCE))


def _stamp(told: Sequence[Value]) -> TimeStamp:
    _version, _policy, imprint, serial, at, *rest = _exactly(told, 5, or_more=True)
    _algorithm, digest = _exactly(inside(imprint, SEQUENCE), 2)
    nonce = next((number_in(one) for one in rest if one.tag == INTEGER), None)
    return TimeStamp(digest=digest.content, serial=number_in(serial), at=_moment(at), nonce=nonce)


def _moment(value: Value) -> datetime:
    match = MOMENT.fullmatch(value.content)
    if value.tag != GENERALIZED_TIME or match is None:
        raise MalformedDerError("A token names no time.")
    try:
        return datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise MalformedDerError("A token names no time.") from error


def _exactly(found: Sequence[Value], count: int, *, or_more: bool = False) -> Sequence[Value]:
    if len(found) < count or (len(found) > count and not or_more):
        raise MalformedDerError(f"{len(found)} values stand where {count} belong.")
    return found


def _beginnings(note: str) -> list[bytes]:
    """Return the note, and what it was before each of its last lines was put under it."""
    text, _, lines = note.partition("\n\n")
    signed = lines.splitlines(keepends=True)
    return [f"{text}\n\n{''.join(signed[:count])}".encode() for count in range(len(signed), 0, -1)]
