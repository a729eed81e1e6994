"""Reads from a checked CEL expression which variables it names.

The library gives a checked expression only as bytes, the public message
`cel.expr.CheckedExpr`: field 2 maps node ids to references, whose field 1 is a name.
Of the encoding only what that needs is read here: tags, varints and lengths.
"""

from collections.abc import Iterator

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_ANY_VALUE = 2
_REFERENCE_MAP = 2
_ENTRY_VALUE = 2
_REFERENCE_NAME = 1


def names_in(serialized: bytes) -> frozenset[str]:
    """Return the names a serialized checked expression refers to, functions included."""
    found: set[str] = set()
    for checked in _fields(serialized, _ANY_VALUE):
        for entry in _fields(checked, _REFERENCE_MAP):
            for reference in _fields(entry, _ENTRY_VALUE):
                found.update(name.decode() for name in _fields(reference, _REFERENCE_NAME))
    return frozenset(found)


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the contents of every length-delimited field number `wanted`."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        size, place = _size(message, place, kind)
        if kind == _BYTES and number == wanted:
            yield message[place : place + size]
        place += size


def _size(message: bytes, place: int, kind: int) -> tuple[int, int]:
    """Return how long the field's content is and where it begins."""
    if kind == _BYTES:
        return _varint(message, place)
    if kind == _VARINT:
        _, end = _varint(message, place)
        return end - place, place
    return {_EIGHT: 8, _FOUR: 4}[kind], place


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:  # noqa: PLR2004 - the bit that says another byte follows.
            return value, place
        shift += 7
