"""The wire format of protocol buffers, as far as reading a checked expression needs it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

Value: TypeAlias = int | bytes  # A varint or a fixed number as it stands, or what has a length.

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MORE = 0x80  # The bit that says another byte follows.


@lru_cache(maxsize=2_048)  # The few expressions of a house are read at each evaluation.
def fields(message: bytes) -> Sequence[tuple[int, Value]]:
    """Return every field of a message as its number and its value, in order."""
    found, place = [], 0
    while place < len(message):
        tag, place = _varint(message, place)
        value, place = _value(message, place, tag & 7)
        found.append((tag >> 3, value))
    return found


def inside(message: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the contents of every field of that number that has a length."""
    for number, value in fields(message):
        if number == wanted and isinstance(value, bytes):
            yield value


def _value(message: bytes, place: int, kind: int) -> tuple[Value, int]:
    if kind == _VARINT:
        return _varint(message, place)
    if kind == _BYTES:
        size, place = _varint(message, place)
        return message[place : place + size], place + size
    size = {_EIGHT: 8, _FOUR: 4}[kind]
    return int.from_bytes(message[place : place + size], "little"), place + size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & ~_MORE) << shift
        place += 1
        if byte < _MORE:
            return value, place
        shift += 7
