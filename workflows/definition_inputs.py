"""What a workflow may ask for: the kinds of input a definition can declare.

Values given by people are checked in `input_values`. A further kind is one class here, one
reader there, and one element in the bot's form.
"""

import datetime as dt
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from workflows.definition_parts import Closed, Pattern, Title, Words
from workflows.entry import Json

LONGEST = 3000  # Slack's own limit for a text field.
MOST_CHOICES = 100  # Slack's own limit for a menu.


class _Input(Closed):
    """What every kind has; a default is checked by the same rules as a given value."""

    title: Title | None = None
    description: Words | None = None
    required: bool = True


class TextInput(_Input):
    """A line of text, or several; a pattern has to match the whole value."""

    type: Literal["string"]
    multiline: bool = False
    pattern: Pattern | None = None
    example: Annotated[str, StringConstraints(min_length=1, max_length=150)] | None = None
    min_length: int | None = Field(default=None, ge=0, le=LONGEST)
    max_length: int = Field(default=LONGEST, ge=1, le=LONGEST)
    default: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.min_length is not None and self.min_length > self.max_length:
            raise ValueError("min_length is greater than max_length")
        return self


class IntegerInput(_Input):
    """A whole number; money is one, in its smallest unit."""

    type: Literal["integer"]
    minimum: int | None = None
    maximum: int | None = None
    default: int | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _ordered(self.minimum, self.maximum)
        return self


class NumberInput(_Input):
    """A number with a fraction, for measures; never for money."""

    type: Literal["number"]
    minimum: float | None = None
    maximum: float | None = None
    default: float | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _ordered(self.minimum, self.maximum)
        return self


class BooleanInput(_Input):
    """Yes or no."""

    type: Literal["boolean"]
    default: bool | None = None


class DateInput(_Input):
    """A day, kept and compared as text, `2026-03-31`."""

    type: Literal["date"]
    minimum: dt.date | None = None
    maximum: dt.date | None = None
    default: dt.date | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _ordered(self.minimum, self.maximum)
        return self


class EnumInput(_Input):
    """One of a few words."""

    type: Literal["enum"]
    choices: tuple[Annotated[str, StringConstraints(min_length=1, max_length=75)], ...] = Field(
        min_length=1, max_length=MOST_CHOICES
    )
    default: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("a choice stands twice")
        return self


Input: TypeAlias = Annotated[
    TextInput | IntegerInput | NumberInput | BooleanInput | DateInput | EnumInput,
    Field(discriminator="type"),
]


def default_of(spec: Input) -> Json:
    """Return the value that stands when none is given, or None."""
    if isinstance(spec, DateInput):
        return spec.default.isoformat() if spec.default is not None else None
    return spec.default


def is_open(spec: Input) -> bool:
    """Say whether somebody has to give a value."""
    return spec.required and spec.default is None


def _ordered(low: object, high: object) -> None:
    if low is not None and high is not None and low > high:  # type: ignore[operator]  # Both are of the one kind their class declares.
        raise ValueError("minimum is greater than maximum")
