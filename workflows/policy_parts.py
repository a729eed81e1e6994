"""The small pieces that the sections of a policy share."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from workflows.demand import DEFINITION, PUBLISH
from workflows.duration import Duration, at_most


def _single_line(name: str) -> str:
    if name != name.strip() or not name.isprintable() or name in {DEFINITION, PUBLISH}:
        raise ValueError("write a short name of its own on one line, without spaces around it")
    return name


RuleName = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_single_line)]

LONGEST_MEMORY = timedelta(days=90)
Sticky = Annotated[Duration, at_most(LONGEST_MEMORY)]  # For how long a denial is remembered.
