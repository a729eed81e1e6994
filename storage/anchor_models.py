"""The row by which witnesses are asked in turn, and asked again after they failed."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint

from storage.base import Base, Mapped, mapped_column


class AnchorTurnRecord(Base):
    """When a witness is asked next, and since when it fails. Operational: losing it costs a try."""

    __tablename__ = "anchor_turn"
    __table_args__ = (
        CheckConstraint(
            "(failures = 0) = (failed_since IS NULL)", name="failures_have_a_beginning"
        ),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(BigInteger)
    failed_since: Mapped[datetime | None]
    error: Mapped[str | None]
