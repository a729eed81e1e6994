"""What waits to be delivered, as values: a row of the outbox, its state, its place in Slack."""

from dataclasses import dataclass
from enum import StrEnum

from workflows.entry import Json, RunId
from workflows.store import Subject


class OutboxState(StrEnum):
    """Where a message stands: a change after its delivery makes it pending again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlace:
    """Where a message stands in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message taken for delivery.

    `wanted` is the state to deliver: give it back as `done`. `was_posting` says that a process
    was cut off while it posted this, so it is looked up before it is posted again. `place` is
    the message to update, None while there is none; `thread` is the run's first message.
    """

    id: int
    subject: Subject
    key: str
    run: RunId | None
    channel: str  # Where it goes: its own channel, or else its run's. Empty: look it up.
    body: Json
    wanted: int
    done: int
    attempts: int
    was_posting: bool
    place: MessagePlace | None
    thread: MessagePlace | None


# Open decisions go ahead of live states (DESIGN.md section 8).
RANKS = {
    Subject.CARD: 0,
    Subject.DOUBT: 0,
    Subject.TROUBLE: 0,
    Subject.QUESTION: 0,
    Subject.REVIEW: 0,
    Subject.ROOT: 1,
    Subject.POST: 1,
    Subject.OUTCOME: 1,
    Subject.NOTICE: 1,
    Subject.DIGEST: 1,
    Subject.DIGEST_FILES: 2,
    Subject.HEAD: 1,
    Subject.STAND_IN: 1,
    Subject.AWAY: 1,
    Subject.CODES: 1,
    Subject.BUILDER: 1,
    Subject.SUMMARY: 1,
    Subject.STEP: 2,
    Subject.NUDGE: 2,
}
RANK_OF_LIVE_STATE = 3  # A root that has its place is only updated, and may wait.
REPLIES = frozenset({Subject.STEP, Subject.CARD, Subject.DOUBT, Subject.TROUBLE, Subject.QUESTION})
