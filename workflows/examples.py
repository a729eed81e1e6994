"""An example of how a workflow is started: a value for each input that somebody has to give."""

from workflows.definition import Definition
from workflows.definition_inputs import (
    DateInput,
    DatetimeInput,
    EnumInput,
    FileInput,
    Input,
    IntegerInput,
    ListInput,
    NumberInput,
    TextInput,
    is_open,
)
from workflows.moments import second

MOST_TYPED = 4  # Whoever has to give more fills in the form.
_PLAIN = {"boolean": "true", "user": "@somebody", "group": "@group", "channel": "#channel"}


def example_of(definition: Definition) -> str:
    """Return what may stand after the workflow's name; nothing where the form is the better way."""
    needed = [(name, spec) for name, spec in definition.inputs.items() if is_open(spec)]
    if len(needed) > MOST_TYPED or any(_is_for_the_form(spec) for _, spec in needed):
        return ""
    return " ".join(f"{name}={_quoted(example_value(spec))}" for name, spec in needed)


def _is_for_the_form(spec: Input) -> bool:
    if isinstance(spec, TextInput):
        return (spec.pattern is not None or spec.options is not None) and spec.example is None
    return isinstance(spec, FileInput)


def example_value(spec: Input) -> str:
    """Return a value that fits, as it is typed."""
    match spec:
        case TextInput():
            return spec.example or "some words"
        case IntegerInput():
            return str(next((one for one in (spec.minimum, spec.maximum) if one is not None), 1))
        case NumberInput():
            return str(next((one for one in (spec.minimum, spec.maximum) if one is not None), 1.5))
        case DateInput():
            return spec.minimum.isoformat() if spec.minimum is not None else "2026-03-31"
        case DatetimeInput():
            return second(spec.minimum) if spec.minimum is not None else "2026-03-31T09:00Z"
        case EnumInput():
            return spec.choices[0]
        case ListInput():
            return example_value(spec.of)
    return _PLAIN.get(spec.type, "")


def _quoted(value: str) -> str:
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"' if any(one.isspace() for one in value) or '"' in value else value
