"""`slack.release`: lets the Workflow Builder workflow go on that asked for an approval.

Only its door is here; the outbox tells Slack. What goes on then is out of our hands and is
never taken back, so it counts as destructive: without somebody who agrees it does not happen.
A run that no such workflow waits for is approved for the record, and nobody is told.
"""

from typing import Annotated

from pydantic import StringConstraints

from workflows.actions.base import Action, Call, Effect, Model, Plan
from workflows.errors import NotPerformedError

SHOWN = 150


class SlackRelease(Model):
    """What `slack.release` takes: what is approved, as whoever decides reads it."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    details: Annotated[str, StringConstraints(max_length=3000)] | None = None


class SlackReleased(Model):
    """What `slack.release` gives: the execution that went on, empty where nothing waited."""

    execution: str


class SlackReleaseAction(Action[SlackRelease, SlackReleased]):
    """Completes the step that waits, through the outbox."""

    name = "slack.release"
    effect = Effect.DESTRUCTIVE
    takes = SlackRelease
    gives = SlackReleased
    is_delivered = True
    delivered_as = "builder"

    def describe(self, arguments: SlackRelease) -> str:
        title = " ".join(arguments.title.split())
        return f"Approve “{title if len(title) <= SHOWN else title[: SHOWN - 1] + '…'}”"

    def plan(self, arguments: SlackRelease, call: Call) -> Plan:
        del call
        return Plan(
            summary=self.describe(arguments),
            lines=("Whatever waits for this approval goes on once it is given.",),
            data=arguments.model_dump(mode="json"),
        )

    def perform(self, arguments: SlackRelease, call: Call) -> SlackReleased:
        """Refuse: whoever calls this has bypassed the outbox, and nothing went on."""
        del arguments, call
        raise NotPerformedError(
            "slack.release is delivered by the outbox and never performed directly.",
            error_class="not_delivered",
        )
