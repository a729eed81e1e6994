"""Break-glass: who may decide alone in an emergency, and who looks at it afterwards."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from workflows.definition_parts import Closed, Condition, Somebody
from workflows.duration import Duration, at_most

LONGEST_REVIEW = timedelta(days=7)
SomePeople = Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)]


class BreakGlass(Closed):
    """Those in `people` decide alone, those in `by` review it within `review`.

    Without `when` it is about every request. Where `when` cannot be evaluated there is no glass.
    """

    people: SomePeople
    by: SomePeople
    review: Annotated[Duration, at_most(LONGEST_REVIEW)] = timedelta(hours=24)
    when: Condition | None = None
