"""Reads definition and policy files: YAML to models, with every fault at its place.

A file that has any fault gives no model. What a definition means together with actions and
policy is for `check`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows.definition import Definition
from workflows.definition_file import Document, read_document
from workflows.errors import DefinitionError, ExpressionError
from workflows.fault import Fault, Path, suggestion
from workflows.input_values import read_value
from workflows.known_fields import fields_at
from workflows.policy import Policy, rule_environment

M = TypeVar("M", bound=BaseModel)

_KEY_HINTS = {
    "workflow": 'name it, as in "workflow: refund-customer"',
    "title": 'say in a few words what it does, as in "title: Refund a customer"',
    "owner": 'name who answers for it, as in owner: "@finance-ops"',
    "deputy": 'name who answers when the owner is away, as in deputy: "@support-leads"',
    "steps": "add at least one step",
    "id": "give the step a short name",
    "uses": "name an action, as in uses: http.request",
    "type": "add a type: string, integer, number, boolean, date or enum",
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
    "dict_type": "write names with values below it",
    "model_type": "write names with values below it",
    "model_attributes_type": "write names with values below it",
    "tuple_type": "write a list, as in [a, b]",
    "frozen_set_type": "write a list, as in [a, b]",
}


class Loaded(Generic[M]):
    """A file as read: its model, unless something is wrong with it."""

    def __init__(self, document: Document, model: M | None, faults: Sequence[Fault]) -> None:
        self.document = document
        self.model = model
        self.faults = tuple(faults)

    def required(self) -> M:
        """Return the model.

        Raises:
            DefinitionError: the file has faults; all of them are named.
        """
        if self.model is None:
            raise DefinitionError("\n".join(str(one) for one in self.faults))
        return self.model


def load_definition(source: FilePath | str, file: str = "definition") -> Definition:
    """Return the definition in a file, or in the text of one.

    Raises:
        DefinitionError: it cannot be used; every fault is named.
    """
    if isinstance(source, FilePath):
        return read_definition(read_text(source), str(source)).required()
    return read_definition(source, file).required()


def load_policy(source: FilePath | str, file: str = "policy") -> Policy:
    """Return the policy in a file, or in the text of one.

    Raises:
        DefinitionError: it cannot be used; every fault is named.
    """
    if isinstance(source, FilePath):
        return read_policy(read_text(source), str(source)).required()
    return read_policy(source, file).required()


def read_text(path: FilePath) -> str:
    """Return the text of a file.

    Raises:
        DefinitionError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{path}:1:1: is not UTF-8 text: {error.reason}.") from error
    except OSError as error:
        raise DefinitionError(f"{path}:1:1: cannot be read: {error.strerror}.") from error


def read_definition(text: str, file: str) -> Loaded[Definition]:
    """Return the definition in `text` with everything wrong with its form."""
    loaded = _read(text, file, Definition)
    if loaded.model is None:
        return loaded
    faults = definition_faults(loaded.model, loaded.document)
    return Loaded(loaded.document, None if faults else loaded.model, faults)


def read_policy(text: str, file: str) -> Loaded[Policy]:
    """Return the policy in `text` with everything wrong with it."""
    loaded = _read(text, file, Policy)
    if loaded.model is None:
        return loaded
    faults = _policy_faults(loaded.model, loaded.document)
    return Loaded(loaded.document, None if faults else loaded.model, faults)


def definition_faults(definition: Definition, document: Document) -> list[Fault]:
    """Return what is wrong inside a definition that its model cannot say."""
    faults = []
    for name, spec in definition.inputs.items():
        try:
            read_value(spec, spec.default)
        except ValueError as error:
            if spec.default is not None:
                path = ("inputs", name, "default")
                faults.append(document.fault(path, str(error), "or leave the default out"))
    ids = [step.id for step in definition.steps]
    for index, one in enumerate(ids):
        if one in ids[:index]:
            what = f"another step is called {one!r} too"
            faults.append(document.fault(("steps", index, "id"), what, "give each its own id"))
    return faults


def _policy_faults(policy: Policy, document: Document) -> list[Fault]:
    faults = []
    names = [rule.name for rule in policy.rules]
    for index, rule in enumerate(policy.rules):
        try:
            rule_environment().check_condition(rule.when)
        except ExpressionError as error:
            faults.append(document.fault(("rules", index, "when"), error.message, error.hint))
        if rule.name in names[:index]:
            path = ("rules", index, "name")
            faults.append(document.fault(path, "another rule has this name", "rename one"))
    return faults


def _read(text: str, file: str, model: type[M]) -> Loaded[M]:
    document = read_document(text, file)
    if document.value is None and not document.faults:
        fault = document.fault((), "the file is empty", "write a workflow or policy into it")
        return Loaded(document, None, [fault])
    if not isinstance(document.value, dict):
        faults = document.faults or (
            document.fault((), "is no list of names with values", "begin with a name and a colon"),
        )
        return Loaded(document, None, faults)
    try:
        # In JSON mode Pydantic stays strict and still reads lists as tuples, words as enums.
        found = model.model_validate_json(json.dumps(document.value))
    except ValidationError as error:
        return Loaded(document, None, [*document.faults, *_faults(error, document, model)])
    return Loaded(document, None if document.faults else found, document.faults)


def _faults(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Fault]:
    details = [one for one in error.errors() if not _is_echo(one, document)]
    faults = [_fault(one, document, model) for one in details]
    return sorted(faults, key=lambda one: (one.line, one.column))


def _is_echo(detail: ErrorDetails, document: Document) -> bool:
    """Say whether a list is called too short only because its faulty items were left out."""
    value = _at(document.value, place_of(detail["loc"], document))
    if detail["type"] != "too_short" or not isinstance(value, list):
        return False
    return len(value) >= int(detail["ctx"]["min_length"])


def place_of(loc: Sequence[str | int], document: Document) -> Path:
    """Return a Pydantic location as a path of the file, without the names of union members."""
    value: object = document.value
    path: list[str | int] = []
    for part in loc:
        inside = isinstance(value, dict | list) and _has(value, part)
        if inside:
            path.append(part)
            value = value[part]  # type: ignore[index]  # _has just looked.
    last = loc[-1] if loc else None
    is_missing = isinstance(value, dict) and isinstance(last, str) and last in _KEY_HINTS
    return (*path, last) if is_missing and last is not None and path != list(loc) else tuple(path)


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _at(value: object, path: Path) -> object:
    for part in path:
        if not _has(value, part):
            return None
        value = value[part]  # type: ignore[index]  # _has just looked.
    return value


def _fault(detail: ErrorDetails, document: Document, model: type[BaseModel]) -> Fault:
    loc, kind = detail["loc"], detail["type"]
    path = place_of(loc, document)
    if kind == "missing":
        name = str(loc[-1])
        path = path if path and path[-1] == name else (*path, name)
        return document.fault(path, "is missing", _KEY_HINTS.get(name, f"add {name}"))
    if kind == "extra_forbidden":
        known = fields_at(model, loc[:-1])
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
