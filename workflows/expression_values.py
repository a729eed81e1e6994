"""Carries values and their shapes between JSON and CEL."""

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from workflows.cel_library import cel
from workflows.definition_parts import RESERVED
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.shapes import Kind, Shape

_NAMES = {
    "STRING": "text",
    "INT": "an integer",
    "DOUBLE": "a number",
    "BOOL": "true or false",
    "DYN": "any value",
    "NULL": "null",
}


@lru_cache(maxsize=1)
def cel_types() -> Mapping[Kind, Any]:
    """Return the CEL types of the kinds that have one of their own."""
    types = cel().Type
    return {
        Kind.STRING: types.STRING,
        Kind.INTEGER: types.INT,
        Kind.NUMBER: types.DOUBLE,
        Kind.BOOLEAN: types.BOOL,
    }


def cel_type(shape: Shape) -> Any:  # noqa: ANN401 - the library's types are untyped.
    """Return the CEL type of a shape. What may be null can be anything to CEL."""
    types = cel().Type
    if shape.may_be_null:
        return types.DYN
    if shape.kind is Kind.LIST:
        return types.List(cel_type(shape.item) if shape.item is not None else types.DYN)
    if shape.kind is Kind.OBJECT:
        inside = cel_type(shape.item) if shape.item is not None else types.DYN
        return types.Map(types.STRING, inside)
    return cel_types().get(shape.kind, types.DYN)


def type_name(given: Any) -> str:  # noqa: ANN401 - the library's types are untyped.
    """Return a CEL type in words."""
    name = str(given.name())
    return _NAMES.get(name, "a list" if name.startswith("LIST") else name.lower())


def found_at(tree: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever stands there.
    """Return what stands at a dotted path.

    Raises:
        ExpressionError: nothing does, for example because a step was skipped.
    """
    value: Any = tree
    for index, part in enumerate(parts := path.split(".")):
        if not isinstance(value, Mapping) or part not in value:
            raise ExpressionError(f"There is no {'.'.join(parts[: index + 1])} here.")
        value = value[part]
    return value


def fitted(value: Any, shape: Shape) -> Any:  # noqa: ANN401 - JSON in, JSON out.
    """Return `value` with whole numbers as fractions where its shape says `number`.

    JSON writes 5.0 as 5, and CEL never mixes the two.
    """
    if shape.kind is Kind.NUMBER and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list) and shape.item is not None:
        return [fitted(one, shape.item) for one in value]
    if isinstance(value, Mapping):
        fields = shape.fields or {}
        rest = shape.item or Shape(kind=Kind.ANY)
        return {name: fitted(one, fields.get(name, rest)) for name, one in value.items()}
    return value


def leaves(names: Mapping[str, Shape], prefix: str = "") -> Iterator[tuple[str, Shape]]:
    """Yield each variable that expressions may name, by its dotted path, with its shape."""
    for name, shape in names.items():
        path = f"{prefix}{name}"
        if shape.fields is not None and not shape.may_be_null and _are_words(shape.fields):
            yield from leaves(shape.fields, f"{path}.")
        else:
            yield path, shape


def _are_words(fields: Mapping[str, Shape]) -> bool:
    return all(re.fullmatch(r"[A-Za-z_]\w*", one) and one not in RESERVED for one in fields)


def as_json(text: str, value: Any) -> Json:  # noqa: ANN401 - whatever CEL gave.
    """Return what the expression `text` gave as JSON.

    Raises:
        ExpressionError: it is nothing that JSON can say.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError(f"{text!r} gives no finite number.")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [as_json(text, one) for one in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {str(name): as_json(text, one) for name, one in value.items()}
    kinds = {dt.datetime: "a moment", dt.timedelta: "a length of time"}
    kind = kinds.get(type(value), "something that is not JSON")
    raise ExpressionError(f"{text!r} gives {kind}.", hint="Turn it into text with string(…).")
