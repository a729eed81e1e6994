"""Says below a field of a form what it wants: its limits, and what stands if it is left open."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot import limits
from bot.form_choices import is_chosen
from bot.wording import amount, clean, joined, utc
from workflows.definition_inputs import (
    ChannelInput,
    DateInput,
    DatetimeInput,
    FileInput,
    Input,
    IntegerInput,
    ListInput,
    NumberInput,
    TextInput,
    UserInput,
    default_of,
)
from workflows.input_words import in_words


def hint_for(spec: Input) -> str:
    """Return what the field wants, in words that say its limits."""
    told = [clean(spec.description)] if spec.description else []
    return " ".join([*told, *_limits(spec), *_searched(spec), *_left_open(spec)])


def _limits(spec: Input) -> Iterator[str]:
    known = _LIMITS.get(type(spec))
    if known is not None:
        yield from known(spec)


def _searched(spec: Input) -> Iterator[str]:
    inner = spec.of if isinstance(spec, ListInput) else spec
    if isinstance(inner, TextInput) and inner.options is not None:
        yield "Type to search. Where nothing is found, its service may not have answered."


def is_left_to_default(spec: Input) -> bool:
    """Say whether a default stands that the field cannot show, since only its name is known."""
    inner = spec.of if isinstance(spec, ListInput) else spec
    return default_of(spec) is not None and isinstance(inner, UserInput | ChannelInput)


def _left_open(spec: Input) -> Iterator[str]:
    if is_left_to_default(spec):
        yield f"Left open: {in_words(default_of(spec), spec)}."


def _text_limits(spec: TextInput) -> Iterator[str]:
    least = spec.min_length or 0
    if least or spec.max_length < limits.TEXT_INPUT:
        yield f"{f'{least} to' if least else 'At most'} {amount(spec.max_length)} characters."
    if spec.example is not None:
        yield f"For example {spec.example}"
    elif spec.pattern is not None:
        yield f"It has to match {spec.pattern}"


def _range_limits(low: str | None, high: str | None) -> Iterator[str]:
    if low is not None and high is not None:
        yield f"From {low} to {high}."
    elif low is not None:
        yield f"At least {low}."
    elif high is not None:
        yield f"At most {high}."


def _number_limits(spec: IntegerInput | NumberInput) -> Iterator[str]:
    low, high = (amount(one) if one is not None else None for one in (spec.minimum, spec.maximum))
    yield from _range_limits(low, high)
    if isinstance(spec, IntegerInput):
        yield "A whole number."


def _date_limits(spec: DateInput) -> Iterator[str]:
    ends = (spec.minimum, spec.maximum)
    yield from _range_limits(*(one.isoformat() if one is not None else None for one in ends))


def _datetime_limits(spec: DatetimeInput) -> Iterator[str]:
    ends = (spec.minimum, spec.maximum)
    yield from _range_limits(*(None if one is None else utc(one) for one in ends))
    yield "In your own time zone."


def _list_limits(spec: ListInput) -> Iterator[str]:
    if not is_chosen(spec.of):
        yield "One a line."
    least = spec.min_items or 1
    if spec.min_items is not None or spec.max_items is not None:
        yield f"{f'{least} to' if least > 1 else 'At most'} {spec.most}."
    yield from _limits(spec.of)


def _file_limits(spec: FileInput) -> Iterator[str]:
    if spec.types is not None:
        yield f"Of type {joined(list(spec.types))}."
    if spec.max_bytes is not None:
        yield f"At most {amount(spec.max_bytes)} bytes."


_LIMITS: Mapping[type, Callable[[Any], Iterator[str]]] = {
    TextInput: _text_limits,
    IntegerInput: _number_limits,
    NumberInput: _number_limits,
    DateInput: _date_limits,
    DatetimeInput: _datetime_limits,
    FileInput: _file_limits,
    ListInput: _list_limits,
}
