"""One input of a definition as one field of a form, with a hint that says its limits.

Slack checks lengths and ranges first, from what it is told here; what counts is
`workflows.input_values`, on the server.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk.models.blocks import (
    DatePickerElement,
    InputInteractiveElement,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
)

from bot import limits
from bot.views.pieces import plain
from bot.wording import amount, clean, length, one_line
from workflows.definition_inputs import (
    BooleanInput,
    DateInput,
    EnumInput,
    Input,
    IntegerInput,
    NumberInput,
    TextInput,
    default_of,
)

FIELD = "value"  # The action id of the one field in each block.
_YES_NO = (("true", "Yes"), ("false", "No"))


def field_for(spec: Input, start: str) -> InputInteractiveElement:
    """Return the field, filled with `start` where it can show that."""
    return _ELEMENTS[type(spec)](spec, start)


def start_of(spec: Input, given: object) -> str:
    """Return what stands in the field at first: what was typed, or the default."""
    value = default_of(spec) if given in (None, "") else given
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def hint_for(spec: Input) -> str:
    """Return what the field wants, in words that say its limits."""
    told = [clean(spec.description)] if spec.description else []
    return " ".join([*told, *_LIMITS[type(spec)](spec)])


def _text_limits(spec: TextInput) -> Iterator[str]:
    least = spec.min_length or 0
    if least or spec.max_length < limits.TEXT_INPUT:
        yield f"{f'{least} to' if least else 'At most'} {amount(spec.max_length)} characters."
    if spec.pattern is not None:
        yield f"It has to look like {spec.pattern}" + ("." if spec.example is None else ",")
    if spec.example is not None:
        yield f"for example {spec.example}" if spec.pattern else f"For example {spec.example}"


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


def _no_limits(_: Input) -> Iterator[str]:
    return iter(())


def _text(spec: TextInput, start: str) -> InputInteractiveElement:
    return PlainTextInputElement(
        action_id=FIELD,
        multiline=spec.multiline,
        min_length=spec.min_length or None,
        max_length=spec.max_length,
        placeholder=plain(spec.example, limits.PLACEHOLDER) if spec.example else None,
        initial_value=_fitting(start, spec.max_length, multiline=spec.multiline),
    )


def _fitting(start: str, most: int, *, multiline: bool) -> str | None:
    """Return the text if the field can show it; a field is never filled with half a value."""
    shown = clean(start)
    is_odd = shown != start or (not multiline and "\n" in start)
    return None if is_odd or not start or length(start) > most else start


def _integer(spec: IntegerInput, start: str) -> InputInteractiveElement:
    return NumberInputElement(
        action_id=FIELD,
        is_decimal_allowed=False,
        min_value=spec.minimum,
        max_value=spec.maximum,
        initial_value=start if _is_number(start, int) else None,
    )


def _number(spec: NumberInput, start: str) -> InputInteractiveElement:
    return NumberInputElement(
        action_id=FIELD,
        is_decimal_allowed=True,
        min_value=spec.minimum,
        max_value=spec.maximum,
        initial_value=start if _is_number(start, float) else None,
    )


def _is_number(text: str, kind: Callable[[str], float]) -> bool:
    digits = text.removeprefix("-")
    if not digits[:1].isdecimal() or not digits.isascii() or "_" in digits:
        return False
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _boolean(_: BooleanInput, start: str) -> InputInteractiveElement:
    options = [Option(value=value, text=plain(words)) for value, words in _YES_NO]
    return RadioButtonsElement(
        action_id=FIELD, options=options, initial_option=_chosen(options, start)
    )


def _chosen(options: list[Option], value: str) -> Option | None:
    return next((option for option in options if option.value == value), None)


def _date(_: DateInput, start: str) -> InputInteractiveElement:
    is_day = len(start) == len("2026-03-31") and start.replace("-", "").isdecimal()
    return DatePickerElement(action_id=FIELD, initial_date=start if is_day else None)


def _enum(spec: EnumInput, start: str) -> InputInteractiveElement:
    options = [
        Option(value=_option_value(spec, index), text=plain(one_line(choice), limits.OPTION))
        for index, choice in enumerate(spec.choices)
    ]
    value = _option_value(spec, spec.choices.index(start)) if start in spec.choices else ""
    return StaticSelectElement(
        action_id=FIELD,
        options=options,
        initial_option=_chosen(options, value),
        placeholder=plain("Choose one", limits.PLACEHOLDER),
    )


def _option_value(spec: EnumInput, index: int) -> str:
    """Return the choice itself, or its place where one of the choices is too long for Slack."""
    fits = all(length(choice) <= limits.OPTION_VALUE for choice in spec.choices)
    return spec.choices[index] if fits else f"#{index}"


def choice_of(spec: EnumInput, value: str) -> str:
    """Return the choice that an option's value stands for; an unknown value as it is."""
    places = {_option_value(spec, index): choice for index, choice in enumerate(spec.choices)}
    return places.get(value, value)


_ELEMENTS: Mapping[type, Callable[[Any, str], InputInteractiveElement]] = {
    TextInput: _text,
    IntegerInput: _integer,
    NumberInput: _number,
    BooleanInput: _boolean,
    DateInput: _date,
    EnumInput: _enum,
}
_LIMITS: Mapping[type, Callable[[Any], Iterator[str]]] = {
    TextInput: _text_limits,
    IntegerInput: _number_limits,
    NumberInput: _number_limits,
    BooleanInput: _no_limits,
    DateInput: _date_limits,
    EnumInput: _no_limits,
}
