"""Expressions that have no value where something they name was left open. Found by trying them.

What may be null is of no type to CEL, so a comparison that cannot be made with null passes every
check and stops the run once nobody filled the field in.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from workflows.check_steps import Checking
from workflows.definition_flow import Call, ForEach
from workflows.definition_steps import Step, Verify
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place
from workflows.shapes import Kind
from workflows.template import pieces, texts

# With the one set most comparisons hold, with the other few: either may be what is tried next.
_SAMPLES: Sequence[Mapping[Kind, Json]] = (
    {Kind.BOOLEAN: True, Kind.INTEGER: 1_000_000, Kind.NUMBER: 1e6},
    {Kind.BOOLEAN: False, Kind.INTEGER: 0, Kind.NUMBER: 0.0},
)
_EMPTY: Mapping[Kind, Json] = {Kind.STRING: "", Kind.LIST: [], Kind.OBJECT: {}}


class _Said(NamedTuple):
    """An expression, where it stands, and what it may name there."""

    path: Place
    text: str
    environment: Environment
    is_condition: bool = False


def left_open(checking: Checking) -> Iterator[Fault]:
    """Yield a warning for each expression that something left open would deprive of its value."""
    for said in _expressions(checking):
        for name in _needed(said):
            yield checking.document.fault(
                said.path,
                f"{said.text!r} has no value where {name} is null, and the run would stop here",
                f"write {name} != null && … where that may be, or have it filled in",
                warning=True,
            )


def _expressions(checking: Checking) -> Iterator[_Said]:
    definition, scopes = checking.definition, checking.scopes
    yield from _inside(("lock",), definition.lock, scopes.start())
    for node in definition.outline.values():
        step, path, before = node.step, node.path, scopes.before(node.step.id)
        if step.when is not None:
            yield _Said((*path, "when"), step.when, before, is_condition=True)
        match step:
            case Step():
                yield from _inside((*path, "with"), dict(step.arguments), before)
                if isinstance(step.verify, Verify):
                    here, proving = (*path, "verify", "expect"), scopes.verifying(step.id)
                    yield _Said(here, step.verify.expect, proving, is_condition=True)
            case ForEach():
                yield from _inside((*path, "foreach"), step.foreach, before)
            case Call():
                yield from _inside((*path, "inputs"), dict(step.inputs), before)


def _inside(path: Place, value: Json, environment: Environment) -> Iterator[_Said]:
    for place, text in texts(value):
        try:
            found = [one for is_one, one in pieces(text) if is_one]
        except ExpressionError:
            continue  # It has a fault of its own.
        yield from (_Said((*path, *place), one, environment) for one in found)


def _needed(said: _Said) -> list[str]:
    """Return what must not be null, though it may be, for an expression to have a value.

    Looked at is what alone takes it away, where it is there once all is filled in.
    """
    try:
        reads = said.environment.compile(said.text).reads
    except ExpressionError:
        return []  # It has a fault of its own.
    shapes = {name: said.environment.variables[name] for name in reads}
    has_value = partial(said.environment.has_value, said.text, is_condition=said.is_condition)
    found: dict[str, None] = {}
    for samples in _SAMPLES:
        filled = {name: {**_EMPTY, **samples}.get(shape.kind) for name, shape in shapes.items()}
        open_ones = [name for name, shape in shapes.items() if shape.may_be_null]
        if open_ones and has_value(filled):
            lost = (name for name in open_ones if not has_value({**filled, name: None}))
            found |= dict.fromkeys(lost)
    return list(found)
