"""Choices that an action reads when somebody fills in a form: which action, and what of its answer.

What may stand in a file and nothing else; asking is for `choosing`.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, JsonValue

from workflows.definition_parts import Closed, Condition
from workflows.duration import Duration, at_most
from workflows.shapes import Returns

# Slack gives a form three seconds for its choices, and the answer has to travel as well.
LONGEST_LOOK = timedelta(seconds=2)


class Options(Closed):
    """A read whose answer holds the choices.

    `items` is the list in its `result`; `value` is what is stored for an `item` of it, `label`
    what people see. Arguments may speak of what was `typed` so far, so that a service searches;
    otherwise its whole answer is searched here.
    """

    uses: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
    arguments: dict[str, JsonValue] = Field(default_factory=dict, alias="with")
    returns: dict[str, Returns] | None = None
    items: Condition
    value: Condition = "item"
    label: Condition | None = None
    timeout: Annotated[Duration, at_most(LONGEST_LOOK)] = LONGEST_LOOK
