"""Recording what approvers say. What time does to a request is for `prompting`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.admission import Vote, admit, admit_time, repeats, taken_back
from workflows.awaited import awaited
from workflows.batching import batch_data
from workflows.codes import check_approval
from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import (
    GateError,
    NotAllowedError,
    NotEligibleError,
    PeopleUnreadableError,
    ReasonMissingError,
    StaleRequestError,
    StepUpError,
)
from workflows.gate import ApprovalRequest, Decision, Outcome, Tally, Verdict, tally
from workflows.house import House
from workflows.how_closed import closed, saying_how
from workflows.nudging import nudge_the_next
from workflows.orders import Ballot, Decided
from workflows.people import Person, PersonId
from workflows.people_store import AskedNow
from workflows.policy_reason import misfit
from workflows.recorder import record
from workflows.refusing import Attempt, note_refused
from workflows.separation import Duty
from workflows.standing_in import (
    Absent,
    absent_for,
    groups_of,
    left_to_decide,
    seated,
    tell_if_deserted,
)
from workflows.step_up import Vault
from workflows.store import Unit
from workflows.superseded import edit_of, stale
from workflows.unseen import is_blank

SHOWN = 8  # Characters of the digest that a card's buttons carry.


def decide(house: House, ballot: Ballot) -> Decided:
    """Record a verdict and return what the request now amounts to.

    A verdict already recorded changes nothing, so a double click is harmless. One that is
    refused leaves an entry as well.

    Raises:
        UnknownRunError: there is no such request.
        StaleRequestError: the card showed something else than what is asked.
        NotEligibleError: this person may not decide it.
        NotAllowedError: this person is an auditor, who decides nothing.
        RequestClosedError: it is settled, or its time is over.
        OutsideHoursError: nobody may approve it at this hour.
        ReasonMissingError: the policy wants a reason, and there is none, or none of its form.
        StepUpError: it wants a code, and this one does not count; the attempt was recorded.
        SecretError: the person's secret cannot be opened.
        PeopleUnreadableError: who this person is could not be read; nothing was decided.
    """
    try:
        return _decide(house, ballot)
    except GateError as refused:
        note_refused(house, attempt_of(ballot), refused)
        raise


def may_decide(house: House, ballot: Ballot) -> None:
    """Return if this verdict would count but for its reason and its code; nothing is recorded.

    Before somebody is asked for these they hear what else stands against it, and that leaves an
    entry as if they had decided. Who has said the same already may say so while it is open.

    Raises:
        GateError, UnknownRunError, NotAllowedError: as `decide`.
    """
    try:
        _may_decide(house, ballot)
    except GateError as refused:
        note_refused(house, attempt_of(ballot), refused)
        raise


def _may_decide(house: House, ballot: Ballot) -> None:
    asked = checked(house, ballot)
    voter = voter_for(house, asked, ballot.person)
    with house.store.begin() as unit:
        found = admit_ballot(unit, voter, ballot, is_known=lambda: False)
        if isinstance(found, Decided) and found.tally.outcome is not Outcome.OPEN:
            request, _ = unit.lock_run_of(ballot.request)
            raise closed(unit, request)


def attempt_of(ballot: Ballot) -> Attempt:
    """Return what a verdict tries, for the entry that tells of its refusal."""
    return Attempt(
        request=ballot.request,
        person=ballot.person,
        decision=said_by(ballot.verdict),
        via=ballot.via,
        slack=ballot.slack,
    )


def said_by(verdict: Verdict) -> str:
    """Return what entries call a verdict."""
    return "approved" if verdict is Verdict.APPROVE else "denied"


def _decide(house: House, ballot: Ballot) -> Decided:
    asked = checked(house, ballot)
    voter = voter_for(house, asked, ballot.person)
    vault = house.vault().ready() if is_coded(asked.request, ballot) else None
    with house.store.begin() as unit:
        # A form with a wrong code is sent again as the same delivery; there the code counts once.
        admitted = admit_ballot(
            unit, voter, ballot, is_known=lambda: vault is None and is_repeated(unit, ballot)
        )
        if isinstance(admitted, Decided):
            return admitted
        check_reason(admitted)
        refusal = None if vault is None else check_code(unit, vault, admitted)
        if refusal is None:
            decided = record_vote(unit, house, admitted)
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A verdict that counts, the run locked: of which request, after which decisions, where."""

    ballot: Ballot
    request: ApprovalRequest
    earlier: Sequence[Decision]
    vote: Vote
    stage: int


def checked(house: House, ballot: Ballot) -> AskedNow:
    """Return the request that a card shows, if that is what is asked.

    Whom they stand in for, and who acts for those that are left out, comes along.

    Raises:
        UnknownRunError, StaleRequestError: as `decide`.
    """
    asked = house.store.asked_now(ballot.request, at=house.now(), stand_in=ballot.person)
    if ballot.shown and ballot.shown != asked.request.binding[:SHOWN]:
        raise StaleRequestError(
            "This card is from an older version of the request.",
            hint="Scroll to the newest card in the thread; nothing was decided.",
        )
    return asked


def is_coded(asked: ApprovalRequest, ballot: Ballot) -> bool:
    """Say whether a code goes with the verdict: to say no, nobody needs one."""
    return asked.terms.step_up is not None and ballot.verdict is Verdict.APPROVE


def said_already(verdict: Verdict, *, hint: str = "") -> NotEligibleError:
    """Return the refusal of whoever has said the same already, while it is open."""
    did = "approved" if verdict is Verdict.APPROVE else "rejected"
    told = f"You {did} this already, and one person counts once."
    return NotEligibleError(told, why="repeated", hint=hint)


def is_repeated(unit: Unit, ballot: Ballot) -> bool:
    """Say whether this delivery was taken up before."""
    return ballot.delivery is not None and unit.is_repeat(ballot.delivery)


def admit_ballot(
    unit: Unit, voter: "Voter", ballot: Ballot, *, is_known: Callable[[], bool]
) -> Admitted | Decided:
    """Lock the request's run and return the verdict as it counts, or what was said already.

    `is_known` says, once the lock is held, whether this delivery was taken up before.

    Raises:
        NotEligibleError, RequestClosedError, OutsideHoursError, StaleRequestError: as `decide`.
        NotAllowedError, PeopleUnreadableError: as `decide`; an approval is taken back all the same.
    """
    request, row = unit.lock_run_of(ballot.request, people=[voter.person.id])
    earlier = unit.decisions(request.id)
    vote = voter.vote(unit, ballot.verdict)
    if repeats(vote, earlier) or is_known():
        now = tally(request, earlier)
        return Decided(request=request.id, run=row.id, tally=now, changed=False)
    if request.outcome is Outcome.SUPERSEDED:
        _refuse_edited(unit, request)
    with saying_how(unit, request):
        return _admitted(unit, voter, ballot, vote, request=request, earlier=earlier)


def _admitted(
    unit: Unit,
    voter: "Voter",
    ballot: Ballot,
    vote: Vote,
    *,
    request: ApprovalRequest,
    earlier: Sequence[Decision],
) -> Admitted:
    if voter.refusal is not None and taken_back(vote, earlier) is None:
        admit_time(request, vote, earlier, now=unit.now)  # That it is closed is the last word.
        raise voter.refusal
    vote = seated(unit, request, vote, absent=voter.absent, decisions=earlier)
    stage = admit(request, vote, earlier, now=unit.now)
    return Admitted(ballot=ballot, request=request, earlier=earlier, vote=vote, stage=stage)


def check_reason(admitted: Admitted) -> None:
    """Refuse a verdict without the reason that is wanted; it is looked at last of all.

    A form asks for it too, but what a client sends proves nothing. The form of a reason is for
    approvals alone: nobody needs a ticket to say no.

    Raises:
        ReasonMissingError: as `decide`.
    """
    request, ballot = admitted.request, admitted.ballot
    said = ballot.comment.strip()
    if request.needs_reason and is_blank(said):
        raise ReasonMissingError(
            "A reason is required here.", hint="Decide again and say why in a few words."
        )
    hint = misfit(said, request.terms.patterns)
    if hint and ballot.verdict is Verdict.APPROVE:
        raise ReasonMissingError("This reason does not have the form that is wanted.", hint=hint)


def check_code(unit: Unit, vault: Vault, admitted: Admitted) -> StepUpError | None:
    """Use up the code that goes with an approval; return why it does not count, if so."""
    ballot = admitted.ballot
    return check_approval(unit, vault, admitted.vote.approver, ballot.code, request=ballot.request)


def record_vote(unit: Unit, house: House, admitted: Admitted) -> Decided:
    """Record a verdict that counts, and set the run going if that settles its request."""
    request = admitted.request
    given = [*admitted.earlier, _decision(admitted.vote, admitted.stage, at=unit.now)]
    now = tally(request, given)
    _record(unit, house, request, given[-1], now=now, ballot=admitted.ballot)
    _go_on(unit, house, request, given, now=now)
    return Decided(request=request.id, run=request.run, tally=now, changed=True)


def _refuse_edited(unit: Unit, request: ApprovalRequest) -> None:
    edited = edit_of(unit.entries(request.run), request.id)
    if edited is not None:
        raise stale(edited, unit.name(Ref(edited.actor.ref)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """Who votes, and what of them was read before the transaction.

    `refusal` is why they may decide nothing new: they audit this, or where they belong could not
    be read.
    """

    person: Person
    member_of: frozenset[str] = frozenset()
    duty: Duty | None = None
    absent: Sequence[Absent] = ()
    refusal: NotAllowedError | PeopleUnreadableError | None = None

    def vote(self, unit: Unit, verdict: Verdict) -> Vote:
        """Return their vote in their own place."""
        return Vote(
            approver=unit.ref(self.person.id, self.person.name),
            verdict=verdict,
            member_of=self.member_of,
            why_never=self.person.why_not,
            duty=self.duty,
        )


def voter_for(house: House, asked: AskedNow, who: PersonId) -> Voter:
    """Return who votes, and where they belong; services are asked, so it comes first.

    Raises:
        PeopleUnreadableError: as `decide`; that groups could not be read stands in the answer.
    """
    person = house.people.person(who)
    try:
        house.deciding(who, asked.request.run)
        return Voter(
            person=person,
            member_of=groups_of(house, asked.request.groups, person.id),
            duty=_duty_now(house, asked, person),
            absent=absent_for(house, asked) if person.may_stand_in else (),
        )
    except (NotAllowedError, PeopleUnreadableError) as refusal:
        return Voter(person=person, refusal=refusal)


def _decision(vote: Vote, stage: int, *, at: datetime) -> Decision:
    return Decision(
        approver=vote.approver,
        stage=stage,
        verdict=vote.verdict,
        at=at,
        stands_for=vote.stands_for,
    )


def _go_on(
    unit: Unit, house: House, request: ApprovalRequest, given: Sequence[Decision], *, now: Tally
) -> None:
    """Set the run going once it is settled; look who is there once others have their turn."""
    if now.outcome is not Outcome.OPEN:
        house.dispatcher.enqueue(unit, request.run)
        return
    if not {*now.waiting} <= {*tally(request, given[:-1]).waiting}:
        tell_if_deserted(unit, request.card, left_to_decide(request, given))
    if awaited(request, given) - awaited(request, given[:-1]):
        nudge_the_next(unit, request)


def _duty_now(house: House, asked: AskedNow, person: Person) -> Duty | None:
    """Return what keeps the person from deciding by what they are now."""
    if groups_of(house, asked.request.terms.exclude, person.id):
        return Duty.RULE
    is_acting = any(asked.people.get(one) == person.id for one in asked.acting)
    return Duty.DELEGATE if is_acting else None


def _record(
    unit: Unit,
    house: House,
    request: ApprovalRequest,
    decision: Decision,
    *,
    now: Tally,
    ballot: Ballot,
) -> None:
    is_approval = decision.verdict is Verdict.APPROVE
    data: dict[str, Json] = {
        "request": request.id,
        "binding": request.binding,
        "stage": decision.stage,
        "decision": said_by(decision.verdict),
        "have": now.have,
        "need": now.need,
        "via": ballot.via,
        "step_up": is_approval and request.terms.step_up is not None,
        "slack": ballot.slack,
        "settles": now.outcome is not Outcome.OPEN,
        **({} if decision.stands_for is None else {"for": decision.stands_for}),
        **batch_data(request),
    }
    comment = ballot.comment.strip()
    parts = {"comment": Part(value=house.redact(comment).encode())} if comment else {}
    record(
        unit,
        Draft(
            kind="approval.granted" if is_approval else "approval.denied",
            actor=Actor(kind=ActorKind.USER, ref=decision.approver),
            data=data,
            parts=parts,
            run=request.run,
        ),
    )
