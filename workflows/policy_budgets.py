"""Budgets: how much all runs together may take of something within a window of time."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from workflows.binding import MOST_INTEGER
from workflows.definition_parts import Closed, Condition
from workflows.duration import Duration, at_most
from workflows.policy_parts import RuleName

LONGEST_WINDOW = timedelta(days=90)
Limit = Annotated[int, Field(ge=1, le=MOST_INTEGER)]
Window = Annotated[Duration, at_most(LONGEST_WINDOW)]


def _written(value: object) -> object:
    """Return an amount as an expression; a plain number is one too."""
    return str(value) if type(value) is int else value


Amount = Annotated[Condition, BeforeValidator(_written)]


class Budget(Closed):
    """What effects take of it, and how much there is in any `window`.

    `when` says which effects it is about, `amount` what one of them takes, `per` for whom it
    counts apart. All three are expressions over what rules see; `amount` and `per` may also
    look at the data of the plan.
    """

    name: RuleName
    when: Condition
    amount: Amount
    per: Condition | None = None
    limit: Limit
    window: Window


Budgets = Annotated[tuple[Budget, ...], Field(min_length=1, max_length=20)]
