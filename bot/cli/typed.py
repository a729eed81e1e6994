"""What somebody typed: as an order, the number of an entry, a file."""

from pathlib import Path
from typing import TypeVar

import click
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from bot.cli.output import NO_TEXT
from bot.field_words import field_words
from bot.whole_files import write_over

ENTRY = click.IntRange(0, 2**63 - 1)  # The largest number that a database can look for.

Order = TypeVar("Order", bound=BaseModel)


def filled(form: type[Order], **fields: object) -> Order:
    """Return the order with these fields; what cannot be one is told by its field."""
    try:
        order = form.model_validate(fields)
        order.model_dump_json()  # Of texts without limits Pydantic does not look at the characters.
    except PydanticSerializationError as wrong:
        raise click.UsageError(NO_TEXT) from wrong
    except ValidationError as wrong:
        place, words = next(iter(field_words(wrong, form).items()))
        told = ": ".join([one for one in (place.partition("/")[0], words) if one])
        raise click.UsageError(f"{told}.") from wrong
    return order


def place_named(words: str) -> Path | None:
    """Return the file or folder of that name, None where there is none."""
    place = Path(words)
    try:
        return place if place.exists() else None
    except OSError:
        return None  # Too long for a name, or behind a folder that cannot be looked into.


def write(file: Path, text: str) -> None:
    """Write a file, in place of the one that was there, which stays where that cannot be done."""
    try:
        write_over(file, text.encode())
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}.") from error
