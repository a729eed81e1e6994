"""Messages between drawing and delivery: what is said, to whom, and how it travels.

A renderer turns a row of the outbox into a letter, here it becomes a parcel for the courier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.delivery import Attachment, Parcel
from bot.pacing import Urgency
from bot.slack_client import Content, Place
from storage.outbox_values import MessagePlace, OutboxRow
from workflows.entry import Json
from workflows.store import Subject

PATIENT = frozenset({Subject.STEP, Subject.NUDGE, Subject.DIGEST_FILES})  # Behind everything else.
# Nothing without their buttons, and ahead of everything else.
DECISIONS = frozenset(
    {
        Subject.CARD,
        Subject.DOUBT,
        Subject.TROUBLE,
        Subject.QUESTION,
        Subject.REVIEW,
        Subject.CODES,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it stands now, and the channel or person it goes to.

    `in_thread` puts it below the run's first message. One that is not `is_complete` is drawn
    once more soon: its receipt has no number yet. `replies` follow below it, each once.
    `thread` puts it below a message that is none of ours. One that `may_wait` is posted a moment
    later than others: what else comes by then is in it. `shown` is the head or receipt that
    leaves with it, whole, for programs to read. One with `files` has them and its words alone,
    stays as it is, and stands in a thread. One that `is_over` has nothing to be decided any more,
    so what else changes on it may wait as live states do.
    """

    channel: str
    content: Content
    in_thread: bool = False
    is_complete: bool = True
    replies: Sequence[Content] = ()
    thread: Place | None = None
    may_wait: bool = False
    shown: Mapping[str, Json] = field(default_factory=dict)
    files: Sequence[Attachment] = ()
    is_over: bool = False


class Renderer(Protocol):
    """Says what a row's subject looks like now."""

    def render(self, row: OutboxRow) -> Letter | None:
        """Return the message; None if there is nothing to tell (anybody) any more."""


def parcel_of(row: OutboxRow, letter: Letter) -> Parcel:
    """Return a letter as it travels: to where it stands, below its thread, or to its address."""
    thread = _place(row.thread) if letter.in_thread else letter.thread
    place = _place(row.place)
    around = place or thread
    return Parcel(
        id=row.id,
        subject=row.subject,
        key=row.key,
        channel=around.channel if around else letter.channel,
        content=letter.content,
        thread=thread,
        place=place,
        may_be_there=row.was_posting,
        state=row.wanted,
        needs_blocks=row.subject in DECISIONS,
        urgency=_urgency_of(row),
        shown=letter.shown,
        files=letter.files,
    )


def _urgency_of(row: OutboxRow) -> Urgency:
    if row.subject in DECISIONS:
        return Urgency.DECISION
    is_live = row.subject is Subject.ROOT and row.place is not None
    return Urgency.LIVE if is_live or row.subject in PATIENT else Urgency.WORD


def follower_of(
    row: OutboxRow, first: Place, number: int, content: Content, *, may_be_there: bool
) -> Parcel:
    """Return a reply that belongs to a message. It has no row, so it may have to be looked for."""
    return Parcel(
        id=row.id,
        subject=row.subject,
        key=f"{row.key}#{number}",
        channel=first.channel,
        content=content,
        thread=first,
        may_be_there=may_be_there,
        urgency=Urgency.LIVE,
    )


def _place(found: MessagePlace | None) -> Place | None:
    return None if found is None else Place(channel=found.channel, ts=found.ts)
