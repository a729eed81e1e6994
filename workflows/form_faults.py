"""Says in words what Pydantic refuses in a file, at the line and column where it stands."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows.definition_file import Document
from workflows.fault import Fault, Place, suggestion
from workflows.known_fields import fields_at

_KEY_HINTS = {
    "workflow": 'name it, as in "workflow: refund-customer"',
    "title": 'say in a few words what it does, as in "title: Refund a customer"',
    "owner": 'name who answers for it, as in owner: "@finance-ops"',
    "deputy": 'name who answers when the owner is away, as in deputy: "@support-leads"',
    "steps": "add at least one step",
    "id": "give the step a short name",
    "uses": "name an action, as in uses: http.request",
    "type": "add a type: string, integer, number, boolean, date, datetime, enum, list, user, group,"
    " channel or file",
    "of": "say what a list holds, as in of: {type: string}",
    "items": "say which list of the answer holds the choices, as in items: result.rows",
    "expires": "say when a request ends, as in expires: 24h; none waits for ever",
    "expect": "say what proves the effect, as in expect: result.count == 0",
    "from": 'name who is asked, as in from: ["@finance-leads"]',
    "when": 'say which steps it is about, as in when: effect == "destructive"',
    "cron": 'say when, as in cron: "0 9 * * 1-5"',
}
_TYPE_WORDS = {
    "string_type": "write text, in quotes if it looks like a number",
    "int_type": "write a whole number without quotes",
    "float_type": "write a number without quotes",
    "bool_type": "write true or false without quotes",
    "int_parsing": "write a whole number without quotes",
    "bool_parsing": "write true or false without quotes",
    "dict_type": "write names with values below it",
    "model_type": "write names with values below it",
    "model_attributes_type": "write names with values below it",
    "tuple_type": "write a list, as in [a, b]",
    "frozen_set_type": "write a list, as in [a, b]",
}


_DAY = "is no day of the calendar", "write it as 2026-03-31"
_MOMENT = "write it with its offset, as in 2026-03-31T09:00:00+02:00"
_TIMES = {
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), _DAY),
    "date_from_datetime_inexact": ("is no day but a moment", "write it as 2026-03-31"),
    "timezone_aware": ("is a moment in an unknown time zone", _MOMENT),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"),
        ("is no moment", _MOMENT),
    ),
}


def form_faults(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Fault]:
    """Return each thing Pydantic refuses, at its place in the file."""
    details = [one for one in error.errors() if not _is_echo(one, document)]
    return merged([fault_of(one, document, model) for one in details])


def merged(faults: Sequence[Fault]) -> list[Fault]:
    """Return `faults` in order of the file, those of one place that say the same as one."""
    found: dict[tuple[int, int, str, str], list[Fault]] = {}
    for one in faults:
        found.setdefault((one.line, one.column, one.path, one.what), []).append(one)
    return [_merged(found[place]) for place in sorted(found)]


def _merged(faults: Sequence[Fault]) -> Fault:
    rights = dict.fromkeys(one.right.removeprefix("write ") for one in faults)
    if len(rights) == 1:
        return faults[0]
    # A value of several kinds is refused once by each of them.
    return replace(faults[0], right=f"write {' or '.join(rights)}")


def _is_echo(detail: ErrorDetails, document: Document) -> bool:
    """Say whether a list is called too short only because its faulty items were left out."""
    value = _at(document.value, place_of(detail["loc"], document))
    if detail["type"] != "too_short" or not isinstance(value, list):
        return False
    return len(value) >= int(detail["ctx"]["min_length"])


def place_of(loc: Sequence[str | int], document: Document) -> Place:
    """Return a Pydantic location as a path of the file, without the names of union members."""
    value: object = document.value
    path: list[str | int] = []
    for part in loc:
        inside = isinstance(value, dict | list) and _has(value, part)
        if inside:
            path.append(part)
            value = value[part]  # type: ignore[index]  # _has just looked.
    return tuple(path)


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _at(value: object, path: Place) -> object:
    for part in path:
        if not _has(value, part):
            return None
        value = value[part]  # type: ignore[index]  # _has just looked.
    return value


def fault_of(
    detail: ErrorDetails, document: Document, model: type[BaseModel], *, inside: int = 0
) -> Fault:
    """Return a Pydantic error as a fault; the model begins `inside` so many parts of the path."""
    loc, kind = detail["loc"], detail["type"]
    path = place_of(loc, document)
    if kind == "missing":
        name = str(loc[-1])
        path = (*(path if len(path) >= inside else loc[:inside]), name)
        return document.fault(path, "is missing", _KEY_HINTS.get(name, f"add {name}"))
    if kind == "extra_forbidden":
        known = fields_at(model, loc[inside:-1]) - {str(loc[-1])}  # Of another form, if at all.
        advice = suggestion(str(loc[-1]), known)
        return document.fault(path, "is not known here", advice, at_key=True)
    what, right = _words(detail)
    return document.fault(path, what, right, at_key=loc[-1:] == ("[key]",))


def _words(detail: ErrorDetails) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        what, _, right = str(context["error"]).partition("; ")
        return what, right
    if kind in _TYPE_WORDS:
        return "has the wrong type", _TYPE_WORDS[kind]
    if kind in _TIMES:
        return _TIMES[kind]
    if kind == "union_tag_not_found":
        return "has no type", _KEY_HINTS["type"]
    if kind in ("union_tag_invalid", "enum", "literal_error"):
        expected = str(context.get("expected_tags") or context.get("expected"))
        names = re.findall(r"'([^']*)'", expected)
        return f"cannot be {detail['input']!r}" if kind != "union_tag_invalid" else (
            f"has a type that does not exist: {context['tag']!r}"
        ), suggestion(str(context.get("tag", detail["input"])), names)
    return _limits(kind, context, detail["msg"])


def _limits(kind: str, context: Mapping[str, object], message: str) -> tuple[str, str]:
    if kind in ("too_short", "string_too_short"):
        return "is empty or too short", f"give at least {context['min_length']}"
    if kind in ("too_long", "string_too_long"):
        return "is too long", f"at most {context['max_length']}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        word = "at least" if "ge" in context else "at most"
        return "is out of range", f"write {word} {bound}"
    if kind == "string_pattern_mismatch":
        return "is written in a form that does not fit", f"it has to match {context['pattern']}"
    return message[:1].lower() + message[1:], ""
