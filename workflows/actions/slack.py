"""`slack.post`: a message in a channel.

Only its door is here. The engine hands such a step to the outbox, the one place from which
anything leaves for Slack, and the step is done when the outbox has delivered it.
"""

from typing import Annotated

from pydantic import StringConstraints

from workflows.actions.base import Action, Call, Effect, Model, Plan
from workflows.errors import NotPerformedError

SHOWN = 60

# The length stands outside: a count in the pattern is written out that many times, 1 MB of it.
Channel = Annotated[
    str, StringConstraints(pattern=r"^([CDG][A-Z0-9]{2,}|#[^\s#]+)$", max_length=81)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class SlackPost(Model):
    """What `slack.post` takes; without a channel it goes to the thread of the run."""

    channel: Channel | None = None
    text: Text


class SlackPosted(Model):
    """What `slack.post` gives: where the message stands."""

    channel: str
    ts: str


class SlackPostAction(Action[SlackPost, SlackPosted]):
    """Posts a message, through the outbox."""

    name = "slack.post"
    effect = Effect.EGRESS
    takes = SlackPost
    gives = SlackPosted
    is_delivered = True
    plans_alone = True

    def describe(self, arguments: SlackPost) -> str:
        where = arguments.channel or "this thread"
        text = " ".join(arguments.text.split())
        return f"Post to {where}: {text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}"

    def plan(self, arguments: SlackPost, call: Call) -> Plan:
        del call
        return Plan(
            summary=self.describe(arguments),
            lines=tuple(arguments.text.splitlines()),
            data=arguments.model_dump(mode="json"),
        )

    def perform(self, arguments: SlackPost, call: Call) -> SlackPosted:
        """Refuse: whoever calls this has bypassed the outbox, and nothing was posted."""
        del arguments, call
        raise NotPerformedError(
            "slack.post is delivered by the outbox and never performed directly.",
            error_class="not_delivered",
        )
