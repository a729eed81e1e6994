"""The small pieces that definitions and policies are written in: names, people, closed models."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

# CEL keeps these words for itself, so a step or input of that name could never be mentioned.
RESERVED = frozenset(
    (
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    )
)
LONGEST_SLUG = 64


class Closed(BaseModel):
    """Base of everything that stands in a file: strict, closed, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"{name!r} is a word of the expression language; choose another name")
    return name


def slug(name: str) -> str:
    """Return the name of a workflow or a step, if it can be one.

    Raises:
        ValueError: it cannot.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > LONGEST_SLUG:
        raise ValueError("write small letters, digits and single hyphens, at most 64 characters")
    return name


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError("write small letters, digits and underscores, a letter first, at most 63")
    return _not_reserved(name)


def _somebody(name: str) -> str:
    if not re.fullmatch(r"@[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name):
        raise ValueError('write a user group or a person with its @, such as "@finance-leads"')
    return name


def _channel(name: str) -> str:
    if not re.fullmatch(r"#?[a-z0-9][a-z0-9_-]{0,79}", name):
        raise ValueError('write a channel name such as "#refunds"')
    return name.removeprefix("#")


Slug = Annotated[str, AfterValidator(slug)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Somebody = Annotated[str, AfterValidator(_somebody)]
Channel = Annotated[str, AfterValidator(_channel)]
Pattern = Annotated[str, StringConstraints(max_length=500)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^\S(.*\S)?$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
