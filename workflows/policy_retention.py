"""How long payloads are kept: a term for each class of them. The entries themselves stay."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from workflows.definition_parts import Closed
from workflows.duration import Duration, at_most
from workflows.entry import PartClass

SHORTEST_TERM: Final = timedelta(days=1)
LONGEST_TERM: Final = timedelta(days=36_500)


def _a_day_at_least(length: timedelta) -> timedelta:
    if length < SHORTEST_TERM:
        raise ValueError("is too short; payloads are removed once a day, so write at least 1d")
    return length


Term = Annotated[Duration, at_most(LONGEST_TERM), AfterValidator(_a_day_at_least)]
HALF_A_YEAR: Final = timedelta(days=180)
SEVEN_YEARS: Final = timedelta(days=2_557)


Terms = Mapping[PartClass, timedelta]


class Retention(Closed):
    """How long after its entry a payload of each class may be kept."""

    content: Term = Field(default=HALF_A_YEAR, alias="personal.content")
    derived: Term = Field(default=HALF_A_YEAR, alias="personal.derived")
    identity: Term = Field(default=SEVEN_YEARS, alias="identity.actor")
    business: Term = Field(default=SEVEN_YEARS)

    @property
    def terms(self) -> Terms:
        """Return the term of each class."""
        return {
            PartClass.CONTENT: self.content,
            PartClass.DERIVED: self.derived,
            PartClass.IDENTITY: self.identity,
            PartClass.BUSINESS: self.business,
        }


DEFAULT_TERMS: Final = Retention().terms
