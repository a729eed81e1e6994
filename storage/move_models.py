"""The row by which a log that moved elsewhere is known. How it moves is `moving`."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer

from storage.base import Base, Mapped, mapped_column


class MovedLogRow(Base):
    """Says that this copy of the log goes on at `target`, and that nothing is written here."""

    __tablename__ = "moved_log"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    target: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime]
