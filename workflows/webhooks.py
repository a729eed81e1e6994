"""The webhooks that may start runs, as the policy names them: whose word counts, and for whom.

A definition says `webhook: shop-events`; only here does it say which secret its deliveries are
signed with and which person asks for the runs they start.
"""

from datetime import timedelta
from typing import Annotated, Literal

from workflows.definition_parts import Somebody
from workflows.duration import Duration, at_most
from workflows.services import SecretName, Target

LONGEST_TOLERANCE = timedelta(minutes=15)


class Webhook(Target):
    """One webhook. Its runs count as asked for by `requester`, one person.

    `tolerance` is how old a delivery of the standard scheme may be; GitHub signs no moment.
    """

    secret: SecretName
    requester: Somebody
    scheme: Literal["standard", "github"] = "standard"
    tolerance: Annotated[Duration, at_most(LONGEST_TOLERANCE)] = timedelta(minutes=5)
