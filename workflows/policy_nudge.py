"""What a policy says about direct messages to approvers."""

from datetime import timedelta
from typing import Annotated

from workflows.definition_parts import Closed
from workflows.definition_steps import LONGEST_EXPIRY
from workflows.duration import Duration, at_most


class Nudge(Closed):
    """How long after it was their turn an approver who said nothing is written to directly."""

    after: Annotated[Duration, at_most(LONGEST_EXPIRY)]


def nudge_after(nudge: Nudge | None) -> timedelta | None:
    """Return how long after their turn began approvers are written to, None for never."""
    return nudge.after if nudge is not None else None
