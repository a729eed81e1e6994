"""A checked condition as a tree, for whoever reasons about it instead of evaluating it.

The library gives a checked expression only as bytes, the public message
`cel.expr.CheckedExpr`; field 4 is the expression itself (`cel.expr.Expr`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from workflows.entry import Json
from workflows.expression import Environment
from workflows.message_bytes import Value, fields, inside

Path: TypeAlias = tuple[str, ...]  # A name and what is looked up in it: inputs, amount.

_ANY_VALUE, _CHECKED_EXPRESSION = 2, 4
_CONSTANT, _IDENT, _SELECT, _CALL, _LIST = 3, 4, 5, 6, 7
_INDEX = "_[_]"
_SIGN = 1 << 63


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is written out."""

    value: Json


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or something inside one."""

    path: Path


@dataclass(frozen=True, slots=True)
class Has:
    """Whether something is there: `has(inputs.amount)`."""

    path: Path


@dataclass(frozen=True, slots=True)
class Applied:
    """An operator (`_&&_`, `_==_`, `@in`, …) or a function, and what it is applied to."""

    function: str
    to: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that is written out."""

    items: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that is not looked into, such as `exists`."""


Tree: TypeAlias = Constant | Name | Has | Applied | Listed | Opaque


def tree_of(environment: Environment, condition: str) -> Tree:
    """Return a condition as a tree.

    Raises:
        ExpressionError: it does not compile.
    """
    serialized = environment.compile(condition).compiled.serialize()
    checked = next(inside(serialized, _ANY_VALUE))
    return _tree(next(inside(checked, _CHECKED_EXPRESSION)))


def every(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and everything in it."""
    yield tree
    below = tree.to if isinstance(tree, Applied) else tree.items if isinstance(tree, Listed) else ()
    for one in below:
        yield from every(one)


def _tree(message: bytes) -> Tree:
    kinds = {number: value for number, value in fields(message) if isinstance(value, bytes)}
    if _CONSTANT in kinds:
        return _constant(kinds[_CONSTANT])
    if _IDENT in kinds:
        return Name(tuple(_text(kinds[_IDENT], 1).split(".")))
    if _SELECT in kinds:
        return _select(kinds[_SELECT])
    if _CALL in kinds:
        return _call(kinds[_CALL])
    if _LIST in kinds:
        return Listed(tuple(_tree(one) for one in inside(kinds[_LIST], 1)))
    return Opaque()


def _constant(message: bytes) -> Tree:
    number, value = next(iter(fields(message)), (1, 0))
    match number:
        case 1:
            return Constant(None)
        case 2:
            return Constant(bool(value))
        case 3 | 4:
            return Constant(_whole(value))
        case 5:
            return Constant(_fraction(value))
        case 6 if isinstance(value, bytes):
            return Constant(value.decode())
    return Opaque()


def _whole(value: Value) -> int:
    found = value if isinstance(value, int) else 0
    return found - (_SIGN << 1) if found >= _SIGN else found


def _fraction(value: Value) -> float:
    bits = value if isinstance(value, int) else 0
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


def _select(message: bytes) -> Tree:
    around = _tree(next(inside(message, 1)))
    if not isinstance(around, Name):
        return Opaque()
    path = (*around.path, _text(message, 2))
    is_test = any(number == 3 and value for number, value in fields(message))  # noqa: PLR2004 - its field number.
    return Has(path) if is_test else Name(path)


def _call(message: bytes) -> Tree:
    to = tuple(_tree(one) for one in (*inside(message, 1), *inside(message, 3)))
    function = _text(message, 2)
    if function == _INDEX and isinstance(to[0], Name) and isinstance(to[1], Constant):
        key = to[1].value
        if isinstance(key, str):
            return Name((*to[0].path, key))
    return Applied(function, to)


def _text(message: bytes, number: int) -> str:
    return next(inside(message, number), b"").decode()
