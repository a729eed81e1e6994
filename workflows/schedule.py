"""A schedule as it is remembered: one that people set, or what they did to a definition's."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.entry import Ref
from workflows.triggers import Missed, Once, Overlap, Trigger, When


class ScheduleState(StrEnum):
    """Where a schedule stands. All but the first two are its end."""

    ACTIVE = "active"
    PAUSED = "paused"
    DONE = "done"  # One moment, and it has come.
    MISSED = "missed"  # One moment, at which nobody served, and it is not made up for.
    DELETED = "deleted"

    @property
    def is_end(self) -> bool:
        """Whether it never fires again."""
        return self not in {ScheduleState.ACTIVE, ScheduleState.PAUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A schedule's row. A definition's has one once it was paused, and says no times itself.

    `entry` is the entry that set it; its parts hold the inputs. `changed_at` is when it was
    set, paused, resumed or ended.
    """

    id: str
    workflow: str
    state: ScheduleState
    changed_at: datetime
    entry: str | None = None
    version: str | None = None
    cron: str | None = None
    at: datetime | None = None
    timezone: str | None = None
    missed: Missed | None = None
    overlap: Overlap | None = None
    channel: str | None = None
    set_by: Ref | None = None
    set_at: datetime | None = None

    @property
    def when(self) -> When | None:
        """Return the times it fires at, None where its definition says them."""
        zone, missed = self.timezone or "UTC", self.missed or Missed.SKIP
        overlap = self.overlap or Overlap.SKIP
        if self.at is not None:
            return Once(at=self.at, timezone=zone, missed=missed, overlap=overlap)
        if self.cron is not None:
            # It was checked when it was set, and cannot have changed since.
            return Trigger.model_construct(
                cron=self.cron, timezone=zone, missed=missed, overlap=overlap, inputs={}
            )
        return None
