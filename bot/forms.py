"""A definition's inputs as a form: blocks to fill in, the values that come back, field errors.

Values are passed on as they were typed; `workflows.input_values` reads them strictly, on the
server, by the same rules for forms, commands and triggers. Block ids carry the definition's
version, so that an answer to an older form is not taken for one to the present form.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from slack_sdk.models.blocks import (
    Block,
    DatePickerElement,
    InputBlock,
    InputInteractiveElement,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
)

from bot import limits
from bot.views.pieces import plain, section
from bot.wording import amount, bold, clean, clip, escape, length, one_line
from workflows.definition import Definition
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
from workflows.errors import InputsError

FIELD = "value"  # The action id of the one field in each block.
_PREFILL = 40_000  # Characters filled in beforehand; a modal holds 250 KB in all.
_ERRORS_SHOWN = 20
_YES_NO = (("true", "Yes"), ("false", "No"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """What a form remembers of how it was opened. It comes back through the client."""

    workflow: str
    version: str
    channel: str = ""
    revision: int = 0

    @property
    def metadata(self) -> str:
        """Return it as `private_metadata`."""
        return json.dumps([self.workflow, self.version, self.channel, self.revision])

    @classmethod
    def read(cls, metadata: str) -> Self:
        """Return what `metadata` wrote.

        Raises:
            ValueError: it was not written by us.
        """
        parts = json.loads(metadata)
        if not isinstance(parts, list) or [type(one) for one in parts] != [str, str, str, int]:
            raise ValueError("this is no form of ours")
        workflow, version, channel, revision = parts
        return cls(workflow=workflow, version=version, channel=channel, revision=revision)


def state_of(definition: Definition, *, channel: str = "", revision: int = 0) -> FormState:
    """Return the state of a form for `definition`."""
    return FormState(
        workflow=definition.workflow,
        version=definition.version,
        channel=channel,
        revision=revision,
    )


def block_id(definition: Definition, name: str, *, revision: int = 0) -> str:
    """Return the id of an input's block; each drawing of a form has its own."""
    return f"{name}.{definition.version[:8]}.{revision}"


def blocks_for(
    definition: Definition,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, object] | None = None,
    *,
    revision: int = 0,
) -> list[Block]:
    """Return one block for each input, filled with `values`, what is wrong with them on top."""
    given, room = dict(values or {}), _PREFILL
    blocks: list[Block] = list(_faults(definition, errors or {}))
    for name, spec in definition.inputs.items():
        start = _start(spec, given.get(name))
        room -= length(start)
        blocks.append(
            InputBlock(
                block_id=block_id(definition, name, revision=revision),
                label=plain(one_line(spec.title or name), limits.LABEL),
                hint=plain(hint_for(spec), limits.HINT) if hint_for(spec) else None,
                optional=not spec.required,
                element=_ELEMENTS[type(spec)](spec, start if room >= 0 else ""),
            )
        )
    return blocks


def _faults(definition: Definition, errors: Mapping[str, str]) -> Iterator[Block]:
    lines = [
        f"• {bold(_title(definition, name), 100)} {escape(one_line(why), 300)}"
        for name, why in list(errors.items())[:_ERRORS_SHOWN]
    ]
    half = _ERRORS_SHOWN // 4
    for start in range(0, len(lines), half):
        first = "⚠️ These do not fit:\n" if start == 0 else ""
        yield section(first + "\n".join(lines[start : start + half]))
    if len(errors) > len(lines):
        yield section(f"… and {len(errors) - len(lines)} more")


def _title(definition: Definition, name: str) -> str:
    spec = definition.inputs.get(name)
    return (spec.title if spec is not None else None) or name


def _start(spec: Input, given: object) -> str:
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


def values_from(state: Mapping[str, Any], definition: Definition) -> dict[str, object]:
    """Return what was filled in, by input; `state` is the `state` of a submitted view.

    Fields left open are missing. Nothing is checked here but that the fields are ours.
    """
    found: dict[str, object] = {}
    for block, fields in (state.get("values") or {}).items():
        name = str(block).partition(".")[0]
        spec, field = definition.inputs.get(name), fields.get(FIELD) or {}
        value = _filled(field)
        if spec is None or value is None:
            continue
        found[name] = _choice(spec, value) if isinstance(spec, EnumInput) else value
    return found


def _filled(field: Mapping[str, Any]) -> str | None:
    option = field.get("selected_option") or {}
    value = field.get("value") or field.get("selected_date") or option.get("value")
    return str(value) if value not in (None, "") else None


def _choice(spec: EnumInput, value: str) -> str:
    places = {_option_value(spec, index): choice for index, choice in enumerate(spec.choices)}
    return places.get(value, value)


def field_errors(
    error: InputsError, definition: Definition, *, revision: int = 0
) -> dict[str, str]:
    """Return a hint for each block at fault, for `ack(response_action="errors")`.

    A fault that belongs to no field stands at the first one, since Slack knows no other place.
    """
    names = list(definition.inputs)
    hints: dict[str, str] = {}
    for name, why in error.fields.items():
        is_field = name in definition.inputs
        at = block_id(definition, name if is_field else (names or [name])[0], revision=revision)
        told = one_line(why if is_field else f"{name}: {why}")
        hints[at] = clip("; ".join([hints[at], told] if at in hints else [told]), limits.HINT)
    return hints


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
