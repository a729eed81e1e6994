"""The rows of who is away, and who stands in for them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text

from storage.base import Base, Mapped, mapped_column, partial_index

NOT_ENDED = text("ended_at IS NULL")


class DelegationRecord(Base):
    """What somebody said of being away. All of it is projected, and of each only one not ended."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("stand_in IS NULL OR stand_in <> giver", name="never_oneself"),
        partial_index("uq_delegation_giver", "giver", unique=True, where=NOT_ENDED),
        partial_index("ix_delegation_stand_in", "stand_in", where=NOT_ENDED),
        Index("ix_delegation_giver_stand_in", "giver", "stand_in"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    giver: Mapped[str]
    stand_in: Mapped[str | None]
    given_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
