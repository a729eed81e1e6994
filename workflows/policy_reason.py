"""What approvers have to write: nothing, some words, or words of a certain form."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag

from workflows.definition_parts import Closed, Pattern
from workflows.pattern import matches

LONGEST_HINT = 150


def _is_pattern(text: str) -> str:
    matches("", text)
    return text


class ReasonPattern(Closed):
    """A form that the reason of an approval has to have, and how to say so to people."""

    pattern: Annotated[Pattern, AfterValidator(_is_pattern)]
    hint: Annotated[str, Field(min_length=1, max_length=LONGEST_HINT)]


def _reason_form(value: object) -> str:
    return "<word>" if isinstance(value, str) else "<form>"


Reason: TypeAlias = Annotated[
    Annotated[Literal["optional", "required"], Tag("<word>")]
    | Annotated[ReasonPattern, Tag("<form>")],
    Discriminator(_reason_form),
]


def needs_reason(reason: Reason) -> bool:
    """Say whether something has to be written at all."""
    return reason != "optional"


def patterns_of(reason: Reason) -> tuple[ReasonPattern, ...]:
    """Return the form that is wanted, if one is."""
    return (reason,) if isinstance(reason, ReasonPattern) else ()


def misfit(reason: str, patterns: Sequence[ReasonPattern]) -> str:
    """Return the hint of the first pattern that `reason` does not match, or nothing."""
    words = reason.strip()
    return next((one.hint for one in patterns if not matches(words, one.pattern)), "")
