"""Values of inputs as a person reads them, without Slack: on a card, in a summary, on paper."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping

from workflows.definition_inputs import (
    ChannelInput,
    DateInput,
    DatetimeInput,
    FileInput,
    GroupInput,
    Input,
    ListInput,
    UserInput,
)
from workflows.entry import Json

MARKS: Mapping[type, str] = {UserInput: "@", GroupInput: "@", ChannelInput: "#"}


def in_words(value: Json, spec: Input | None) -> str:
    """Return a value as people say it; without its input, as far as it shows by itself."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        inner = spec.of if isinstance(spec, ListInput) else None
        return ", ".join(_item(in_words(one, inner)) for one in value)
    if isinstance(value, dict):
        return _named(value, spec)
    if isinstance(spec, DateInput | DatetimeInput):
        return _moment(str(value), spec)
    return str(value)


def _item(words: str) -> str:
    """Return an item of a list, in quotes as JSON has them where it could be read as several."""
    is_plain = "," not in words and '"' not in words and words.strip()
    return words if is_plain else json.dumps(words, ensure_ascii=False)


def _named(value: Mapping[str, Json], spec: Input | None) -> str:
    name = str(value.get("name") or value.get("id") or value)
    if isinstance(spec, FileInput):
        return f"{name} ({value.get('size')} bytes)"
    mark = MARKS.get(type(spec), "")
    return name if name.startswith(mark) else f"{mark}{name}"


def _moment(text: str, spec: DateInput | DatetimeInput) -> str:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    day = f"{at.day} {at:%B %Y}"
    return day if isinstance(spec, DateInput) else f"{day} at {at:%H:%M} UTC"


def live_in(value: Json, spec: Input | None) -> Iterator[tuple[str, str]]:
    """Yield what Slack can show of a value for each reader: `(kind, id or moment)`.

    People as mentions, moments in the reader's own time zone. A group stays a word: a mention
    would call everybody in it.
    """
    if isinstance(value, list):
        inner = spec.of if isinstance(spec, ListInput) else None
        for one in value:
            yield from live_in(one, inner)
    elif isinstance(spec, UserInput) and isinstance(value, dict):
        yield spec.type, str(value.get("id"))
    elif isinstance(spec, DatetimeInput) and isinstance(value, str):
        yield "moment", value
