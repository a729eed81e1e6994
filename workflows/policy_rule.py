"""One rule of `policy.yaml`: which steps it is about, and what it wants of them."""

from typing import Annotated, Literal

from pydantic import Field

from workflows.definition_parts import Closed, Condition, Somebody
from workflows.definition_steps import AnyStage, Expiry
from workflows.demand import StepUp
from workflows.duration import Duration
from workflows.policy_auto import Auto
from workflows.policy_escalation import Escalate
from workflows.policy_hours import Hours
from workflows.policy_nudge import Nudge
from workflows.policy_parts import RuleName, Sticky
from workflows.policy_reason import Reason


class Rule(Closed):
    """Which steps it is about, and who has to agree to those."""

    name: RuleName
    when: Condition
    stages: tuple[AnyStage, ...] = Field(min_length=1, max_length=10)
    expires: Expiry | None = None
    remind: tuple[Duration, ...] = ()
    reason: Reason = "optional"
    # None where a rule does not say it, so that its policy keeps the digest it had.
    exclude: Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)] | None = None
    hours: Hours | None = None
    escalate: Escalate | None = None
    auto: Auto | None = None
    sticky: Sticky | None = None
    nudge: Nudge | None = None
    step_up: StepUp | None = None
    batch: Literal[True] | None = None
