"""Steps that reach further than usual count as graver ones: many rows, many hosts, much money."""

from typing import Annotated, Literal

from pydantic import Field

from workflows.actions.base import Effect
from workflows.definition_parts import Closed, Condition
from workflows.policy_parts import RuleName


class Reach(Closed):
    """What counts as `to` from then on: `when` sees what rules see, and the data of the plan."""

    name: RuleName
    when: Condition
    to: Literal[Effect.WRITE, Effect.DESTRUCTIVE] = Effect.DESTRUCTIVE


Blast = Annotated[tuple[Reach, ...], Field(min_length=1, max_length=20)]
