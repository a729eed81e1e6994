"""The rows of one-time codes: whose count, by whose word, and what is kept of attempts.

Secrets lie sealed (`sealing`) and are forgotten once the codes have ended. Losing the guards
costs the memory of used and wrong codes, never a secret.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, text

from storage.base import Base, Mapped, mapped_column, partial_index

IS_CONFIRMED = text("confirmed_at IS NOT NULL AND ended_at IS NULL")
IS_PENDING = text("confirmed_at IS NULL AND ended_at IS NULL")


class StepUpRecord(Base):
    """One secret of a person, from the first right code on.

    Of each person one counts and one waits at most, and nobody confirms their own: both are
    refused by the database itself.
    """

    __tablename__ = "step_up"
    __table_args__ = (
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> person", name="by_another"),
        partial_index("uq_step_up_confirmed", "person", unique=True, where=IS_CONFIRMED),
        partial_index("uq_step_up_pending", "person", unique=True, where=IS_PENDING),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # Projected.
    person: Mapped[str]
    asked: Mapped[str]
    enrolled_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_how: Mapped[str | None]
    # Operational.
    sealed: Mapped[bytes | None]


class StepUpGuardRecord(Base):
    """What is kept of a person's attempts, and the secret they were shown last. Operational."""

    __tablename__ = "step_up_guard"

    person: Mapped[str] = mapped_column(primary_key=True)
    last_step: Mapped[int] = mapped_column(BigInteger)
    misses: Mapped[str]
    locked_until: Mapped[datetime | None]
    offer_id: Mapped[str | None]
    offer_sealed: Mapped[bytes | None]
    offered_at: Mapped[datetime | None]
