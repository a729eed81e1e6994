"""Hours in which nobody is reminded. What is due then waits until they are over."""

from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from workflows.definition_parts import Closed
from workflows.wall_time import TimeOfDay, first_from, is_between, time_of_day

SATURDAY: Final = 6


class Quiet(Closed):
    """From when to when, each day, and whether weekends are quiet altogether."""

    begins: TimeOfDay = Field(alias="from")
    ends: TimeOfDay = Field(alias="to")
    weekends: bool = False

    @model_validator(mode="after")
    def _has_a_rest(self) -> Self:
        if self.begins == self.ends:
            raise ValueError("from and to are the same, so nobody knows which hours are quiet")
        return self

    def holds_at(self, moment: datetime, zone: str) -> bool:
        """Say whether `moment` is quiet, by the clocks of `zone`."""
        is_weekend = moment.astimezone(ZoneInfo(zone)).isoweekday() >= SATURDAY
        if self.weekends and is_weekend:
            return True
        return is_between(time_of_day(moment, zone), self.begins, self.ends)

    def over_at(self, moment: datetime, zone: str) -> datetime:
        """Return `moment`, or when the quiet around it ends."""
        found = first_from(
            moment, zone, (self.begins, self.ends), lambda at: not self.holds_at(at, zone)
        )
        return moment if found is None else found
