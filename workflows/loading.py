"""Reads definition and policy files: YAML to models, with every fault at its place.

A file that has any fault gives no model. What a definition means together with actions and
policy is for `check`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from workflows.definition import Definition
from workflows.definition_file import Document, read_document
from workflows.definition_flow import Ask
from workflows.definition_inputs import Input, ListInput, TextInput, default_of
from workflows.errors import DefinitionError
from workflows.fault import Fault, Place, most_of
from workflows.form_faults import form_faults
from workflows.input_values import read_value
from workflows.outline import nodes
from workflows.pattern import matches
from workflows.policy import Policy
from workflows.text_files import text_or_fault

MOST_STEPS = 500
M = TypeVar("M", bound=BaseModel)


class Loaded(Generic[M]):
    """A file as read: its model, unless something is wrong with it."""

    def __init__(self, document: Document, model: M | None, faults: Sequence[Fault]) -> None:
        self.document = document
        self.model = model
        self.faults = most_of(faults)

    def required(self) -> M:
        """Return the model.

        Raises:
            DefinitionError: the file has faults; all of them are named.
        """
        if self.model is None:
            raise DefinitionError("\n".join(str(one) for one in self.faults))
        return self.model


def load_definition(source: Path | str, file: str = "definition") -> Definition:
    """Return the definition in a file, or in the text of one.

    Raises:
        DefinitionError: it cannot be used; every fault is named.
    """
    if isinstance(source, Path):
        return read_definition(read_text(source), str(source)).required()
    return read_definition(source, file).required()


def load_policy(
    source: Path | str, file: str = "policy", *, is_known: Callable[[str], bool] = lambda _: False
) -> Policy:
    """Return the policy in a file, or in the text of one.

    One whose digest `is_known` to be sound is not looked at any closer.

    Raises:
        DefinitionError: it cannot be used; every fault is named.
    """
    if isinstance(source, Path):
        return read_policy(read_text(source), str(source), is_known=is_known).required()
    return read_policy(source, file, is_known=is_known).required()


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        DefinitionError: it cannot be read, is too large, or is not UTF-8.
    """
    found = text_or_fault(path)
    if isinstance(found, Fault):
        raise DefinitionError(str(found))
    return found


def read_definition(
    text: str, file: str, *, is_known: Callable[[str], bool] = lambda _: False
) -> Loaded[Definition]:
    """Return the definition in `text` with everything wrong with its form.

    A version that `is_known` to be sound is not looked at any closer.
    """
    loaded = read_as(text, file, Definition)
    if loaded.model is None or is_known(loaded.model.version):
        return loaded
    faults = definition_faults(loaded.model, loaded.document)
    return Loaded(loaded.document, None if faults else loaded.model, faults)


def read_policy(
    text: str, file: str, *, is_known: Callable[[str], bool] = lambda _: False
) -> Loaded[Policy]:
    """Return the policy in `text` with everything wrong with it.

    One whose digest `is_known` to be sound is not looked at any closer.
    """
    loaded = read_as(text, file, Policy)
    if loaded.model is None or is_known(loaded.model.digest):
        return loaded
    from workflows.check_limits import limit_faults  # noqa: PLC0415 - not for a known policy.
    from workflows.policy_faults import policy_faults  # noqa: PLC0415 - as above.

    faults = [
        *policy_faults(loaded.model, loaded.document),
        *limit_faults(loaded.model, loaded.document),
    ]
    return Loaded(loaded.document, None if faults else loaded.model, faults)


def definition_faults(definition: Definition, document: Document) -> list[Fault]:
    """Return what is wrong inside a definition that its model cannot say."""
    faults = list(_input_faults(definition.inputs, ("inputs",), document))
    for node in definition.outline.values():
        if isinstance(node.step, Ask):
            fields = node.step.ask.fields
            faults += _input_faults(fields, (*node.path, "ask", "fields"), document)
    return faults + list(_steps_of_one_name(definition, document))


def _input_faults(inputs: Mapping[str, Input], path: Place, document: Document) -> Iterator[Fault]:
    for name, spec in inputs.items():
        wrong = _pattern_fault(spec)
        if wrong is not None:
            field, what = wrong
            inside = ("of",) if isinstance(spec, ListInput) else ()
            yield document.fault((*path, name, *inside, field), what)
            continue
        default = default_of(spec)
        try:
            read_value(spec, default)
        except ValueError as error:
            if default is not None:
                here = (*path, name, "default")
                yield document.fault(here, str(error), "or leave the default out")


def _pattern_fault(spec: Input) -> tuple[str, str] | None:
    """Return the field of a text input whose pattern is none, or that does not match it."""
    if isinstance(spec, ListInput):
        return _pattern_fault(spec.of)
    if not isinstance(spec, TextInput) or spec.pattern is None:
        return None
    try:
        fits = matches(spec.example or "", spec.pattern)
    except ValueError as error:
        return "pattern", str(error)
    if spec.example is None or fits:
        return None
    return "example", f"does not match the pattern {spec.pattern}"


def _steps_of_one_name(definition: Definition, document: Document) -> Iterator[Fault]:
    known: set[str] = set()
    every = list(nodes(definition.steps))
    for node in every:
        if node.step.id in known:
            what = f"another step is called {node.step.id!r} too"
            yield document.fault((*node.path, "id"), what, "give each its own id")
        known.add(node.step.id)
    if len(every) > MOST_STEPS:
        what = f"has {len(every)} steps in all, at most {MOST_STEPS}"
        yield document.fault(("steps",), what, "move some of them into a workflow of their own")


def read_as(text: str, file: str, model: type[M]) -> Loaded[M]:
    """Return what `text` says as a model, with everything wrong with its form."""
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
        return Loaded(document, None, [*document.faults, *form_faults(error, document, model)])
    return Loaded(document, None if document.faults else found, document.faults)
