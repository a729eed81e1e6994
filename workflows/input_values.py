"""Reads the values that people and schedules give, strictly, against declared inputs.

Values come from Slack forms, the command line and triggers, so text that writes a number,
a yes or a day is accepted. Nothing is trimmed, rounded or guessed. How lists and the names of
people, groups, channels and files are written is for `input_lists` and `input_names`; whether
Slack knows them, and a service offers a choice, is asked by `given`.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from workflows.definition_file import MOST_INTEGER
from workflows.definition_inputs import (
    BooleanInput,
    ChannelInput,
    DateInput,
    DatetimeInput,
    EnumInput,
    FileInput,
    GroupInput,
    Input,
    IntegerInput,
    ListInput,
    NumberInput,
    TextInput,
    UserInput,
    default_of,
)
from workflows.entry import Json
from workflows.errors import InputsError
from workflows.fault import suggestion
from workflows.input_lists import items_in
from workflows.input_names import channel_in, file_in, group_in, user_in
from workflows.moments import second
from workflows.pattern import matches
from workflows.unseen import is_blank

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


Settle = Callable[[str, Input, Json], Json]


def read_inputs(
    inputs: Mapping[str, Input],
    raw: Mapping[str, object],
    *,
    settle: Settle = lambda _name, _spec, value: value,
) -> dict[str, Json]:
    """Return a value for every declared input, null for one that was left open.

    Each value that reads well is given to `settle`, which may refuse it or put another in its
    place.

    Raises:
        InputsError: some do not fit; it says for each field why.
    """
    wrong = {name: f"there is no such field; {suggestion(name, inputs)}" for name in raw}
    wrong = {name: why for name, why in wrong.items() if name not in inputs}
    values: dict[str, Json] = {}
    for name, spec in inputs.items():
        try:
            values[name] = settle(name, spec, read_value(spec, raw.get(name)))
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise InputsError(wrong)
    return values


def read_value(spec: Input, given: object) -> Json:
    """Return what `given` means for `spec`.

    Raises:
        ValueError: it does not fit; the text says why and what would.
    """
    if _is_missing(given):
        given = default_of(spec)
    elif spec.required and _is_blank_text(spec, given):
        raise ValueError("please give a value; this one holds only blanks")
    if given is not None:
        return _READERS[type(spec)](spec, given)
    if spec.required:
        raise ValueError("please give a value")
    return None


def _is_missing(given: object) -> bool:
    return given is None or given in ("", [], ())


def _is_blank_text(spec: Input, given: object) -> bool:
    """Say whether a text holds nothing that can be seen; an author may mean that as a default."""
    is_text = isinstance(spec, TextInput) and isinstance(given, str)
    return is_text and is_blank(str(given)) and given != default_of(spec)


def _text(spec: TextInput, given: object) -> Json:
    if not isinstance(given, str):
        raise ValueError(f"must be text, not {_kind(given)}")  # noqa: TRY004 - one kind of refusal for every field.
    if "\0" in given or any("\ud800" <= one <= "\udfff" for one in given):
        raise ValueError("holds a character that cannot be stored")
    if not spec.multiline and given and given.splitlines() != [given]:
        raise ValueError("must be a single line")
    least = spec.min_length or 0
    if not least <= len(given) <= spec.max_length:
        raise ValueError(f"must have {_range(least or None, spec.max_length)} characters")
    if spec.pattern is not None and not matches(given, spec.pattern):
        raise ValueError(_pattern_hint(spec, given))
    return given


def _pattern_hint(spec: TextInput, given: str) -> str:
    if given != given.strip() and matches(given.strip(), spec.pattern or ""):
        return "has a space before or after it; remove that"
    bare = (spec.pattern or "").removeprefix("^").removesuffix("$")
    prefix = re.match(r"[A-Za-z0-9_/@:-]*(?![*?{+|])", bare)
    starts = prefix.group() if prefix and "|" not in bare else ""
    hint = (
        f'must begin with "{starts}" and look like {bare}' if starts else f"must look like {bare}"
    )
    return f"{hint}, for example {spec.example}" if spec.example else hint


def _integer(spec: IntegerInput, given: object) -> Json:
    number = _whole(given)
    if abs(number) > MOST_INTEGER:
        raise ValueError("is too large")
    if _is_outside(number, spec.minimum, spec.maximum):
        raise ValueError(f"must be {_range(spec.minimum, spec.maximum)}")
    return number


def _whole(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and re.fullmatch(r"-?[0-9]{1,16}", given):
        return int(given)
    raise ValueError("must be a whole number such as 1200, without spaces, points or units")


def _number(spec: NumberInput, given: object) -> Json:
    number = _fraction(given)
    if _is_outside(number, spec.minimum, spec.maximum):
        raise ValueError(f"must be {_range(spec.minimum, spec.maximum)}")
    return number


def _fraction(given: object) -> float:
    hint = "must be a number such as 1.5, with a point and without spaces"
    if isinstance(given, str) and re.fullmatch(r"-?[0-9]{1,16}(\.[0-9]{1,16})?", given):
        return float(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError(hint)
    return float(given)


def _boolean(_: BooleanInput, given: object) -> Json:
    if isinstance(given, bool):
        return given
    if given in ("true", "false"):
        return given == "true"
    raise ValueError("must be true or false")


def _date(spec: DateInput, given: object) -> Json:
    day = _day(given)
    if _is_outside(day, spec.minimum, spec.maximum):
        raise ValueError(f"must be {_range(spec.minimum, spec.maximum)}")
    return day.isoformat()


def _datetime(spec: DatetimeInput, given: object) -> Json:
    at = _moment(given)
    if _is_outside(at, spec.minimum, spec.maximum):
        ends = (None if one is None else second(one) for one in (spec.minimum, spec.maximum))
        raise ValueError(f"must be {_range(*ends)}")
    return second(at)


def _moment(given: object) -> dt.datetime:
    hint = "must be a moment with its offset, such as 2026-03-31T09:00+02:00 or 2026-03-31T07:00Z"
    if not isinstance(given, str) or not _MOMENT.fullmatch(given):
        raise ValueError(hint)
    try:
        return dt.datetime.fromisoformat(given).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{given} is not in the calendar") from None


def _day(given: object) -> dt.date:
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        return given
    if isinstance(given, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return dt.date.fromisoformat(given)
        except ValueError:
            raise ValueError(f"{given} is not in the calendar") from None
    raise ValueError("must be a day such as 2026-03-31")


def _enum(spec: EnumInput, given: object) -> Json:
    if isinstance(given, str) and given in spec.choices:
        return given
    shown = ", ".join(spec.choices[:10]) + (", …" if len(spec.choices) > 10 else "")  # noqa: PLR2004 - enough to see the pattern.
    raise ValueError(f"must be one of: {shown}")


def _list(spec: ListInput, given: object) -> Json:
    items = items_in(given)
    least = spec.min_items or 1
    if not least <= len(items) <= spec.most:
        raise ValueError(f"must have {_range(spec.min_items, spec.most)} items")
    found: list[Json] = []
    for number, one in enumerate(items, start=1):
        try:
            found.append(read_value(spec.of, one))
        except ValueError as error:
            raise ValueError(f"item {number} {error}") from None
    return found


def _is_outside(value: Any, low: Any, high: Any) -> bool:  # noqa: ANN401 - numbers or days, always one kind.
    return (low is not None and value < low) or (high is not None and value > high)


def _range(low: object, high: object) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _kind(given: object) -> str:
    names = {
        bool: "yes or no",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(given), type(given).__name__)


_READERS: dict[type, Callable[[Any, object], Json]] = {
    TextInput: _text,
    IntegerInput: _integer,
    NumberInput: _number,
    BooleanInput: _boolean,
    DateInput: _date,
    DatetimeInput: _datetime,
    EnumInput: _enum,
    ListInput: _list,
    UserInput: lambda _, given: user_in(given),
    GroupInput: lambda _, given: group_in(given),
    ChannelInput: lambda _, given: channel_in(given),
    FileInput: lambda _, given: file_in(given),
}
