"""One thing on its way to the app, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.loose import Json

ANSWERED = frozenset({"view_submission", "block_suggestion"})
DeliveryKind = Literal["slash_commands", "interactive", "events_api"]
DeliveryOutcome = Literal["waiting", "acked", "operation_timeout", "dispatch_failed", "cancelled"]


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """An envelope. `type` is the payload's own type, `outcome` what the person met with.

    `answer` is what the app sent back with its acknowledgement, `ack_seconds` how long that
    took, `connection` which Socket Mode connection carried it.
    """

    id: str
    kind: DeliveryKind
    type: str
    payload: Json
    at: float
    after: "Callable[[Delivery], None] | None" = None
    user: str | None = None
    attempt: int = 0
    retry_reason: str | None = None
    connection: str | None = None
    outcome: DeliveryOutcome = "waiting"
    answer: Json | None = None
    ack_seconds: float | None = None
    late_seconds: float | None = None
    failure: str | None = None
    begun: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether it is known what became of it."""
        return self.outcome != "waiting"

    @property
    def acked(self) -> bool:
        """Whether the app acknowledged in time."""
        return self.outcome == "acked"

    @property
    def takes_answer(self) -> bool:
        """Whether Slack looks at what comes back beside the acknowledgement."""
        return self.kind == "slash_commands" or self.type in ANSWERED

    def envelope(self) -> Json:
        """Build the Socket Mode frame."""
        made: Json = {
            "envelope_id": self.id,
            "type": self.kind,
            "payload": self.payload,
            "accepts_response_payload": self.takes_answer,
        }
        if self.kind == "events_api":
            made["retry_attempt"] = self.attempt
            made["retry_reason"] = self.retry_reason or ""
        return made
