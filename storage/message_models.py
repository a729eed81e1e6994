"""The rows behind what people read: outbox, summaries, digests, words of a thread.

All of it is operational: losing it may cost a look-up or a repeated message, never an effect.
The full-text index over summaries is made in the migration, since it differs by database.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)

from storage.base import Base, BigKey, Mapped, by_value, mapped_column, partial_index
from storage.outbox_values import OutboxState
from workflows.store import Subject

IS_PENDING = text("state = 'pending'")
IS_UNPLACED = text("state = 'pending' AND place_ts IS NULL")
HAS_PLACE = text("place_ts IS NOT NULL")
IS_UNREAD = text("words IS NULL")
IS_NUDGE = text("subject = 'nudge'")


class OutboxRecord(Base):
    """Something to be told, one row a subject and key.

    `wanted` counts how often its state changed, `done` what the delivered message shows: a
    change that comes while the message is on its way is delivered after it.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("subject", "key"),
        CheckConstraint("done <= wanted", name="done_follows_wanted"),
        CheckConstraint(
            "(place_channel IS NULL) = (place_ts IS NULL)", name="place_is_channel_and_ts"
        ),
        partial_index(
            "ix_outbox_pending",
            "rank",
            "id",
            where=IS_PENDING,
        ),
        partial_index("ix_outbox_next_at", "next_at", where=IS_PENDING),
        partial_index("ix_outbox_nudge", "run_id", where=IS_NUDGE),
        partial_index(
            "ix_outbox_unplaced",
            "run_id",
            "id",
            where=IS_UNPLACED,
        ),
        partial_index(
            "uq_outbox_place",
            "place_channel",
            "place_ts",
            unique=True,
            where=HAS_PLACE,
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    subject: Mapped[Subject] = mapped_column(by_value(Subject))
    key: Mapped[str]
    run_id: Mapped[str | None]
    channel: Mapped[str]
    body: Mapped[str | None]
    rank: Mapped[int] = mapped_column(SmallInteger)
    wanted: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[OutboxState] = mapped_column(by_value(OutboxState))
    is_posting: Mapped[bool]
    next_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(BigInteger)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    place_channel: Mapped[str | None]
    place_ts: Mapped[str | None]
    last_error: Mapped[str | None]


class SummaryRecord(Base):
    """The story of one run, as searched; its text is that of the entry's part.

    `words` are those that are compared (`word_reading`); it is empty where the release before
    wrote the story, until it has been read (`story_words`).
    """

    __tablename__ = "summary"
    __table_args__ = (
        UniqueConstraint("run_id"),
        partial_index("ix_summary_unread", "id", where=IS_UNREAD),
    )

    id: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    entry_id: Mapped[str]
    body: Mapped[str]
    words: Mapped[str | None]
    written_at: Mapped[datetime]


class DigestRecord(Base):
    """The figures of one period, fixed when its digest was made.

    `mail_due` is when it is handed to the mail server next; it is empty where nobody wants that,
    and once the server took it.
    """

    __tablename__ = "digest"
    __table_args__ = (CheckConstraint("from_idx <= to_idx", name="range_goes_forward"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    from_idx: Mapped[int] = mapped_column(BigInteger)
    to_idx: Mapped[int] = mapped_column(BigInteger)
    from_at: Mapped[datetime]
    to_at: Mapped[datetime]
    figures: Mapped[str]
    made_at: Mapped[datetime]
    mail_due: Mapped[datetime | None]


class ThreadMessageRecord(Base):
    """What a person wrote in a run's thread, for its summary. Personal words: erased with them."""

    __tablename__ = "thread_message"
    __table_args__ = (Index("ix_thread_message_author", "author"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str]
    body: Mapped[str]
