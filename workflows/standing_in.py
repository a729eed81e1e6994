"""What delegations mean for a request: whose place a vote decides, and who is left to remind.

A voter decides in their own place where they have one whose turn it is, else in that of
somebody who asked them to stand in. Whoever acts for the requester decides nothing of theirs.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.delegation import deserted_until
from workflows.entry import Ref, RequestId
from workflows.errors import GateError
from workflows.gate import ApprovalRequest, Decision, Vote, admit, standing, tally
from workflows.house import House
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.store import Message, Subject, Unit

ACTS_FOR_REQUESTER = "you stand in for whoever asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Somebody who was asked and is away, and the groups of the request they belong to now."""

    giver: Ref
    member_of: frozenset[str]


def groups_of(house: House, request: ApprovalRequest, who: PersonId) -> frozenset[str]:
    """Return the groups of the request that `who` belongs to now.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    return frozenset(
        name for name in request.groups if who in house.people.members(name, max_age=CLICK_AGE)
    )


def absent_for(house: House, request: ApprovalRequest, person: Person) -> tuple[Absent, ...]:
    """Return those of the asked who want `person` to decide for them, as far as is known now.

    It asks the directory, so it belongs before the transaction; `seated` looks again inside it.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    asked = {one for stage in request.stages for one in stage.people}
    givers = {one.giver for one in house.store.standing_in(person.id, at=house.now())} & asked
    known = ((giver, house.store.person(giver)) for giver in sorted(givers))
    return tuple(
        Absent(giver=giver, member_of=groups_of(house, request, who))
        for giver, who in known
        if who is not None and house.people.person(who).counts
    )


def seated(
    unit: Unit,
    request: ApprovalRequest,
    vote: Vote,
    *,
    absent: Sequence[Absent],
    decisions: Sequence[Decision],
) -> Vote:
    """Return `vote` in the place that it decides, if it decides any; `admit` judges it there."""
    acting = _acting_for_requester(unit, request)
    if acting == vote.approver:
        return replace(vote, why_never=vote.why_never or ACTS_FOR_REQUESTER)
    # Whoever acts for the requester has no voice here that another could take over.
    still = [one for one in absent if one.giver != acting and _stands(unit, one, vote.approver)]
    return _placed(request, vote, still, decisions, now=unit.now)


def _acting_for_requester(unit: Unit, request: ApprovalRequest) -> Ref | None:
    if not request.requester.startswith("s:"):
        return None
    word = unit.delegation_of(Ref(request.requester))
    return word.stand_in if word is not None and word.stands_at(unit.now) else None


def _stands(unit: Unit, absent: Absent, voter: Ref) -> bool:
    word = unit.delegation_of(absent.giver)
    return word is not None and word.stand_in == voter and word.stands_at(unit.now)


def _placed(
    request: ApprovalRequest,
    vote: Vote,
    absent: Sequence[Absent],
    decisions: Sequence[Decision],
    *,
    now: datetime,
) -> Vote:
    places = [vote, *(_in_place_of(vote, one) for one in absent)]
    spoken = next((one for one in standing(decisions) if one.approver == vote.approver), None)
    if spoken is not None:
        # They have spoken already: whatever they say now is about that place.
        gone = replace(vote, stands_for=spoken.stands_for, member_of=frozenset())
        return next((one for one in places if one.place == spoken.place), gone)
    counting = (one for one in places if _would_count(request, one, decisions, now=now))
    asked = (one for one in places if _was_asked(request, one))
    return next(counting, next(asked, vote))


def _in_place_of(vote: Vote, absent: Absent) -> Vote:
    return replace(vote, stands_for=absent.giver, member_of=absent.member_of)


def _would_count(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> bool:
    try:
        admit(request, vote, decisions, now=now)
    except GateError:
        return False
    return True


def _was_asked(request: ApprovalRequest, vote: Vote) -> bool:
    return any(vote.place in stage.people for stage in request.stages)


def acting_for(house: House, requester: Person | None) -> Person | None:
    """Return who stands in for the requester now, and so decides nothing that they ask for.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    word = None if requester is None else house.store.delegation_by(requester.id, at=house.now())
    if word is None or word.stand_in is None:
        return None
    who = house.store.person(word.stand_in)
    return None if who is None else house.people.person(who)


def left_to_decide(request: ApprovalRequest, decisions: Sequence[Decision]) -> frozenset[Ref]:
    """Return whose places in the present stage nobody has decided yet."""
    stage = request.stages[tally(request, decisions).stage]
    return stage.people - {one.place for one in standing(decisions)}


def away_message(request: RequestId) -> Message:
    """Return the message that tells a requester that nobody is there who could decide."""
    return Message(subject=Subject.AWAY, key=request)


def tell_if_deserted(unit: Unit, request: RequestId, people: Collection[Ref]) -> None:
    """Have the requester told if all of `people` are away, and nobody stands in for any."""
    if deserted_until(people, unit.away(people)) is not None:
        unit.send(away_message(request))


def whom_to_remind(unit: Unit, people: Collection[Ref]) -> Iterator[Ref]:
    """Yield those of `people` who are there, and whoever stands in for those who are away."""
    away = unit.away(people)
    for one in sorted(people):
        word = away.get(one)
        if word is None:
            yield one
        elif word.stand_in is not None:
            yield word.stand_in
