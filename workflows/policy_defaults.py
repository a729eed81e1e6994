"""What stands where a rule of `policy.yaml` says nothing, and when people are reminded."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from workflows.definition_parts import Closed
from workflows.definition_steps import LONGEST_EXPIRY, Expiry
from workflows.duration import Duration, at_most
from workflows.policy_nudge import Nudge
from workflows.policy_parts import Sticky
from workflows.policy_quiet import Quiet

SHORTEST_CHASE = timedelta(minutes=1)


def _ascending(waits: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if any(later <= earlier for earlier, later in pairwise(waits)):
        raise ValueError("write each length of time longer than the one before")
    if waits[0] < SHORTEST_CHASE:
        raise ValueError("the first reminder comes after a minute at the earliest")
    return waits


Chase = Annotated[
    tuple[Annotated[Duration, at_most(LONGEST_EXPIRY)], ...],
    Field(min_length=1, max_length=10),
    AfterValidator(_ascending),
]
CHASE: Final = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))


class Exceptions(Closed):
    """When people are reminded of an exception or a doubt: its owner, the deputy too, governors.

    From the last one on they are reminded each day.
    """

    remind: Chase = CHASE


class Defaults(Closed):
    """What stands where a rule says nothing. There is no request without an end."""

    expires: Expiry
    exceptions: Exceptions | None = None  # Left out, it changes no digest that approvals rest on.
    quiet: Quiet | None = None
    sticky: Sticky | None = None
    nudge: Nudge | None = None
