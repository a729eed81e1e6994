"""The freeze calendar: times in which effects wait, by the clocks of the policy's time zone.

Pure: a moment in, until when it is frozen out. A moment that a clock shows twice or never
when it is changed is read so that the freeze is longer.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from workflows.definition_parts import Closed, Condition
from workflows.policy_hours import WEEK, Weekdays
from workflows.policy_parts import RuleName
from workflows.wall_time import TimeOfDay

MIDNIGHT = "00:00"
MOST_LINKS = 50  # Freezes that follow each other are told as one, as far as that.


def _wall_moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or found.second or found.microsecond:
        raise ValueError("write a day or a minute without a zone, as in 2026-12-20T18:00")
    return f"{found:%Y-%m-%dT%H:%M}"


WallMoment = Annotated[str, AfterValidator(_wall_moment)]


class Weekly(Closed):
    """The same hours of some weekdays, 1 for Monday; whole days where it names no hours.

    Hours that go over midnight belong to the day on which they begin.
    """

    weekdays: Weekdays
    begins: TimeOfDay = Field(default=MIDNIGHT, alias="from")
    ends: TimeOfDay = Field(default=MIDNIGHT, alias="to")

    @model_validator(mode="after")
    def _thaws(self) -> Self:
        if self.weekdays == WEEK and self.begins == self.ends:
            raise ValueError("it never ends; leave out a day, or some hours")
        return self

    def end_after(self, moment: datetime, zone: str) -> datetime | None:
        """Return when it is over, None where `moment` does not lie in it."""
        at = moment
        while ends := [last for first, last in self._times_near(at, zone) if first <= at < last]:
            at = max(ends)
        return at if at > moment else None

    def _times_near(self, moment: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
        """Yield from when until when it lasts, of the days around `moment`."""
        today = moment.astimezone(ZoneInfo(zone)).date()
        for day in (today + timedelta(days=one) for one in range(-2, 2)):
            if day.isoweekday() in self.weekdays:
                last = day + timedelta(days=self.begins >= self.ends)
                begins, ends = f"{day}T{self.begins}", f"{last}T{self.ends}"
                yield min(_moments(begins, zone)), max(_moments(ends, zone))


class Freeze(Closed):
    """A time in which effects wait: once, from one moment until another, or each week.

    Without `when` it is about everything that does more than read.
    """

    name: RuleName
    begins: WallMoment | None = Field(default=None, alias="from")
    ends: WallMoment | None = Field(default=None, alias="until")
    weekly: Weekly | None = None
    when: Condition | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        once = self.begins is not None and self.ends is not None
        some = self.begins is not None or self.ends is not None
        if once == (self.weekly is not None) or some != once:
            raise ValueError("is no time; write from and until, or weekly")
        if self.begins is not None and self.ends is not None and self.begins >= self.ends:
            raise ValueError("ends before it begins; write an until that comes later")
        return self

    def end_after(self, moment: datetime, zone: str) -> datetime | None:
        """Return when it is over, None where `moment` does not lie in it."""
        if self.weekly is not None:
            return self.weekly.end_after(moment, zone)
        if self.begins is None or self.ends is None:
            return None
        first, last = min(_moments(self.begins, zone)), max(_moments(self.ends, zone))
        return last if first <= moment < last else None


Freezes = Annotated[tuple[Freeze, ...], Field(min_length=1, max_length=100)]


def _moments(text: str, zone: str) -> tuple[datetime, datetime]:
    """Return the two moments that a wall time can mean; on most days they are the same."""
    here = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return here.astimezone(UTC), here.replace(fold=1).astimezone(UTC)


def frozen_by(freezes: Sequence[Freeze], moment: datetime, zone: str) -> tuple[Freeze, ...]:
    """Return those of `freezes` in which `moment` lies."""
    return tuple(one for one in freezes if one.end_after(moment, zone) is not None)


def thaw(freezes: Sequence[Freeze], moment: datetime, zone: str) -> datetime:
    """Return the first moment from `moment` on that lies in none of `freezes`."""
    at = moment
    for _ in range(MOST_LINKS):
        ends = [end for one in freezes if (end := one.end_after(at, zone)) is not None]
        if not ends:
            break
        at = max(ends)
    return at
