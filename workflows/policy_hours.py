"""Business hours: when an approval may be given. A rejection may be given at any time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from workflows.definition_parts import Closed
from workflows.entry import Json
from workflows.wall_time import TimeOfDay, first_from, is_between, time_of_day

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK = tuple(range(1, 8))


def _days(value: object) -> object:
    """Return weekdays one by one; a file may write `1-5` for five of them."""
    if not isinstance(value, list | tuple):
        return value
    days = [day for one in value for day in _day_or_range(one)]
    return tuple(sorted(set(days))) if all(type(one) is int for one in days) else tuple(days)


def _day_or_range(value: object) -> Iterable[Any]:
    first, dash, last = value.partition("-") if isinstance(value, str) else ("", "", "")
    if dash and {first, last} <= _DIGITS and first < last:
        return range(int(first), int(last) + 1)
    return (value,)


_DIGITS = frozenset("1234567")
Weekday = Annotated[int, Field(ge=1, le=7)]
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), BeforeValidator(_days)]


class Hours(Closed):
    """Which hours of which days; the policy's time zone counts."""

    weekdays: Weekdays = WEEK
    begins: TimeOfDay = Field(alias="from")
    ends: TimeOfDay = Field(alias="to")
    holidays: tuple[date, ...] = Field(default=(), max_length=400)

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if self.begins >= self.ends:
            raise ValueError("from has to be earlier than to")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHours:
    """The hours of one rule, in their zone; what a request carries."""

    weekdays: tuple[int, ...]
    begins: str
    ends: str
    holidays: tuple[date, ...]
    zone: str

    def holds_at(self, moment: datetime) -> bool:
        """Say whether an approval may be given at `moment`."""
        here = moment.astimezone(ZoneInfo(self.zone))
        if here.isoweekday() not in self.weekdays or here.date() in self.holidays:
            return False
        return is_between(time_of_day(moment, self.zone), self.begins, self.ends)

    def between(self, first: datetime, last: datetime) -> "OpenHours":
        """Return the same without holidays that do not matter between two moments."""
        zone = ZoneInfo(self.zone)
        days = first.astimezone(zone).date(), last.astimezone(zone).date() + timedelta(days=1)
        near = tuple(sorted(one for one in self.holidays if days[0] <= one <= days[1]))
        return OpenHours(
            weekdays=self.weekdays,
            begins=self.begins,
            ends=self.ends,
            holidays=near,
            zone=self.zone,
        )

    def json(self) -> dict[str, Json]:
        """Return it as an entry carries it."""
        return {
            "weekdays": list(self.weekdays),
            "from": self.begins,
            "to": self.ends,
            "holidays": [one.isoformat() for one in self.holidays],
            "zone": self.zone,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Json]) -> "OpenHours":
        """Return what `json` wrote."""
        weekdays, holidays = stored["weekdays"], stored["holidays"]
        return cls(
            weekdays=tuple(one for one in _list(weekdays) if isinstance(one, int)),
            begins=str(stored["from"]),
            ends=str(stored["to"]),
            holidays=tuple(date.fromisoformat(str(one)) for one in _list(holidays)),
            zone=str(stored["zone"]),
        )

    def __str__(self) -> str:
        return f"{_days_in_words(self.weekdays)} {self.begins}–{self.ends} ({self.zone})"  # noqa: RUF001  the dash of a range


def hours_of(rule: Hours, zone: str) -> OpenHours:
    """Return the hours of a rule in the policy's zone."""
    return OpenHours(
        weekdays=rule.weekdays,
        begins=rule.begins,
        ends=rule.ends,
        holidays=tuple(sorted(set(rule.holidays))),
        zone=zone,
    )


def opens_at(hours: Sequence[OpenHours], moment: datetime) -> datetime | None:
    """Return the first moment from `moment` on at which all of `hours` are open, if one comes."""
    if not hours:
        return moment
    times = tuple(text for one in hours for text in (one.begins, one.ends))
    zones = dict.fromkeys(one.zone for one in hours)
    found = [
        first_from(moment, zone, times, lambda at: all(one.holds_at(at) for one in hours))
        for zone in zones
    ]
    return min((at for at in found if at is not None), default=None)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _days_in_words(days: tuple[int, ...]) -> str:
    """Return days in a row by the first and the last, else each by its name."""
    if days == WEEK:
        return "every day"
    is_row = len(days) > 2 and days[-1] - days[0] == len(days) - 1  # noqa: PLR2004 - two days are named.
    names = [NAMES[one - 1] for one in days]
    return f"{names[0]}–{names[-1]}" if is_row else ", ".join(names)  # noqa: RUF001  the dash of a range
