"""One input of a definition as one field of a form; hints are for `form_hints`.

Slack checks lengths and ranges first, from what it is told here; what counts is
`workflows.input_values`, on the server.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk.models.blocks import (
    DatePickerElement,
    DateTimePickerElement,
    InputInteractiveElement,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
)
from slack_sdk.models.blocks.block_elements import FileInputElement

from bot import limits
from bot.form_choices import FIELD, is_chosen, one_choice, several_choices
from bot.views.pieces import plain
from bot.wording import clean, length
from workflows.definition_inputs import (
    BooleanInput,
    DateInput,
    DatetimeInput,
    FileInput,
    Input,
    IntegerInput,
    ListInput,
    NumberInput,
    TextInput,
    default_of,
)
from workflows.input_lists import items_in
from workflows.input_values import read_value

_EARLIEST, _LATEST = 1_000_000_000, 9_999_999_999
_YES_NO = (("true", "Yes"), ("false", "No"))


def field_for(spec: Input, start: str) -> InputInteractiveElement:
    """Return the field, filled with `start` where it can show that."""
    if is_chosen(spec):
        return one_choice(spec, start)
    return _ELEMENTS[type(spec)](spec, start)


def start_of(spec: Input, given: object) -> str:
    """Return what stands in the field at first: what was typed, or the default."""
    value = default_of(spec) if given in (None, "") else given
    if isinstance(spec, ListInput):
        return "\n".join(_starts(value))
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _starts(value: object) -> Iterator[str]:
    """Yield the items of a list as they were typed; none of something that is no list."""
    try:
        found = items_in(value) if value is not None else ()
    except ValueError:
        return
    for one in found:
        yield str(one.get("id")) if isinstance(one, dict) else str(one)


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


def _datetime(spec: DatetimeInput, start: str) -> InputInteractiveElement:
    try:
        at = dt.datetime.fromisoformat(str(read_value(spec, start))).timestamp() if start else 0
    except ValueError:
        at = 0
    # Slack takes a moment of ten digits.
    initial = int(at) if _EARLIEST <= at <= _LATEST else None
    return DateTimePickerElement(action_id=FIELD, initial_date_time=initial)


def _file(spec: FileInput, _start: str) -> InputInteractiveElement:
    return FileInputElement(
        action_id=FIELD, filetypes=list(spec.types) if spec.types else None, max_files=1
    )


def _list(spec: ListInput, start: str) -> InputInteractiveElement:
    starts = start.splitlines()
    if is_chosen(spec.of):
        return several_choices(spec, starts)
    return PlainTextInputElement(
        action_id=FIELD,
        multiline=True,
        initial_value=_fitting(start, limits.TEXT_INPUT, multiline=True),
    )


_ELEMENTS: Mapping[type, Callable[[Any, str], InputInteractiveElement]] = {
    TextInput: _text,
    IntegerInput: _integer,
    NumberInput: _number,
    BooleanInput: _boolean,
    DateInput: _date,
    DatetimeInput: _datetime,
    FileInput: _file,
    ListInput: _list,
}
