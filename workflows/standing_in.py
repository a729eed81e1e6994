"""What delegations mean for a request: whose place a vote decides, and who is left to remind.

A voter decides in their own place where they have one whose turn it is, else in that of
somebody who asked them to stand in. Who acts for somebody that may not decide is found by
`House.acting_for`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.admission import Vote, admit
from workflows.delegation import Delegation, deserted_until
from workflows.entry import Ref, RequestId
from workflows.errors import GateError
from workflows.gate import ApprovalRequest, Decision, standing, tally
from workflows.house import House
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.store import Message, Subject, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Somebody who was asked and is away, and the groups of the request they belong to now."""

    giver: Ref
    member_of: frozenset[str]


def groups_of(house: House, names: Sequence[str], who: PersonId) -> frozenset[str]:
    """Return those of `names` that `who` belongs to now.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    return frozenset(name for name in names if who in house.people.members(name, max_age=CLICK_AGE))


def absent_for(
    house: House, request: ApprovalRequest, person: Person, *, acting: frozenset[Ref]
) -> tuple[Absent, ...]:
    """Return those of the asked who want `person` to decide for them, as far as is known now.

    It asks the directory, so it belongs before the transaction; `seated` looks again inside it.
    Whoever is left out, or is `acting` for such a one, has no voice that another could take.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    asked = {one for stage in request.stages for one in stage.everybody}
    givers = {one.giver for one in house.store.standing_in(person.id, at=house.now())} & asked
    known = ((giver, house.store.person(giver)) for giver in sorted(givers - acting))
    return tuple(
        Absent(giver=giver, member_of=groups_of(house, request.groups, who))
        for giver, who in known
        if who is not None
        and house.people.person(who).counts
        and not groups_of(house, request.terms.exclude, who)
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
    still = [one for one in absent if _stands(unit, one, vote.approver)]
    places = [vote, *(_in_place_of(vote, one) for one in still)]
    spoken = next((one for one in standing(decisions) if one.approver == vote.approver), None)
    if spoken is not None:
        # They have spoken already: whatever they say now is about that place.
        gone = replace(vote, stands_for=spoken.stands_for, member_of=frozenset())
        return next((one for one in places if one.place == spoken.place), gone)
    counting = (one for one in places if _would_count(request, one, decisions, now=unit.now))
    asked = (one for one in places if _was_asked(request, one))
    return next(counting, next(asked, vote))


def _stands(unit: Unit, absent: Absent, voter: Ref) -> bool:
    word = unit.delegation_of(absent.giver)
    return word is not None and word.stand_in == voter and word.stands_at(unit.now)


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
    return any(vote.place in stage.everybody for stage in request.stages)


def left_to_decide(request: ApprovalRequest, decisions: Sequence[Decision]) -> list[frozenset[Ref]]:
    """Return, for each stage that is being decided, whose places nobody has decided yet."""
    decided = {one.place for one in standing(decisions)}
    waiting = tally(request, decisions).waiting
    return [request.stages[index].everybody - decided for index in waiting]


def back_at(stages: Iterable[Collection[Ref]], away: Mapping[Ref, Delegation]) -> datetime | None:
    """Return when the first is back of a stage of which all are away; of several the latest."""
    found = (deserted_until(people, away) for people in stages)
    return max((one for one in found if one is not None), default=None)


def away_message(card: RequestId) -> Message:
    """Return the message that tells a requester that nobody is there who could decide."""
    return Message(subject=Subject.AWAY, key=card)


def tell_if_deserted(unit: Unit, card: RequestId, stages: Sequence[Collection[Ref]]) -> None:
    """Have the requester told if all people of a stage are away, and nobody stands in for any."""
    away = unit.away({one for people in stages for one in people})
    if back_at(stages, away) is not None:
        unit.send(away_message(card))


def whom_to_remind(
    unit: Unit, request: ApprovalRequest, decisions: Sequence[Decision]
) -> list[Ref]:
    """Return who is still to decide and is there, and whoever stands in for those who are away."""
    left = frozenset[Ref]().union(*left_to_decide(request, decisions))
    away = unit.away(left)
    stand_ins = {one.stand_in for one in away.values() if one.stand_in is not None}
    said = {one.approver for one in standing(decisions)}
    return sorted((left - away.keys() | stand_ins) - said - request.excluded)
