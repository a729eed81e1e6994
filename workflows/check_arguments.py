"""Checks the `with` of a step against what its action takes, expressions included.

What is written out is checked as the action itself would; what an expression will give is
checked by its type, as far as that is known beforehand.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows.actions.base import Action
from workflows.definition_file import Document
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place
from workflows.form_faults import fault_of, merged, place_of
from workflows.shapes import ANY, Kind, Shape, shape_of_model
from workflows.template import OPENING, has_expression, pieces, texts

_ABOUT_NAMES = frozenset({"missing", "extra_forbidden"})
_KINDS_IN_TEXT = frozenset({Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.ANY})


def argument_faults(
    document: Document,
    path: Place,
    arguments: Mapping[str, Json],
    *,
    action: Action[Any, Any],
    environment: Environment,
) -> Iterator[Fault]:
    """Yield what is wrong with the arguments that stand at `path`."""
    yield from _literal_faults(document, path, arguments, action)
    yield from _form_faults(document, path, arguments, action.takes)
    model: type[BaseModel] = action.takes
    takes = shape_of_model(model, writing=True)
    for place, text in texts(dict(arguments)):
        if OPENING in text:
            expected = _shape_at(takes, place)
            yield from _text_faults(document, (*path, *place), text, expected, environment)


def _literal_faults(
    document: Document, path: Place, arguments: Mapping[str, Json], action: Action[Any, Any]
) -> Iterator[Fault]:
    for name in sorted(action.literals & arguments.keys()):
        if has_expression(arguments[name]):
            what = "must be written out, without expressions"
            right = "pass what changes in another argument, so that the gate sees what runs"
            yield document.fault((*path, name), what, right)


def _form_faults(
    document: Document, path: Place, arguments: Mapping[str, Json], takes: type[BaseModel]
) -> Iterator[Fault]:
    try:
        takes.model_validate(dict(arguments))
    except ValidationError as error:
        yield from merged(
            [
                fault_of({**one, "loc": (*path, *one["loc"])}, document, takes, inside=len(path))
                for one in error.errors()
                if one["type"] in _ABOUT_NAMES
                or not _is_open(document, path, arguments, one["loc"])
            ]
        )


def _is_open(
    document: Document, path: Place, arguments: Mapping[str, Json], loc: tuple[str | int, ...]
) -> bool:
    """Say whether what stands at `loc` is known only once its expressions are evaluated."""
    place = place_of((*path, *loc), document)[len(path) :]
    return has_expression(_value_at(dict(arguments), place))


def _value_at(value: Json, path: Place) -> Json:
    """Return what stands at `path`; for something missing nothing, so no expression either."""
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value


def _shape_at(shape: Shape, path: Place) -> Shape:
    for part in path:
        fields = shape.fields or {}
        shape = fields.get(str(part), shape.item or ANY)
    return shape


def _text_faults(
    document: Document, path: Place, text: str, expected: Shape, environment: Environment
) -> Iterator[Fault]:
    try:
        parts = pieces(text)
        kinds = [environment.kind_of(one) for is_one, one in parts if is_one]
    except ExpressionError as error:
        yield document.fault(path, error.message, error.hint)
        return
    if len(parts) == 1 and kinds and not _fits(kinds[0], expected.kind):
        right = "turn it into text with string(…)" if expected.kind is Kind.STRING else ""
        yield document.fault(path, f"gives {kinds[0].value}, but {expected} is needed", right)
    if len(parts) > 1 and any(kind not in _KINDS_IN_TEXT for kind in kinds):
        right = "let it stand alone, or name one value in it"
        yield document.fault(path, "puts a list or an object into a text", right)


def _fits(given: Kind, expected: Kind) -> bool:
    if Kind.ANY in (given, expected) or given is expected:
        return True
    return given is Kind.INTEGER and expected is Kind.NUMBER


def text_faults(
    document: Document,
    path: Place,
    text: str,
    environment: Environment,
    *,
    expected: Shape = ANY,
) -> Iterator[Fault]:
    """Yield what is wrong with a text that holds expressions, where `expected` is needed."""
    yield from _text_faults(document, path, text, expected, environment)
