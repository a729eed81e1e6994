"""What a workflow file may say, as one frozen value with one digest.

`load` reads files into it and `check` says what is wrong with its meaning. The version of a
workflow is the digest of this value, not of the file: comments, order of keys and the ways
to write a length of time do not change it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import Enum
from functools import cached_property
from typing import Any, Self

import rfc8785
from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from workflows.definition_inputs import Input
from workflows.definition_parts import Channel, Closed, Identifier, Slug, Somebody, Title, Words
from workflows.definition_steps import Step
from workflows.duration import duration_text
from workflows.entry import Json
from workflows.errors import DefinitionError
from workflows.input_values import read_inputs
from workflows.triggers import Trigger


class Definition(Closed):
    """One workflow, complete: what it asks, who answers for it, what it does."""

    workflow: Slug
    title: Title
    description: Words | None = None
    owner: Somebody
    deputy: Somebody
    inputs: dict[Identifier, Input] = Field(default_factory=dict, max_length=50)
    run_by: tuple[Somebody, ...] = Field(default=(), max_length=20)
    lock: str | None = Field(default=None, min_length=1, max_length=200)
    channel: Channel | None = None
    triggers: tuple[Trigger, ...] = Field(default=(), max_length=20)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=100)

    @cached_property
    def canonical(self) -> bytes:
        """Return the bytes of its meaning: RFC 8785, defaults filled in, absent things left out."""
        return rfc8785.dumps(meaning(self))

    @cached_property
    def version(self) -> str:
        """Return the hex SHA-256 of its meaning."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def may_run(self) -> tuple[str, ...]:
        """Return who may start it: those it names, or else owner and deputy."""
        return self.run_by or (self.owner, self.deputy)

    @classmethod
    def from_canonical(cls, stored: bytes) -> Self:
        """Return the definition that `canonical` wrote.

        Raises:
            DefinitionError: this release cannot read it.
        """
        try:
            return cls.model_validate_json(stored)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DefinitionError(
                f"A stored definition cannot be read: {where}: {first['msg']}.",
                hint="Publish the workflow again with this release.",
            ) from error

    def step(self, name: str) -> Step:
        """Return the step of that id.

        Raises:
            DefinitionError: there is none.
        """
        found = next((one for one in self.steps if one.id == name), None)
        if found is None:
            raise DefinitionError(f"Workflow {self.workflow} has no step {name!r}.")
        return found


def meaning(value: object) -> Any:  # noqa: ANN401 - JSON for the canonical encoder.
    """Return what a file says as plain JSON, the same for every way to write it."""
    if isinstance(value, BaseModel):
        named = ((field.alias or name, getattr(value, name)) for name, field in _fields(value))
        return {name: meaning(one) for name, one in named if one is not None}
    if isinstance(value, Mapping):
        # A null in arguments is a value of its own, so only absent fields are left out.
        return {name: meaning(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [meaning(one) for one in value]
    if isinstance(value, frozenset):
        return sorted(meaning(one) for one in value)
    return _plain(value)


def _fields(value: BaseModel) -> Iterable[tuple[str, FieldInfo]]:
    return type(value).model_fields.items()


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def validate_inputs(definition: Definition, raw: Mapping[str, object]) -> dict[str, Json]:
    """Return a value for every input of `definition`, null for one that was left open.

    Raises:
        InputsError: some do not fit; it says for each field why.
    """
    return read_inputs(definition.inputs, raw)
