"""The rows of pushing entries to systems that watch. Operational: no entry tells of them."""

from datetime import datetime

from sqlalchemy import BigInteger

from storage.base import Base, Mapped, mapped_column


class PushCursorRecord(Base):
    """How far one target has been told; everything below `next_idx` it has taken."""

    __tablename__ = "push_cursor"

    target: Mapped[str] = mapped_column(primary_key=True)
    next_idx: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    trouble: Mapped[str]
    held_by: Mapped[str]
    held_until: Mapped[datetime | None]
