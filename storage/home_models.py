"""The rows behind each person's Home in Slack: whom something waits for, and who looks there.

`awaited` follows from requests, decisions and questions alone, and is rebuilt and compared like
them. The rest is operational: losing it costs people one look at their Home.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text

from storage.base import Base, BigKey, Mapped, mapped_column, partial_index

IS_OWED = text("claimed_until IS NOT NULL")


class AwaitedRecord(Base):
    """One person for whom an open request or question waits now; `id` is its own. Projected."""

    __tablename__ = "awaited"
    __table_args__ = (Index("ix_awaited_ref", "ref", "until", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    is_question: Mapped[bool]
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    until: Mapped[datetime]


class HomeReaderRecord(Base):
    """A person who has opened their Home, what they chose there, and who is about to draw it.

    `pages_at` is when Slack saw them turn the `pages`: of two turns the later one counts,
    however they arrive. `claimed_until` stands while a change of it is owed: the claim of a
    process, or the moment of the next try.
    """

    __tablename__ = "home_reader"
    __table_args__ = (partial_index("ix_home_reader_owed", "claimed_until", where=IS_OWED),)

    ref: Mapped[str] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    pages: Mapped[str]
    pages_at: Mapped[datetime | None]
    told: Mapped[str]
    hash: Mapped[str | None]
    next_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(BigInteger)


class HomeTopicRecord(Base):
    """A workflow that a reader of Home answers for, as it was when their Home was last drawn."""

    __tablename__ = "home_topic"
    __table_args__ = (Index("ix_home_topic_ref", "ref"),)

    workflow: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)


class HomeNewsRecord(Base):
    """One change that somebody's Home does not show yet.

    A row each, so that units which change the same Home never wait for each other.
    """

    __tablename__ = "home_news"
    __table_args__ = (Index("ix_home_news_ref", "ref"),)

    seq: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    ref: Mapped[str]
