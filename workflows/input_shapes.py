"""What declared inputs look like to expressions."""

from workflows.definition_inputs import (
    BooleanInput,
    ChannelInput,
    FileInput,
    GroupInput,
    Input,
    IntegerInput,
    ListInput,
    NumberInput,
    UserInput,
    default_of,
)
from workflows.shapes import STRING, Kind, Shape

_INTEGER = Shape(kind=Kind.INTEGER)
_NAMED = Shape(kind=Kind.OBJECT, fields={"id": STRING, "name": STRING})
_SHAPES: dict[type, Shape] = {
    IntegerInput: _INTEGER,
    NumberInput: Shape(kind=Kind.NUMBER),
    BooleanInput: Shape(kind=Kind.BOOLEAN),
    **dict.fromkeys((UserInput, GroupInput, ChannelInput), _NAMED),
    FileInput: Shape(kind=Kind.OBJECT, fields={"id": STRING, "name": STRING, "size": _INTEGER}),
}


def shape_of_input(spec: Input) -> Shape:
    """Return what a declared input looks like; one that may stay open may be null."""
    own = _shape(spec)
    open_end = not spec.required and default_of(spec) is None
    return Shape(kind=own.kind, may_be_null=open_end, item=own.item, fields=own.fields)


def _shape(spec: Input) -> Shape:
    if isinstance(spec, ListInput):
        return Shape(kind=Kind.LIST, item=_shape(spec.of))
    return _SHAPES.get(type(spec), STRING)
