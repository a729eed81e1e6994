"""As much of DER as time stamps need: values with a tag and a length, written and read."""

from collections.abc import Iterator
from typing import NamedTuple

BOOLEAN, INTEGER, OCTETS, NULL, OBJECT, GENERALIZED_TIME = 0x01, 0x02, 0x04, 0x05, 0x06, 0x18
SEQUENCE, SET, EXPLICIT = 0x30, 0x31, 0xA0
LONG = 0x80
MOST_LENGTH_BYTES = 4


class MalformedDerError(ValueError):
    """Bytes that are no DER, or another value than was looked for."""


class Value(NamedTuple):
    """One value: its tag, and the bytes inside."""

    tag: int
    content: bytes


def written(tag: int, *parts: bytes) -> bytes:
    """Return a value with these parts inside."""
    content = b"".join(parts)
    size = len(content)
    if size < LONG:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, LONG | len(length)]) + length + content


def integer(number: int) -> bytes:
    """Return a whole number that is not negative."""
    return written(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def values(data: bytes) -> list[Value]:
    """Return the values that `data` holds one after the other.

    Raises:
        MalformedDerError: it ends within one, or is no DER.
    """
    return list(_values(data))


def inside(value: Value, tag: int) -> list[Value]:
    """Return the values inside of one with that tag.

    Raises:
        MalformedDerError: it has another tag, or holds no values.
    """
    if value.tag != tag:
        raise MalformedDerError(f"A value is of the kind {value.tag:#x}, not {tag:#x}.")
    return values(value.content)


def number_in(value: Value) -> int:
    """Return a whole number.

    Raises:
        MalformedDerError: it is none.
    """
    if value.tag != INTEGER or not value.content:
        raise MalformedDerError("A value is no number.")
    return int.from_bytes(value.content, "big", signed=True)


def _values(data: bytes) -> Iterator[Value]:
    at = 0
    while at < len(data):
        if len(data) < at + 2:
            raise MalformedDerError("The bytes end within a value.")
        tag, length, at = data[at], data[at + 1], at + 2
        if length & LONG:
            count = length & ~LONG
            if not 0 < count <= MOST_LENGTH_BYTES:
                raise MalformedDerError("A value has no length that counts here.")
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if len(data) < at + length:
            raise MalformedDerError("The bytes end within a value.")
        yield Value(tag, data[at : at + length])
        at += length
