"""Whether a vote may be recorded, and in which stage of its request it counts.

Pure rules over values, as `gate`: who somebody is and to which groups they belong comes with
the vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.entry import Ref
from workflows.errors import NotEligibleError, OutsideHoursError, RequestClosedError
from workflows.gate import ApprovalRequest, Decision, Outcome, Tally, Verdict, standing, tally
from workflows.policy_hours import opens_at
from workflows.quorum import Wanted, can_agree, place_for
from workflows.separation import Duty
from workflows.wall_time import in_words

EXCLUDED, NOT_THEIR_TURN = "excluded", "turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A verdict that somebody would like to have recorded.

    `member_of` are the groups of the request that whoever's place it is belongs to now, read
    within the last minute; `why_never` says why this sort of person never counts, if so.
    `duty` keeps the person from deciding by what they are now, whatever they were when it was
    asked. `stands_for` is whose place it would take, if not the voter's own.
    """

    approver: Ref
    verdict: Verdict
    member_of: frozenset[str]
    why_never: str = ""
    duty: Duty | None = None
    stands_for: Ref | None = None

    @property
    def place(self) -> Ref:
        """Return whose place it would decide."""
        return self.stands_for or self.approver


def repeats(vote: Vote, decisions: Sequence[Decision]) -> bool:
    """Say whether the same person already gave the same verdict."""
    return any(
        one.approver == vote.approver and one.verdict is vote.verdict for one in standing(decisions)
    )


def admit(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> int:
    """Return the stage in which `vote` counts.

    Whoever takes an approval back need not be among those asked any more, nor free of another
    part in it: that they gave it, or that it was given for them, is enough.

    Raises:
        RequestClosedError: the request is settled or its time is over.
        NotEligibleError: this person was not asked, no longer belongs to those who were, has
            another part in it, or already decided.
        OutsideHoursError: an approval cannot be given at this hour.
    """
    admit_time(request, vote, decisions, now=now)
    _admit_account(request, vote)
    back = taken_back(vote, decisions)
    if back is not None:
        return back.stage
    _admit_person(request, vote)
    stage = _stage_for(request, vote, decisions)
    _admit_hour(request, vote, now=now)
    return stage


def taken_back(vote: Vote, decisions: Sequence[Decision]) -> Decision | None:
    """Return the approval that a denial takes back: the voter's own, else one given for them."""
    if vote.verdict is not Verdict.DENY:
        return None
    approvals = [one for one in standing(decisions) if one.verdict is Verdict.APPROVE]
    own = (one for one in approvals if one.approver == vote.approver)
    return next(own, next((one for one in approvals if one.place == vote.approver), None))


def admit_time(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> None:
    """Return if anything can still be said about the request.

    Raises:
        RequestClosedError: as `admit`.
    """
    if request.outcome is Outcome.APPROVED and _turns(request, vote, decisions):
        return
    if request.outcome is not Outcome.OPEN:
        raise RequestClosedError(
            f"This request is already {request.outcome.words}.",
            hint="Nothing was changed by your click.",
        )
    if now >= request.expires_at:
        raise RequestClosedError(
            "This request has expired.", hint="Ask the requester to send it again."
        )


def _turns(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> bool:
    """Say whether somebody takes back an approval that nothing has used yet."""
    if vote.verdict is not Verdict.DENY or request.is_consumed:
        return False
    approved = any(one.place == vote.place and one.verdict is Verdict.APPROVE for one in decisions)
    return approved or taken_back(vote, decisions) is not None


def _admit_account(request: ApprovalRequest, vote: Vote) -> None:
    if vote.why_never:
        raise NotEligibleError(
            f"Your decision cannot count: {vote.why_never}.", why="account", hint=asked(request)
        )


def _admit_person(request: ApprovalRequest, vote: Vote) -> None:
    duty = _duty_of(request, vote)
    if duty is not None:
        raise NotEligibleError(duty.refusal, why=duty.value, hint=asked(request))
    if vote.approver in request.excluded:
        raise NotEligibleError(
            "You are excluded from deciding this one.", why=EXCLUDED, hint=asked(request)
        )
    if vote.place in request.excluded | {request.requester}:
        raise NotEligibleError(
            "Whoever you stand in for may not decide this one.", why=EXCLUDED, hint=asked(request)
        )


def _duty_of(request: ApprovalRequest, vote: Vote) -> Duty | None:
    if vote.approver == request.requester:
        return Duty.REQUESTER
    return request.terms.duties.get(vote.approver, vote.duty)


def _stage_for(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> int:
    mine = [
        index
        for index, stage in enumerate(request.stages)
        if stage.admits(vote.place, vote.member_of)
    ]
    earlier = next((one for one in standing(decisions) if _is_same_voice(one, vote)), None)
    if not mine and (earlier is None or earlier.approver != vote.approver):
        raise NotEligibleError(_why_not_asked(request, vote), hint=asked(request))
    if earlier is not None and not _turns_it(earlier, vote):
        raise NotEligibleError(_why_it_counts(earlier, vote), why="repeated", hint=asked(request))
    if vote.verdict is Verdict.DENY:
        return earlier.stage if earlier is not None else _gravest(request, mine, decisions)
    return _stage_to_approve(request, vote, mine, decisions)


def _is_same_voice(given: Decision, vote: Vote) -> bool:
    """Say whether a decision was given by this voter, or in the place that they would decide."""
    return given.approver == vote.approver or given.place == vote.place


def _turns_it(given: Decision, vote: Vote) -> bool:
    return given.verdict is Verdict.APPROVE and vote.verdict is Verdict.DENY


def _why_it_counts(given: Decision, vote: Vote) -> str:
    if given.approver == vote.approver:
        return f"You already said {given.verdict} here, and one person counts once."
    who = "Somebody who stood in for you" if vote.stands_for is None else "Another"
    return f"{who} already said {given.verdict} in this place, and one place counts once."


def _gravest(request: ApprovalRequest, mine: Sequence[int], decisions: Sequence[Decision]) -> int:
    """Return the stage of `mine` that lacks the fewest rejections until it is refused."""
    said = [one.stage for one in standing(decisions) if one.verdict is Verdict.DENY]
    return min(mine, key=lambda index: request.stages[index].deny - said.count(index))


def _stage_to_approve(
    request: ApprovalRequest, vote: Vote, mine: Sequence[int], decisions: Sequence[Decision]
) -> int:
    """Return the stage of the present turn in which an approval leaves enough people for all."""
    now = tally(request, decisions)
    here = [index for index in now.waiting if index in mine]
    if not here:
        raise _not_their_turn(request, vote, mine, now)
    wanted = [
        (number, people if index in mine else people - {vote.place})
        for index, (number, people) in enumerate(wanted_of(request, decisions))
    ]
    # Whoever stands in uses up their own voice as well.
    others = [(number, people - {vote.approver}) for number, people in wanted]
    place = place_for(vote.place, here, wanted if vote.stands_for is None else others)
    if place is None and can_agree(wanted):
        own = () if vote.stands_for is None else request.stages
        needed = (one for one in own if vote.approver in one.everybody)
        later = (request.stages[index] for index in mine if index not in here)
        names = dict.fromkeys(name for one in (*later, *needed) for name in one.all_groups)
        raise NotEligibleError(
            f"You are needed for {' or '.join(names)} later, and one person counts once.",
            why=NOT_THEIR_TURN,
            hint="Somebody else has to agree at this stage.",
        )
    return here[0] if place is None else place


def _not_their_turn(
    request: ApprovalRequest, vote: Vote, mine: Sequence[int], now: Tally
) -> NotEligibleError:
    """Return why an approval cannot count in any stage of `mine` just now."""
    hint = f"It waits for {_joined(request, now.waiting, ' or ')}."
    lacking = {one for one in mine if now.given[one] < request.stages[one].approve}
    turns = request.turns
    number = next((at for at, turn in enumerate(turns) if lacking.intersection(turn)), None)
    if number is None:
        said = "Enough of those asked with you have agreed already."
        return NotEligibleError(said, why=NOT_THEIR_TURN, hint=hint)
    before = [
        index
        for turn in turns[:number]
        for index in turn
        if now.given[index] < request.stages[index].approve
    ]
    begins = f"begins once enough of {_joined(request, before, ' and of ')} have agreed"
    said = f"It is not your stage's turn yet: stage {number + 1} {begins}."
    if vote.stands_for is not None:
        said = f"Whoever you stand in for is asked in stage {number + 1}, which {begins}."
    hint = f"{hint} You can reject it now already."
    return NotEligibleError(said, why=NOT_THEIR_TURN, hint=hint)


def has_turn_to_come(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> bool:
    """Say whether a vote comes too early, in a place that nobody has decided yet."""
    if any(_is_same_voice(one, vote) for one in standing(decisions)):
        return False
    now = tally(request, decisions)
    return any(
        stage.admits(vote.place, vote.member_of)
        for index, stage in enumerate(request.stages)
        if index not in now.waiting and now.given[index] < stage.approve
    )


def _joined(request: ApprovalRequest, stages: Sequence[int], by: str) -> str:
    names = (name for index in stages for name in request.stages[index].all_groups)
    return by.join(dict.fromkeys(names))


def wanted_of(request: ApprovalRequest, decisions: Sequence[Decision]) -> list[Wanted[Ref]]:
    """Return how many approvals each stage lacks, and who could still give them."""
    given = tally(request, decisions).given
    spoken = {one for given in decisions for one in (given.approver, given.place)}
    gone = spoken | request.excluded | {request.requester}
    return [
        (max(0, stage.approve - given[index]), stage.everybody - gone)
        for index, stage in enumerate(request.stages)
    ]


def _admit_hour(request: ApprovalRequest, vote: Vote, *, now: datetime) -> None:
    hours = request.terms.hours
    if vote.verdict is Verdict.DENY or all(one.holds_at(now) for one in hours):
        return
    opens = opens_at(hours, now)
    again = "Ask again within these hours."
    if opens is not None and opens < request.expires_at:
        again = f"Decide again from {in_words(opens, hours[0].zone)}."
    raise OutsideHoursError(
        f"This can be approved only {' and '.join(str(one) for one in hours)}.",
        hint=f"{again} You can reject it at any time.",
    )


def _why_not_asked(request: ApprovalRequest, vote: Vote) -> str:
    was_asked = any(vote.place in stage.everybody for stage in request.stages)
    if was_asked and vote.stands_for is not None:
        return "You no longer stand in for somebody who belongs to the people who were asked."
    if was_asked:
        return "You no longer belong to the people who were asked."
    if vote.member_of:
        return "You joined after this was asked, and joining later gives no vote on what is open."
    return "You are not among the people who were asked."


def asked(request: ApprovalRequest) -> str:
    """Say who may decide, for a person who may not."""
    return f"It waits for {' or '.join(request.groups)}."
