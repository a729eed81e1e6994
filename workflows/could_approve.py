"""Who could approve a step if it were asked about now, or why nobody would be asked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from workflows.asked_people import (
    acting_for_barred,
    barred_by_rules,
    check_hours,
    people_of,
    with_stand_ins,
)
from workflows.demand import Demand, DemandStage
from workflows.errors import NoApproverError, PeopleUnreadableError
from workflows.people import CLICK_AGE, People, Person, PersonId
from workflows.separation import Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """That somebody is away until a moment, and who decides in their place, if anybody may."""

    until: datetime
    stand_in: PersonId | None


Away: TypeAlias = Mapping[PersonId, Absence]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePeople:
    """One stage and who could decide it; `people` is None where that cannot be read.

    `away` are those of them who said that they are, each with who stands in, if that one may;
    None where nobody looked.
    """

    stage: DemandStage
    people: tuple[Person, ...] | None
    left_out: Mapping[Person, Duty]
    why_not: str = ""
    away: Mapping[Person, tuple[datetime, Person | None]] | None = None

    @property
    def is_enough(self) -> bool:
        """Whether as many could agree as have to, as far as that is known."""
        return self.people is None or len(self.people) >= self.stage.approve


@dataclass(frozen=True, slots=True, kw_only=True)
class CouldApprove:
    """The stages with their people; `stops` says why the step would stop instead of asking."""

    stages: tuple[StagePeople, ...]
    stops: str = ""


def could_approve(
    people: People,
    demand: Demand,
    bound: Mapping[PersonId, Duty],
    *,
    at: datetime,
    away: Away | None = None,
) -> CouldApprove:
    """Return who could decide each stage; `bound` may not, whatever they belong to."""
    stand_ins = {giver: one.stand_in for giver, one in (away or {}).items()}
    bound = {**_acting(people, demand, stand_ins), **bound}
    bound = with_stand_ins(bound, bound.keys(), stand_ins.get)
    return CouldApprove(
        stages=tuple(_stage(people, one, demand, bound, away=away) for one in demand.stages),
        stops=_stops(people, demand, bound, at),
    )


def _acting(
    people: People, demand: Demand, stand_ins: Mapping[PersonId, PersonId | None]
) -> Mapping[PersonId, Duty]:
    try:
        return acting_for_barred(people, demand, stand_ins.get)
    except PeopleUnreadableError:
        return {}  # Its stage says so.


def _stops(people: People, demand: Demand, bound: Mapping[PersonId, Duty], at: datetime) -> str:
    """Return what would keep the bot from asking at `at`, as far as it can be read."""
    try:
        check_hours(demand, at)
        people_of(people, demand, bound)
    except NoApproverError as error:
        return error.message
    except PeopleUnreadableError:
        return ""  # Its stage says so.
    return ""


def _stage(
    people: People,
    stage: DemandStage,
    demand: Demand,
    bound: Mapping[PersonId, Duty],
    *,
    away: Away | None,
) -> StagePeople:
    try:
        everybody = frozenset().union(
            *(people.members(name, max_age=CLICK_AGE) for name in stage.asked)
        )
        barred = {**barred_by_rules(people, demand.exclude), **bound}
        may = sorted(everybody - barred.keys())
        return StagePeople(
            stage=stage,
            people=tuple(people.person(who) for who in may),
            left_out={people.person(who): barred[who] for who in sorted(everybody & barred.keys())},
            away=None
            if away is None
            else {
                people.person(who): _absence(people, away[who], barred)
                for who in may
                if who in away
            },
        )
    except PeopleUnreadableError as error:
        return StagePeople(stage=stage, people=None, left_out={}, why_not=str(error))


def _absence(
    people: People, said: Absence, barred: Collection[PersonId]
) -> tuple[datetime, Person | None]:
    """Return until when somebody is away, and who stands in, as far as that one may decide."""
    who = said.stand_in
    counts = who is not None and who not in barred
    return said.until, people.person(who) if who is not None and counts else None
