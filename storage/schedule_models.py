"""The rows of schedules: those people set, what they did to them, and the moments handled."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text

from storage.base import Base, Mapped, by_value, mapped_column, partial_index
from workflows.schedule import ScheduleState
from workflows.triggers import Missed, Overlap

IS_LIVE = text("ended_at IS NULL")


class ScheduleRecord(Base):
    """A schedule that somebody set, or a definition's that was paused. All of it is projected.

    What a person set fires once or by a cron line, never both; a definition's row says neither.
    """

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (state IN ('active', 'paused'))", name="ends_once"),
        CheckConstraint("cron IS NULL OR at IS NULL", name="fires_in_one_way"),
        CheckConstraint("(entry_id IS NULL) = (cron IS NULL AND at IS NULL)", name="was_set"),
        partial_index("ix_schedule_live", "id", where=IS_LIVE),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    workflow: Mapped[str]
    state: Mapped[ScheduleState] = mapped_column(by_value(ScheduleState))
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    entry_id: Mapped[str | None]
    version: Mapped[str | None]
    cron: Mapped[str | None]
    at: Mapped[datetime | None]
    is_once: Mapped[bool | None]
    timezone: Mapped[str | None]
    missed: Mapped[Missed | None] = mapped_column(by_value(Missed))
    overlap: Mapped[Overlap | None] = mapped_column(by_value(Overlap))
    channel: Mapped[str | None]
    set_by: Mapped[str | None]
    set_at: Mapped[datetime | None]
