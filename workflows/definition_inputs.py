"""What a workflow may ask for: the kinds of input a definition can declare.

Values given by people are checked in `input_values`. A further kind is one class here, one
reader there, one shape in `input_shapes`, its words in `input_words`, and one element in the
bot's form.
"""

import datetime as dt
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from workflows.definition_options import Options
from workflows.definition_parts import Closed, Pattern, Title, Words
from workflows.entry import Json
from workflows.moments import second

LONGEST = 3000  # Slack's own limit for a text field.
MOST_CHOICES = 1000
MOST_ITEMS = 100
MOST_NAMED = 20  # Each of them is looked up in Slack while somebody waits.
MOST_BYTES = 10_000_000  # Slack takes no larger file in a form.


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
    options: Options | None = None
    default: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.min_length is not None and self.min_length > self.max_length:
            raise ValueError("min_length is greater than max_length")
        if self.options is not None and self.multiline:
            raise ValueError("options and multiline exclude each other; a choice is one line")
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


def _in_utc(at: dt.datetime) -> dt.datetime:
    if at.microsecond:
        raise ValueError("has parts of a second; write whole seconds")
    return at.astimezone(dt.UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class DatetimeInput(_Input):
    """A moment, kept and compared as text in UTC, `2026-03-31T07:00:00Z`."""

    type: Literal["datetime"]
    minimum: Moment | None = None
    maximum: Moment | None = None
    default: Moment | None = None

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


class UserInput(_Input):
    """A person of the workspace; its value is an object of `id` and `name`."""

    type: Literal["user"]
    default: str | None = None


class GroupInput(_Input):
    """A user group; its value is an object of `id` and `name`."""

    type: Literal["group"]
    default: str | None = None


class ChannelInput(_Input):
    """A channel; its value is an object of `id` and `name`."""

    type: Literal["channel"]
    default: str | None = None


class FileInput(_Input):
    """A file that somebody uploaded to Slack; its value is an object of `id`, `name`, `size`."""

    type: Literal["file"]
    types: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,10}$")], ...] | None = (
        Field(default=None, min_length=1, max_length=20)
    )
    max_bytes: int | None = Field(default=None, ge=1, le=MOST_BYTES)


Item: TypeAlias = Annotated[
    TextInput | IntegerInput | EnumInput | UserInput | GroupInput | ChannelInput,
    Field(discriminator="type"),
]


class ListInput(_Input):
    """Several values of one kind, in the order they were given."""

    type: Literal["list"]
    of: Item
    min_items: int | None = Field(default=None, ge=1, le=MOST_ITEMS)
    max_items: int | None = Field(default=None, ge=1, le=MOST_ITEMS)
    default: tuple[str | int, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.min_items or 1) > self.most:
            raise ValueError("min_items is greater than max_items")
        if (self.max_items or 1) > self._limit:
            raise ValueError(f"a list of {self.of.type}s has at most {MOST_NAMED} items")
        if default_of(self.of) is not None or not self.of.required:
            raise ValueError("an item of a list has no default; give the list one")
        if isinstance(self.of, TextInput) and self.of.multiline:
            raise ValueError("an item of a list is one line")
        return self

    @property
    def most(self) -> int:
        """Return how many items it takes."""
        return self._limit if self.max_items is None else self.max_items

    @property
    def _limit(self) -> int:
        is_looked_up = isinstance(self.of, UserInput | GroupInput | ChannelInput)
        return MOST_NAMED if is_looked_up or _has_options(self.of) else MOST_ITEMS


Input: TypeAlias = Annotated[
    TextInput
    | IntegerInput
    | NumberInput
    | BooleanInput
    | DateInput
    | DatetimeInput
    | EnumInput
    | UserInput
    | GroupInput
    | ChannelInput
    | FileInput
    | ListInput,
    Field(discriminator="type"),
]


def default_of(spec: Input) -> Json:
    """Return the value that stands when none is given, or None."""
    if isinstance(spec, FileInput):
        return None
    if isinstance(spec, DatetimeInput):
        return second(spec.default) if spec.default is not None else None
    if isinstance(spec, DateInput):
        return spec.default.isoformat() if spec.default is not None else None
    return list(spec.default) if isinstance(spec.default, tuple) else spec.default


def _has_options(spec: Input) -> bool:
    return isinstance(spec, TextInput) and spec.options is not None


def is_open(spec: Input) -> bool:
    """Say whether somebody has to give a value."""
    return spec.required and default_of(spec) is None


def _ordered(low: object, high: object) -> None:
    if low is not None and high is not None and low > high:  # type: ignore[operator]  # Both are of the one kind their class declares.
        raise ValueError("minimum is greater than maximum")
