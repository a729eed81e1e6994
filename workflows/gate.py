"""A request, its decisions, and what those given so far amount to.

Pure rules over values: the engine reads the request and the decisions, asks here, and records
the answer. Whether another decision may be given is for `admission`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.entry import Json, Ref, RequestId, RunId
from workflows.terms import Terms
from workflows.turns import turns_in

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

    @property
    def words(self) -> str:
        """How people are told: the button that denies says Reject."""
        return "rejected" if self is Outcome.DENIED else self.value


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
    batch: RequestId | None = None  # The first of those that are put to people together.

    @property
    def card(self) -> RequestId:
        """Return whose card shows it: that of the first request of its batch, or its own."""
        return self.batch or self.id

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
class Denial:
    """A request that was denied: of whom it was asked, and who refused it, when and why."""

    request: RequestId
    run: RunId
    workflow: str
    stages: Sequence[Mapping[str, Json]]
    by_id: str  # An external id; empty once the person was erased.
    by_name: str
    at: datetime
    reason: str


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
    approved_before = {one.place for one in given if one.verdict is Verdict.APPROVE}
    turned = any(one.place in approved_before for one in denials)
    return turned or len(denials) >= request.stages[index].deny
