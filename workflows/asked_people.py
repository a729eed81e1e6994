"""Who is asked in each stage of a demand, who is left out, and whether those left can agree.

Everything is read before the transaction that raises the request.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from workflows.demand import Demand, DemandStage
from workflows.entry import Ref
from workflows.errors import NoApproverError
from workflows.gate import MOST_PEOPLE
from workflows.house import House
from workflows.lineage import answers_in, outwards, questions_behind, shapers
from workflows.people import CLICK_AGE, People, Person, PersonId
from workflows.policy_hours import opens_at
from workflows.quorum import can_agree
from workflows.segment import Segment
from workflows.separation import Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPeople:
    """For each stage those who may decide it, and those who are left out, with the reason.

    Of people whom a rule leaves out only those are named who would have been asked.
    """

    stages: tuple[tuple[Person, ...], ...]
    left_out: Mapping[Person, Duty]

    @property
    def everybody(self) -> Sequence[Person]:
        """Return all of them, those in several places more than once."""
        return (*self.left_out, *(one for stage in self.stages for one in stage))


def asked_people(
    segment: Segment,
    step: str,
    demand: Demand,
    requester: Person | None,
    *,
    authors: Collection[Ref] = (),
) -> AskedPeople:
    """Return who is asked about a step. Whoever wrote a change of the catalog is bound as editors.

    Raises:
        NoApproverError: some stage has too few people who could decide.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    house = segment.house
    stand_in_of = partial(_stand_in_of, house)
    acting = acting_for_barred(house.people, demand, stand_in_of)
    bound = {**acting, **bound_by_duty(segment, step, requester, authors)}
    delegates = [who for who, duty in bound.items() if duty is Duty.DELEGATE]
    return people_of(house.people, demand, with_stand_ins(bound, delegates, stand_in_of))


def people_of(people: People, demand: Demand, bound: Mapping[PersonId, Duty]) -> AskedPeople:
    """Return who is asked by `demand`; `bound` may not decide, whatever they belong to.

    Raises:
        NoApproverError: some stage has too few people who could decide.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    barred = {**barred_by_rules(people, demand.exclude), **bound}
    groups = [_members(people, stage.asked) for stage in demand.stages]
    named = bound.keys() | (frozenset().union(*groups) & barred.keys())
    found = AskedPeople(
        stages=tuple(
            tuple(people.person(who) for who in sorted(group - barred.keys())) for group in groups
        ),
        left_out={people.person(who): barred[who] for who in sorted(named)},
    )
    _check(demand.stages, found, groups, barred)
    for one in demand.escalations:
        if not 0 < len(_members(people, one.to)) <= MOST_PEOPLE:
            raise NoApproverError(
                f"{' and '.join(one.to)}, who are asked later on, have nobody or more than "
                f"{MOST_PEOPLE} people.",
                hint="Change the group, or the policy.",
            )
    return found


def check_hours(demand: Demand, raised: datetime) -> None:
    """Raise NoApproverError if a request of that moment would end before anybody may approve."""
    opens = opens_at(demand.hours, raised)
    if opens is None or opens >= raised + demand.expires:
        raise NoApproverError(
            f"It may be approved only {' and '.join(str(one) for one in demand.hours)}, "
            "and the request would end before that.",
            hint="Retry the step later, or have requests stay open for longer.",
        )


def bound_by_duty(
    segment: Segment, step: str, requester: Person | None, authors: Collection[Ref]
) -> dict[PersonId, Duty]:
    """Return who may not decide, whatever the policy says.

    That is the requester, whoever published what runs or said otherwise what it is asked to do,
    in this run or in one that started it, the authors of what would be published, and everybody
    who acts for them.
    """
    house, own = segment.house, segment.state.requester
    runs = outwards(house.store, segment.state)
    asked = [Ref(own.ref)] if own is not None and own.is_person else []
    answered = _who_answered(segment, step)

    def duties(publishers: Mapping[str, Ref]) -> dict[Ref, Duty]:
        return {
            **dict.fromkeys(answered, Duty.ANSWERER),
            **dict.fromkeys(authors, Duty.EDITOR),
            **shapers(runs, publishers),
            **dict.fromkeys(asked, Duty.REQUESTER),
        }

    versions = {one.version for one, _ in runs}
    now = house.store.shaping_now(versions, at=house.now(), people=duties({}).keys())
    refs = {**dict.fromkeys(now.acting, Duty.DELEGATE), **duties(now.publishers)}
    found = {now.people[ref]: duty for ref, duty in refs.items() if ref in now.people}
    return found if requester is None else {**found, requester.id: Duty.REQUESTER}


def _who_answered(segment: Segment, step: str) -> list[Ref]:
    """Return who answered the questions of this run that a step rests on."""
    questions = questions_behind(segment.definition, segment.scopes, step)
    if not questions:
        return []
    _, entries = segment.house.store.history(segment.state.id)
    return [ref for question, ref in answers_in(entries) if question in questions]


def barred_by_rules(people: People, exclude: Sequence[str]) -> dict[PersonId, Duty]:
    """Return everybody in the groups that rules leave out."""
    return dict.fromkeys(_members(people, exclude), Duty.RULE)


def acting_for_barred(
    people: People, demand: Demand, stand_in_of: Callable[[PersonId], PersonId | None]
) -> dict[PersonId, Duty]:
    """Return who acts for somebody who would be asked if no rule left them out.

    Raises:
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    barred = barred_by_rules(people, demand.exclude)
    groups = (_members(people, stage.asked) for stage in demand.stages) if barred else ()
    named = frozenset[PersonId]().union(*groups) & barred.keys()
    found = (stand_in_of(who) for who in sorted(named))
    return dict.fromkeys((one for one in found if one is not None), Duty.DELEGATE)


def with_stand_ins(
    bound: Mapping[PersonId, Duty],
    away: Collection[PersonId],
    stand_in_of: Callable[[PersonId], PersonId | None],
) -> dict[PersonId, Duty]:
    """Return `bound` with whoever acts for one of `away`, who are of them, and so on from each."""
    found, waiting = dict(bound), list(away)
    while waiting:
        stand_in = stand_in_of(waiting.pop())
        if stand_in is not None and stand_in not in found:
            found[stand_in] = Duty.DELEGATE
            waiting.append(stand_in)
    return found


def _stand_in_of(house: House, who: PersonId) -> PersonId | None:
    word = house.store.delegation_by(who, at=house.now())
    stand_in = None if word is None else word.stand_in
    return None if stand_in is None else house.store.person(stand_in)


def _members(people: People, names: Sequence[str]) -> frozenset[PersonId]:
    return frozenset().union(*(people.members(name, max_age=CLICK_AGE) for name in names))


def _check(
    stages: Sequence[DemandStage],
    found: AskedPeople,
    groups: Sequence[frozenset[PersonId]],
    barred: Mapping[PersonId, Duty],
) -> None:
    for stage, people, group in zip(stages, found.stages, groups, strict=True):
        if len(people) < stage.approve:
            duties = dict.fromkeys(barred[who] for who in sorted(group & barred.keys()))
            raise NoApproverError(
                f"{_named(stage)} has {_counted(len(people))} who may decide this, "
                f"and {stage.approve} must agree{_without(list(duties))}.",
                hint="Add people to the group, then retry the step.",
            )
    _check_together(stages, found)
    if sum(map(len, found.stages)) > MOST_PEOPLE or len(found.left_out) > MOST_PEOPLE:
        raise NoApproverError(
            f"More than {MOST_PEOPLE} people would be asked, or left out.",
            hint="Name smaller groups.",
        )


def _counted(people: int) -> str:
    return "1 person" if people == 1 else f"{people} people"


def _check_together(stages: Sequence[DemandStage], found: AskedPeople) -> None:
    """Refuse stages that share people of whom there are too few for all."""
    wanted = [
        (stage.approve, frozenset(one.id for one in people))
        for stage, people in zip(stages, found.stages, strict=True)
    ]
    for index, stage in enumerate(stages):
        if not can_agree(wanted[: index + 1]):
            raise NoApproverError(
                f"One person counts once, and {_named(stage)} has too few people of its own "
                "beside those who are needed in other stages.",
                hint="Add people to the group, then retry the step.",
            )


def _named(stage: DemandStage) -> str:
    return " or ".join(stage.asked)


def _without(duties: Sequence[Duty]) -> str:
    return f", without {' and '.join(one.who for one in duties)}" if duties else ""
