"""What values look like: the outputs of actions, and what `returns` adds.

Shapes give expressions their types, so that a misspelt field is found when a file is checked;
and they check a step's actual output when it comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, Discriminator, StringConstraints, Tag
from typing_extensions import TypeAliasType

from workflows.entry import Json
from workflows.errors import OutputMismatchError
from workflows.fault import suggestion

# The shorthand of `returns`: "integer", "string?" (may be null), [shape], {field: shape}.
Word = Annotated[str, StringConstraints(pattern=r"^(string|integer|number|boolean|any)\??$")]


def _returns_form(value: object) -> str:
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list | tuple) else "word"


Returns = TypeAliasType(
    "Returns",
    "Annotated[Annotated[Word, Tag('word')] | Annotated[tuple[Returns], Tag('list')]"
    " | Annotated[dict[str, Returns], Tag('object')], Discriminator(_returns_form)]",
)


class Kind(StrEnum):
    """The sorts of value that JSON and expressions share."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a value looks like.

    A list has `item`. An object has `fields`, or `item` when all its values look alike and
    its keys are not known beforehand.
    """

    kind: Kind
    may_be_null: bool = False
    item: "Shape | None" = None
    fields: Mapping[str, "Shape"] | None = None

    def __str__(self) -> str:
        return self.kind.value + (" or null" if self.may_be_null else "")


ANY = Shape(kind=Kind.ANY)
STRING = Shape(kind=Kind.STRING)


def shape_of_returns(returns: Returns) -> Shape:
    """Return what the shorthand describes."""
    if isinstance(returns, str):
        return Shape(kind=Kind(returns.removesuffix("?")), may_be_null=returns.endswith("?"))
    if isinstance(returns, Mapping):
        fields = {name: shape_of_returns(one) for name, one in returns.items()}
        return Shape(kind=Kind.OBJECT, fields=fields)
    return Shape(kind=Kind.LIST, item=shape_of_returns(returns[0]))


@lru_cache(maxsize=64)  # Most steps have an action of a few kinds, and each costs a millisecond.
def shape_of_model(model: type[BaseModel], *, writing: bool = False) -> Shape:
    """Return what a Pydantic model gives as JSON, or takes where it is for `writing`."""
    schema = model.model_json_schema(mode="validation" if writing else "serialization")
    return _of_schema(schema, schema.get("$defs", {}))


def _of_schema(schema: Any, definitions: Mapping[str, Any]) -> Shape:  # noqa: ANN401 - JSON Schema is JSON.
    if not isinstance(schema, Mapping):
        return ANY
    if "$ref" in schema:
        return _of_reference(str(schema["$ref"]), definitions)
    if "anyOf" in schema:
        return _of_choice(schema["anyOf"], definitions)
    return _of_type(schema, definitions)


def _of_type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Shape:
    match schema.get("type"):
        case "array":
            return Shape(kind=Kind.LIST, item=_of_schema(schema.get("items"), definitions))
        case "object":
            return _of_object(schema, definitions)
        case "string" | "integer" | "number" | "boolean" as kind:
            return Shape(kind=Kind(kind))
    return ANY


def _of_reference(reference: str, definitions: Mapping[str, Any]) -> Shape:
    name = reference.removeprefix("#/$defs/")
    rest = {key: one for key, one in definitions.items() if key != name}
    # Without itself among the definitions, a model that contains itself ends as "any".
    return _of_schema(definitions.get(name), rest)


def _of_choice(choices: Any, definitions: Mapping[str, Any]) -> Shape:  # noqa: ANN401 - JSON Schema is JSON.
    real = [one for one in choices if one.get("type") != "null"]
    if len(real) != 1:
        return ANY
    one = _of_schema(real[0], definitions)
    is_null = one.may_be_null or len(real) < len(choices)
    return Shape(kind=one.kind, may_be_null=is_null, item=one.item, fields=one.fields)


def _of_object(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Shape:
    if "properties" in schema:
        named = schema["properties"].items()
        fields = {name: _of_schema(one, definitions) for name, one in named}
        return Shape(kind=Kind.OBJECT, fields=fields)
    return Shape(kind=Kind.OBJECT, item=_of_schema(schema.get("additionalProperties"), definitions))


def refined(given: Shape, returns: Shape, *, path: str = "") -> Shape:
    """Return what an action gives, made more exact by what the definition says comes back.

    Raises:
        ValueError: they contradict each other; the text says where.
    """
    if given.kind is Kind.ANY:
        return returns
    if returns.kind is Kind.ANY:
        return given
    if given.kind is not returns.kind:
        raise ValueError(f"{path or 'the output'} is {given}, not {returns}")
    if given.kind is Kind.OBJECT and returns.fields is not None:
        return Shape(kind=Kind.OBJECT, fields=_refined_fields(given, returns, path))
    if given.kind is Kind.LIST:
        item = refined(given.item or ANY, returns.item or ANY, path=f"{path}[]")
        return Shape(kind=Kind.LIST, item=item)
    return returns


def _refined_fields(given: Shape, returns: Shape, path: str) -> dict[str, Shape]:
    known = dict(given.fields or {})
    for name, one in (returns.fields or {}).items():
        here = f"{path}.{name}".lstrip(".")
        if given.fields is not None and name not in given.fields:
            raise ValueError(f"there is no {here}; {suggestion(name, given.fields)}")
        known[name] = refined(known.get(name, given.item or ANY), one, path=here)
    return known


def mismatch(value: Json, shape: Shape, path: str = "output") -> str | None:
    """Return why `value` does not look like `shape`, or None. Further fields are allowed."""
    if value is None and (shape.may_be_null or shape.kind is Kind.ANY):
        return None
    if not _is_kind(value, shape.kind):
        return f"{path} should be {shape}, but is {_kind_of(value)}"
    if isinstance(value, list) and shape.item is not None:
        found = (mismatch(one, shape.item, f"{path}[{i}]") for i, one in enumerate(value))
        return next(filter(None, found), None)
    if isinstance(value, dict):
        return _fields_mismatch(value, shape, path)
    return None


def _fields_mismatch(value: Mapping[str, Json], shape: Shape, path: str) -> str | None:
    for name, one in (shape.fields or {}).items():
        if name not in value and not one.may_be_null:
            return f"{path} has no {name!r}"
        why = mismatch(value.get(name), one, f"{path}.{name}")
        if why is not None:
            return why
    return None


def require(value: Json, shape: Shape) -> None:
    """Refuse a value of another shape.

    Raises:
        OutputMismatchError: it says which part is not as declared.
    """
    why = mismatch(value, shape)
    if why is not None:
        raise OutputMismatchError(f"The answer is not as declared: {why}.")


def _is_kind(value: Json, kind: Kind) -> bool:
    match kind:
        case Kind.ANY:
            return True
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
    expected = {Kind.STRING: str, Kind.BOOLEAN: bool, Kind.LIST: list, Kind.OBJECT: dict}
    return isinstance(value, expected[kind])


def _kind_of(value: Json) -> str:
    names: dict[type, str] = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
        type(None): "null",
    }
    return names[type(value)]
