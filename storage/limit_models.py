"""The rows of what limits effects: what was taken of budgets, and how the glass was broken.

What was taken and what was reviewed is projected from entries. A pseudonym of a budget is like
one of a person: losing its row unlinks the log from whom it counted for, and frees the budget.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text

from storage.base import Base, Mapped, mapped_column, partial_index

IS_TAKEN = text("given_back_at IS NULL")
IS_UNREVIEWED = text("reviewed_at IS NULL")


class BudgetUseRecord(Base):
    """What one announced effect took of one budget. All of it is projected."""

    __tablename__ = "budget_use"
    __table_args__ = (
        CheckConstraint("amount > 0", name="takes_something"),
        partial_index("ix_budget_use_taken", "budget", "key", "taken_at", where=IS_TAKEN),
        Index("ix_budget_use_run_id", "run_id", "step", "attempt"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    budget: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    step: Mapped[str]
    attempt: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime]
    given_back_at: Mapped[datetime | None]


class BudgetKeyRecord(Base):
    """The pseudonym under which the log knows for whom a budget counts."""

    __tablename__ = "budget_key"
    __table_args__ = (UniqueConstraint("budget", "value"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    k: Mapped[bytes]
    budget: Mapped[str]
    value: Mapped[str]


class GlassUseRecord(Base):
    """One use of the glass, and what came of its review. All of it is projected."""

    __tablename__ = "glass_use"
    __table_args__ = (
        UniqueConstraint("request_id"),
        CheckConstraint(
            "(reviewed_at IS NULL) = (verdict IS NULL)", name="reviewed_with_a_verdict"
        ),
        partial_index("ix_glass_use_unreviewed", "review_by", where=IS_UNREVIEWED),
        Index("ix_glass_use_run_id", "run_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)  # Of the entry.
    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    step: Mapped[str]
    used_by: Mapped[str]
    used_at: Mapped[datetime]
    review_by: Mapped[datetime]
    people: Mapped[str]  # Names of the policy under which they could.
    asked: Mapped[str]  # Names of the policy for those who review it.
    reviewers: Mapped[str]
    verdict: Mapped[str | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    review_entry: Mapped[str | None]
