"""Who may decide a request, and what the decisions given so far amount to.

Pure rules over values: the engine reads the request, the decisions and who is in which
group now, asks here, and records the answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.entry import Ref, RequestId, RunId
from workflows.errors import NotEligibleError, OutsideHoursError, RequestClosedError
from workflows.policy_hours import opens_at
from workflows.quorum import Wanted, can_agree, place_for
from workflows.separation import Duty
from workflows.terms import Terms
from workflows.turns import turns_in
from workflows.wall_time import in_words

MOST_PEOPLE = 100  # Over all stages; an entry holds 16 KiB.


class Verdict(StrEnum):
    """One approver's answer."""

    APPROVE = "approve"
    DENY = "deny"


class Outcome(StrEnum):
    """What a request amounts to."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """People whom an escalation added to a stage, and the groups they belonged to then."""

    groups: tuple[str, ...]
    people: frozenset[Ref]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One group of people of whom `approve` must agree, and `deny` suffice to refuse.

    Stages that are decided side by side share a `turn`.
    """

    groups: tuple[str, ...]
    approve: int
    deny: int
    people: frozenset[Ref]
    turn: int | None = None
    added: tuple[Added, ...] = ()

    @property
    def everybody(self) -> frozenset[Ref]:
        """Return all who were asked, in the beginning or by escalation."""
        return self.people.union(*(one.people for one in self.added))

    @property
    def all_groups(self) -> tuple[str, ...]:
        """Return every group that was asked, each once."""
        more = (name for one in self.added for name in one.groups)
        return tuple(dict.fromkeys((*self.groups, *more)))

    def admits(self, person: Ref, member_of: Collection[str]) -> bool:
        """Say whether somebody was asked here, and still belongs to those who were."""
        asked = ((self.people, self.groups), *((one.people, one.groups) for one in self.added))
        return any(
            person in people and any(name in member_of for name in groups)
            for people, groups in asked
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A gate put to named people for one step of one run."""

    id: RequestId
    run: RunId
    step: str
    binding: str
    policy: str
    stages: tuple[Stage, ...]
    excluded: frozenset[Ref]
    requester: str
    needs_reason: bool
    raised_at: datetime
    expires_at: datetime
    outcome: Outcome = Outcome.OPEN
    settled_at: datetime | None = None
    is_consumed: bool = False
    terms: Terms = field(default_factory=Terms)

    @property
    def groups(self) -> tuple[str, ...]:
        """Return every group or person asked, in order, each once."""
        return tuple(dict.fromkeys(name for stage in self.stages for name in stage.all_groups))

    @property
    def turns(self) -> list[tuple[int, ...]]:
        """Return which stages are decided together, in order."""
        return turns_in([stage.turn for stage in self.stages])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One approver's recorded verdict."""

    approver: Ref
    stage: int
    verdict: Verdict
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the decisions amount to; `stage` is the first that is being decided.

    `waiting` are the stages of the present turn that lack approvals, and `given` says how many
    approvals each stage has.
    """

    outcome: Outcome
    stage: int
    have: int
    need: int
    waiting: tuple[int, ...] = ()
    given: tuple[int, ...] = ()


def standing(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that count: each person's latest, a denial over an approval."""
    latest: dict[Ref, Decision] = {}
    for one in decisions:
        if one.approver not in latest or one.verdict is Verdict.DENY:
            latest[one.approver] = one
    return list(latest.values())


def tally(request: ApprovalRequest, decisions: Sequence[Decision]) -> Tally:
    """Return what `decisions` amount to: enough denials close, every quorum in turn approves.

    Once a quorum was reached, whoever approved may still turn that into a denial until the
    approval is consumed, and that single denial wins.
    """
    counted = standing(decisions)
    given = tuple(
        sum(one.stage == index and one.verdict is Verdict.APPROVE for one in counted)
        for index in range(len(request.stages))
    )
    for index, stage in enumerate(request.stages):
        if _denied(request, index, counted, decisions):
            return Tally(
                outcome=Outcome.DENIED, stage=index, have=0, need=stage.approve, given=given
            )
    waiting = _waiting(request, given)
    outcome = Outcome.OPEN if waiting else Outcome.APPROVED
    here = waiting[0] if waiting else len(request.stages) - 1
    need = request.stages[here].approve
    return Tally(
        outcome=outcome, stage=here, have=given[here], need=need, waiting=waiting, given=given
    )


def _waiting(request: ApprovalRequest, given: Sequence[int]) -> tuple[int, ...]:
    """Return the stages of the first turn that lacks approvals, those that lack them."""
    lacking = (
        tuple(index for index in turn if given[index] < request.stages[index].approve)
        for turn in request.turns
    )
    return next((turn for turn in lacking if turn), ())


def _denied(
    request: ApprovalRequest, index: int, counted: Sequence[Decision], given: Sequence[Decision]
) -> bool:
    """Say whether the stage was refused: by enough people, or by one who had approved before."""
    denials = [one for one in counted if one.stage == index and one.verdict is Verdict.DENY]
    approved_before = {one.approver for one in given if one.verdict is Verdict.APPROVE}
    turned = any(one.approver in approved_before for one in denials)
    return turned or len(denials) >= request.stages[index].deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A verdict that somebody would like to have recorded.

    `member_of` are the groups of the request this person belongs to now, read within the
    last minute; `why_never` says why this sort of person never counts, if so. `duty` keeps
    the person from deciding by what they are now, whatever they were when it was asked.
    """

    approver: Ref
    verdict: Verdict
    member_of: frozenset[str]
    why_never: str = ""
    duty: Duty | None = None


def repeats(vote: Vote, decisions: Sequence[Decision]) -> bool:
    """Say whether the same person already gave the same verdict."""
    return any(
        one.approver == vote.approver and one.verdict is vote.verdict for one in standing(decisions)
    )


def admit(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> int:
    """Return the stage in which `vote` counts.

    Raises:
        RequestClosedError: the request is settled or its time is over.
        NotEligibleError: this person was not asked, no longer belongs to those who were, has
            another part in it, or already decided.
        OutsideHoursError: an approval cannot be given at this hour.
    """
    _admit_time(request, vote, decisions, now=now)
    _admit_person(request, vote)
    stage = _stage_for(request, vote, decisions)
    _admit_hour(request, vote, now=now)
    return stage


def _admit_time(
    request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision], *, now: datetime
) -> None:
    if request.outcome is Outcome.APPROVED and _turns(request, vote, decisions):
        return
    if request.outcome is not Outcome.OPEN:
        raise RequestClosedError(
            f"This request is already {request.outcome}.",
            hint="Nothing was changed by your click.",
        )
    if now >= request.expires_at:
        raise RequestClosedError(
            "This request has expired.", hint="Ask the requester to send it again."
        )


def _turns(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> bool:
    """Say whether an approver takes back an approval that nothing has used yet."""
    approved = any(
        one.approver == vote.approver and one.verdict is Verdict.APPROVE for one in decisions
    )
    return vote.verdict is Verdict.DENY and approved and not request.is_consumed


def _admit_person(request: ApprovalRequest, vote: Vote) -> None:
    if vote.why_never:
        raise NotEligibleError(
            f"Your decision cannot count: {vote.why_never}.", hint=asked(request)
        )
    duty = _duty_of(request, vote)
    if duty is not None:
        raise NotEligibleError(duty.refusal, hint=asked(request))
    if vote.approver in request.excluded:
        raise NotEligibleError("You are excluded from deciding this one.", hint=asked(request))


def _duty_of(request: ApprovalRequest, vote: Vote) -> Duty | None:
    if vote.approver == request.requester:
        return Duty.REQUESTER
    return request.terms.duties.get(vote.approver, vote.duty)


def _stage_for(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> int:
    mine = [
        index
        for index, stage in enumerate(request.stages)
        if stage.admits(vote.approver, vote.member_of)
    ]
    if not mine:
        raise NotEligibleError(_why_not_asked(request, vote), hint=asked(request))
    earlier = next((one for one in standing(decisions) if one.approver == vote.approver), None)
    if earlier is not None and vote.verdict is Verdict.APPROVE:
        raise NotEligibleError(
            f"You already said {earlier.verdict} here, and one person counts once.",
            hint=asked(request),
        )
    if vote.verdict is Verdict.DENY:
        return earlier.stage if earlier is not None else _gravest(request, mine, decisions)
    return _stage_to_approve(request, vote, mine, decisions)


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
        is_done = all(now.given[one] >= request.stages[one].approve for one in mine)
        said = (
            "Enough of those asked with you have agreed already."
            if is_done
            else "It is not your stage's turn yet."
        )
        raise NotEligibleError(said, hint=asked(request))
    wanted = [
        (number, people if index in mine else people - {vote.approver})
        for index, (number, people) in enumerate(wanted_of(request, decisions))
    ]
    place = place_for(vote.approver, here, wanted)
    if place is None and can_agree(wanted):
        later = (request.stages[index].all_groups for index in mine if index not in here)
        names = dict.fromkeys(name for groups in later for name in groups)
        raise NotEligibleError(
            f"You are needed for {' or '.join(names)} later, and one person counts once.",
            hint="Somebody else has to agree at this stage.",
        )
    return here[0] if place is None else place


def wanted_of(request: ApprovalRequest, decisions: Sequence[Decision]) -> list[Wanted[Ref]]:
    """Return how many approvals each stage lacks, and who could still give them."""
    given = tally(request, decisions).given
    gone = {one.approver for one in decisions} | request.excluded | {request.requester}
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
    was_asked = any(vote.approver in stage.everybody for stage in request.stages)
    if was_asked:
        return "You no longer belong to the people who were asked."
    if vote.member_of:
        return "You joined after this was asked, and joining later gives no vote on what is open."
    return "You are not among the people who were asked."


def asked(request: ApprovalRequest) -> str:
    """Say who may decide, for a person who may not."""
    return f"It waits for {' or '.join(request.groups)}."
