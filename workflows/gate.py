"""Who may decide a request, and what the decisions given so far amount to.

Pure rules over values: the engine reads the request, the decisions and who is in which
group now, asks here, and records the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.entry import Ref, RequestId, RunId
from workflows.errors import NotEligibleError, RequestClosedError

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
class Stage:
    """One group of people of whom `approve` must agree, and `deny` suffice to refuse."""

    groups: tuple[str, ...]
    approve: int
    deny: int
    people: frozenset[Ref]


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
    step_up: str | None = None  # What an approver types as well: a code of that sort.

    @property
    def groups(self) -> tuple[str, ...]:
        """Return every group or person asked, in order, each once."""
        return tuple(dict.fromkeys(name for stage in self.stages for name in stage.groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One approver's recorded verdict; `stands_for` is whose place they took, if not their own."""

    approver: Ref
    stage: int
    verdict: Verdict
    at: datetime
    stands_for: Ref | None = None

    @property
    def place(self) -> Ref:
        """Return whose place was decided: one place counts once, whoever spoke in it."""
        return self.stands_for or self.approver


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the decisions amount to; `stage` is the one that is being decided."""

    outcome: Outcome
    stage: int
    have: int
    need: int


def standing(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that count: each place's latest, a denial over an approval."""
    latest: dict[Ref, Decision] = {}
    for one in decisions:
        if one.place not in latest or one.verdict is Verdict.DENY:
            latest[one.place] = one
    return list(latest.values())


def tally(request: ApprovalRequest, decisions: Sequence[Decision]) -> Tally:
    """Return what `decisions` amount to: enough denials close, every quorum in turn approves.

    Once a quorum was reached, whoever approved may still turn that into a denial until the
    approval is consumed, and that single denial wins.
    """
    counted = standing(decisions)
    for index, stage in enumerate(request.stages):
        if _denied(request, index, counted, decisions):
            return Tally(outcome=Outcome.DENIED, stage=index, have=0, need=stage.approve)
    for index, stage in enumerate(request.stages):
        have = sum(one.stage == index and one.verdict is Verdict.APPROVE for one in counted)
        if have < stage.approve:
            return Tally(outcome=Outcome.OPEN, stage=index, have=have, need=stage.approve)
    last = len(request.stages) - 1
    have = sum(one.stage == last and one.verdict is Verdict.APPROVE for one in counted)
    return Tally(outcome=Outcome.APPROVED, stage=last, have=have, need=request.stages[last].approve)


def _denied(
    request: ApprovalRequest, index: int, counted: Sequence[Decision], given: Sequence[Decision]
) -> bool:
    """Say whether the stage was refused: by enough people, or by one who had approved before."""
    denials = [one for one in counted if one.stage == index and one.verdict is Verdict.DENY]
    approved_before = {one.place for one in given if one.verdict is Verdict.APPROVE}
    turned = any(one.place in approved_before for one in denials)
    return turned or len(denials) >= request.stages[index].deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A verdict that somebody would like to have recorded.

    `member_of` are the groups of the request that whoever's place it is belongs to now, read
    within the last minute; `why_never` says why this sort of person never counts, if so.
    """

    approver: Ref
    verdict: Verdict
    member_of: frozenset[str]
    why_never: str = ""
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

    Raises:
        RequestClosedError: the request is settled or its time is over.
        NotEligibleError: this person was not asked, no longer belongs to those who were,
            asked for it themselves, or already decided.
    """
    _admit_time(request, vote, decisions, now=now)
    _admit_person(request, vote)
    return _stage_for(request, vote, decisions)


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
    approved = any(one.place == vote.place and one.verdict is Verdict.APPROVE for one in decisions)
    return vote.verdict is Verdict.DENY and approved and not request.is_consumed


def _admit_person(request: ApprovalRequest, vote: Vote) -> None:
    if vote.why_never:
        raise NotEligibleError(
            f"Your decision cannot count: {vote.why_never}.", hint=asked(request)
        )
    if vote.approver == request.requester:
        raise NotEligibleError(
            "You asked for this, so someone else has to decide it.", hint=asked(request)
        )
    if vote.approver in request.excluded:
        raise NotEligibleError("You are excluded from deciding this one.", hint=asked(request))
    if vote.place in request.excluded or vote.place == request.requester:
        raise NotEligibleError(
            "Whoever you stand in for may not decide this one.", hint=asked(request)
        )


def _stage_for(request: ApprovalRequest, vote: Vote, decisions: Sequence[Decision]) -> int:
    mine = [
        index
        for index, stage in enumerate(request.stages)
        if vote.place in stage.people and vote.member_of.intersection(stage.groups)
    ]
    if not mine:
        raise NotEligibleError(_why_not_asked(request, vote), hint=asked(request))
    earlier = next((one for one in standing(decisions) if _is_same_voice(one, vote)), None)
    if earlier is not None and not _turns_it(earlier, vote):
        raise NotEligibleError(_why_it_counts(earlier, vote), hint=asked(request))
    if vote.verdict is Verdict.DENY:
        return earlier.stage if earlier is not None else mine[0]
    current = tally(request, decisions).stage
    if current not in mine:
        raise NotEligibleError("It is not your stage's turn yet.", hint=asked(request))
    return current


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


def _why_not_asked(request: ApprovalRequest, vote: Vote) -> str:
    was_asked = any(vote.place in stage.people for stage in request.stages)
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
