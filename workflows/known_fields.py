"""Finds which fields a model knows at a Pydantic location, to suggest the one that was meant."""

import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType


def fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> frozenset[str]:
    """Return the names that may stand at `loc`, as a file writes them."""
    candidates: list[Any] = [model]
    for part in loc:
        inner = [one for candidate in candidates for one in _inside(candidate, part)]
        # What leads nowhere is the name of a union's member: it narrows the choice instead.
        candidates = inner or _narrowed(candidates, part)
    models = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
    return frozenset(name for one in models for name in _names(one))


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _inside(candidate: Any, part: str | int) -> Iterator[Any]:  # noqa: ANN401 - any annotation.
    if isinstance(candidate, type) and issubclass(candidate, BaseModel):
        for name, field in candidate.model_fields.items():
            if part in (name, field.alias):
                yield from _unwrapped(field.annotation)
        return
    origin, arguments = get_origin(candidate), get_args(candidate)
    if origin in (tuple, list) and isinstance(part, int):
        yield from _unwrapped(arguments[0])
    elif origin is dict:
        yield from _unwrapped(arguments[1])


def _unwrapped(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation.
    """Yield what an annotation allows, without unions, aliases and metadata."""
    if isinstance(annotation, TypeAliasType):
        return
    if get_origin(annotation) is Annotated:
        yield from _unwrapped(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _unwrapped(one)
    else:
        yield annotation


def _narrowed(candidates: Iterable[Any], tag: str | int) -> list[Any]:
    every = list(candidates)
    fitting = [one for one in every if tag in _literals(one)]
    return fitting or every


def _literals(candidate: Any) -> Iterator[object]:  # noqa: ANN401 - any annotation.
    if isinstance(candidate, type) and issubclass(candidate, BaseModel):
        for field in candidate.model_fields.values():
            if get_origin(field.annotation) is Literal:
                yield from typing.get_args(field.annotation)
