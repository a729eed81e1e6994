"""Reads from a checked CEL expression which variables it names.

The library gives a checked expression only as bytes, the public message
`cel.expr.CheckedExpr`: field 2 maps node ids to references, whose field 1 is a name.
"""

from workflows.message_bytes import inside

_ANY_VALUE = 2
_REFERENCE_MAP = 2
_ENTRY_VALUE = 2
_REFERENCE_NAME = 1


def names_in(serialized: bytes) -> frozenset[str]:
    """Return the names a serialized checked expression refers to, functions included."""
    found: set[str] = set()
    for checked in inside(serialized, _ANY_VALUE):
        for entry in inside(checked, _REFERENCE_MAP):
            for reference in inside(entry, _ENTRY_VALUE):
                found.update(name.decode() for name in inside(reference, _REFERENCE_NAME))
    return frozenset(found)
