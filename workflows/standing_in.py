"""What delegations mean for a request: whose place a vote decides, and who is left to remind.

A voter decides in their own place where they have one whose turn it is, else in that of
somebody who asked them to stand in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.admission import Vote, admit, admit_time, has_turn_to_come, taken_back
from workflows.delegation import Delegation, deserted_until
from workflows.entry import Ref, RequestId
from workflows.errors import GateError, OutsideHoursError, StepUpError
from workflows.gate import ApprovalRequest, Decision, Verdict, standing, tally
from workflows.house import House
from workflows.people import CLICK_AGE, PersonId
from workflows.people_store import AskedNow
from workflows.store import Message, Subject, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Somebody who was asked and is away, and the groups of the request they belong to now.

    `entry` is what they said, and `is_coded` whether a code of theirs went with it.
    """

    giver: Ref
    member_of: frozenset[str]
    entry: str
    is_coded: bool


def groups_of(house: House, names: Sequence[str], who: PersonId) -> frozenset[str]:
    """Return those of `names` that `who` belongs to now.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    return frozenset(name for name in names if who in house.people.members(name, max_age=CLICK_AGE))


def absent_for(house: House, asked: AskedNow) -> tuple[Absent, ...]:
    """Return those of the asked who want another to decide for them, by the words that say so.

    It asks the directory, so it belongs before the transaction; `seated` looks again inside it.
    Whoever is left out, or acts for such a one, has no voice that another could take.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    request = asked.request
    places = {one for stage in request.stages for one in stage.everybody} - asked.acting
    known = [(one, asked.people.get(one.giver)) for one in asked.words if one.giver in places]
    return tuple(
        Absent(
            giver=word.giver,
            member_of=groups_of(house, request.groups, who),
            entry=word.entry,
            is_coded=request.terms.step_up is not None and _is_coded(house, word),
        )
        for word, who in known
        if who is not None
        and house.people.person(who).counts
        and not groups_of(house, request.terms.exclude, who)
    )


def _is_coded(house: House, word: Delegation) -> bool:
    entry = house.store.entry(word.entry)
    return entry is not None and entry.data.get("step_up") is True


def seated(
    unit: Unit,
    request: ApprovalRequest,
    vote: Vote,
    *,
    absent: Sequence[Absent],
    decisions: Sequence[Decision],
) -> Vote:
    """Return `vote` in the place that it decides, else in that of which there is most to say.

    That is one whose turn comes later, else one of somebody who still belongs to those who were
    asked; `admit` judges it there.

    An approval is taken back in the place where it was given, whoever stands in for whom by now.

    Raises:
        RequestClosedError: as `admit`, before anybody hears of a code.
        StepUpError: the approval wants a code, and nobody gave one when they lent their voice.
    """
    back = taken_back(vote, decisions)
    if back is not None:
        is_own = back.approver == vote.approver
        return replace(vote, stands_for=back.stands_for if is_own else None)
    still = [one for one in absent if _stands(unit, one, vote.approver)]
    is_coded = request.terms.step_up is not None and vote.verdict is Verdict.APPROVE
    lent = [one for one in still if one.is_coded or not is_coded]
    places = [vote, *(_in_place_of(vote, one) for one in lent)]
    spoken = next((one for one in standing(decisions) if one.approver == vote.approver), None)
    if spoken is not None:
        # They have spoken already: whatever they say now is about that place.
        gone = replace(vote, stands_for=spoken.stands_for, member_of=frozenset())
        return next((one for one in places if one.place == spoken.place), gone)
    counting = (one for one in places if _would_count(request, one, decisions, now=unit.now))
    found = next(counting, _nearest(request, places, decisions))
    if found is None and lent != still:
        admit_time(request, vote, decisions, now=unit.now)
        raise StepUpError(
            "This needs a code, and whoever you stand in for typed none when they let you.",
            hint="Have them say so once more; they are asked for a code if they have some.",
        )
    return found or vote


def _stands(unit: Unit, absent: Absent, voter: Ref) -> bool:
    word = unit.delegation_of(absent.giver)
    is_theirs = word is not None and (word.entry, word.stand_in) == (absent.entry, voter)
    return is_theirs and word is not None and word.stands_at(unit.now)


def _in_place_of(vote: Vote, absent: Absent) -> Vote:
    return replace(vote, stands_for=absent.giver, member_of=absent.member_of)


def _would_count(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> bool:
    """Say whether a vote counts in its place, now or at another hour."""
    try:
        admit(request, vote, decisions, now=now)
    except OutsideHoursError:
        return True
    except GateError:
        return False
    return True


def _nearest(
    request: ApprovalRequest, places: Sequence[Vote], decisions: Sequence[Decision]
) -> Vote | None:
    """Return which of the places that cannot be decided now comes nearest to it, if one was asked.

    Of several that are equally near it is the first, which is the voter's own.
    """
    asked = [one for one in places if _was_asked(request, one)]
    coming = (one for one in asked if has_turn_to_come(request, one, decisions))
    belonging = (one for one in asked if _still_belongs(request, one))
    return next(coming, next(belonging, next(iter(asked), None)))


def _was_asked(request: ApprovalRequest, vote: Vote) -> bool:
    return any(vote.place in stage.everybody for stage in request.stages)


def _still_belongs(request: ApprovalRequest, vote: Vote) -> bool:
    return any(stage.admits(vote.place, vote.member_of) for stage in request.stages)


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
