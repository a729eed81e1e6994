"""What a workflow file may say, as one frozen value with one digest.

`load` reads files into it and `check` says what is wrong with its meaning. The version of a
workflow is the digest of this value, not of the file: comments, order of keys and the ways
to write a length of time do not change it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import Enum, StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

import rfc8785
from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from workflows.definition_flow import AnyStep, Call, Flow
from workflows.definition_inputs import Input
from workflows.definition_parts import Channel, Closed, Identifier, Slug, Somebody, Title, Words
from workflows.definition_steps import Step, hasty
from workflows.duration import Duration, duration_text
from workflows.errors import DefinitionError
from workflows.instances import is_undo, items_of, step_of
from workflows.outline import Outline, outline, undo_step
from workflows.services import SecretName
from workflows.triggers import AnyTrigger, Trigger, WebhookTrigger


class Mode(StrEnum):
    """How much a workflow does to end right: all of it, or only what is quick."""

    RELIABLE = "reliable"
    BEST_EFFORT = "best_effort"


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
    at_once: int | None = Field(default=None, ge=1, le=1000)  # Runs of it; the others queue.
    deadline: Duration | None = None  # Of the work; waiting for people or moments is left out.
    mode: Mode | None = None
    channel: Channel | None = None
    # The only ones its steps may use. None where it does not say, so that its version stays.
    secrets: Annotated[tuple[SecretName, ...], Field(max_length=50)] | None = None
    triggers: tuple[AnyTrigger, ...] = Field(default=(), max_length=20)
    steps: tuple[AnyStep, ...] = Field(min_length=1, max_length=100)

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

    @property
    def schedules(self) -> tuple[Trigger, ...]:
        """Return the moments at which it starts by itself."""
        return tuple(one for one in self.triggers if isinstance(one, Trigger))

    def webhook(self, name: str) -> tuple[WebhookTrigger, ...]:
        """Return what it does with deliveries of the webhook of that name, in order."""
        hooks = (one for one in self.triggers if isinstance(one, WebhookTrigger))
        return tuple(one for one in hooks if one.webhook == name)

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

    @property
    def is_best_effort(self) -> bool:
        """Whether speed goes before certainty here."""
        return self.mode is Mode.BEST_EFFORT

    @cached_property
    def outline(self) -> Outline:
        """Return every step, however deep it stands, by its id."""
        return outline(self.steps)

    @property
    def works(self) -> tuple[Step, ...]:
        """Return every step that uses an action, however deep it stands, in order."""
        every = (node.step for node in self.outline.values())
        return tuple(one for one in every if isinstance(one, Step))

    @property
    def starts(self) -> frozenset[str]:
        """Return the names of the workflows that its steps start."""
        every = (node.step for node in self.outline.values())
        return frozenset(one.workflow for one in every if isinstance(one, Call))

    def form(self, name: str) -> Flow:
        """Return the step that the instance `name` is of, whatever its form.

        Raises:
            DefinitionError: there is none.
        """
        found = self.outline.get(step_of(name))
        if found is None:
            raise DefinitionError(f"Workflow {self.workflow} has no step {name!r}.")
        return found.step

    def step(self, name: str) -> Step:
        """Return the step of that id or instance, called like the instance.

        Raises:
            DefinitionError: there is none that uses an action.
        """
        form = self.form(name)
        found = form if isinstance(form, Step) else None
        if found is not None and is_undo(name):
            found = undo_step(found, name)
        if found is None:
            raise DefinitionError(f"Step {name!r} of {self.workflow} uses no action.")
        if self.is_best_effort:
            found = hasty(found)
        return found if found.id == name else found.model_copy(update={"id": name})

    def shown(self, name: str) -> str:
        """Return the name of a step or instance for people; of an item with its number."""
        try:
            form = self.step(name) if is_undo(name) else self.form(name)
        except DefinitionError:
            return name
        numbers = [str(one + 1) for one in items_of(name)]
        return f"{form.shown} ({'.'.join(numbers)})" if numbers else form.shown


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
