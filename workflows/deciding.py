"""Recording what approvers say. What time does to a request is for `prompting`."""

from collections.abc import Sequence
from datetime import datetime

from workflows.admission import Vote, admit, repeats
from workflows.awaited import awaited
from workflows.codes import check_approval
from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import ReasonMissingError, StaleRequestError, StepUpError
from workflows.gate import ApprovalRequest, Decision, Outcome, Tally, Verdict, tally
from workflows.house import House
from workflows.nudging import nudge_the_next
from workflows.orders import Ballot, Decided
from workflows.people import Person
from workflows.policy_reason import misfit
from workflows.recorder import record
from workflows.separation import Duty
from workflows.standing_in import (
    absent_for,
    groups_of,
    left_to_decide,
    seated,
    tell_if_deserted,
)
from workflows.step_up import Vault
from workflows.store import Unit
from workflows.superseded import edit_of, stale

SHOWN = 8  # Characters of the digest that a card's buttons carry.


def decide(house: House, ballot: Ballot) -> Decided:
    """Record a verdict and return what the request now amounts to.

    A verdict already recorded changes nothing, so a double click is harmless.

    Raises:
        UnknownRunError: there is no such request.
        StaleRequestError: the card showed something else than what is asked.
        NotEligibleError: this person may not decide it.
        RequestClosedError: it is settled, or its time is over.
        OutsideHoursError: nobody may approve it at this hour.
        ReasonMissingError: the policy wants a reason, and there is none, or none of its form.
        StepUpError: it wants a code, and this one does not count; the attempt was recorded.
        SecretError: the person's secret cannot be opened.
        PeopleUnreadableError: who this person is could not be read; nothing was decided.
    """
    asked = house.store.request(ballot.request)
    if ballot.shown and ballot.shown != asked.binding[:SHOWN]:
        raise StaleRequestError(
            "This card is from an older version of the request.",
            hint="Scroll to the newest card in the thread; nothing was decided.",
        )
    _check_reason(asked, ballot)
    person = house.people.person(ballot.person)
    member_of = groups_of(house, asked.groups, person.id)
    acting = house.acting_for(asked.excluded)
    duty = _duty_now(house, asked, person, acting)
    absent = absent_for(house, asked, person, acting=acting)
    # A code goes with each approval; to say no, nobody needs one.
    is_coded = asked.terms.step_up is not None and ballot.verdict is Verdict.APPROVE
    vault = house.vault() if is_coded else None
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(ballot.request)
        earlier = unit.decisions(request.id)
        vote = Vote(
            approver=unit.ref(person.id, person.name),
            verdict=ballot.verdict,
            member_of=member_of,
            why_never=person.why_not,
            duty=duty,
        )
        if repeats(vote, earlier) or _is_known(unit, ballot, is_coded=is_coded):
            now = tally(request, earlier)
            return Decided(request=request.id, run=row.id, tally=now, changed=False)
        if request.outcome is Outcome.SUPERSEDED:
            _refuse_edited(unit, request)
        vote = seated(unit, request, vote, absent=absent, decisions=earlier)
        stage = admit(request, vote, earlier, now=unit.now)
        refusal = None if vault is None else _check_code(unit, vault, vote, ballot)
        if refusal is None:
            given = [*earlier, _decision(vote, stage, at=unit.now)]
            now = tally(request, given)
            _record(unit, house, request, given[-1], now=now, ballot=ballot)
            _go_on(unit, house, request, given, now=now)
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return Decided(request=request.id, run=row.id, tally=now, changed=True)


def _refuse_edited(unit: Unit, request: ApprovalRequest) -> None:
    edited = edit_of(unit.entries(request.run), request.id)
    if edited is not None:
        raise stale(edited, unit.name(Ref(edited.actor.ref)))


def _is_known(unit: Unit, ballot: Ballot, *, is_coded: bool) -> bool:
    """Say whether this delivery was taken up before.

    A form with a wrong code is sent again as the same delivery; there the code counts once.
    """
    return not is_coded and ballot.delivery is not None and unit.is_repeat(ballot.delivery)


def _check_code(unit: Unit, vault: Vault, vote: Vote, ballot: Ballot) -> StepUpError | None:
    return check_approval(unit, vault, vote.approver, ballot.code, request=ballot.request)


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
        tell_if_deserted(unit, request.id, left_to_decide(request, given))
    if awaited(request, given) - awaited(request, given[:-1]):
        nudge_the_next(unit, request)


def _check_reason(request: ApprovalRequest, ballot: Ballot) -> None:
    """Refuse a decision without the reason that is wanted.

    A form asks for it too, but what a client sends proves nothing. The form of a reason is for
    approvals alone: nobody needs a ticket to say no.
    """
    said, is_denial = ballot.comment.strip(), ballot.verdict is Verdict.DENY
    may_turn = request.outcome is Outcome.APPROVED and is_denial
    if request.outcome is not Outcome.OPEN and not may_turn:
        return  # That it is closed is what they have to hear.
    if request.needs_reason and not said:
        raise ReasonMissingError(
            "A reason is required here.", hint="Decide again and say why in a few words."
        )
    hint = misfit(said, request.terms.patterns)
    if hint and not is_denial:
        raise ReasonMissingError("This reason does not have the form that is wanted.", hint=hint)


def _duty_now(
    house: House, request: ApprovalRequest, person: Person, acting: frozenset[Ref]
) -> Duty | None:
    """Return what keeps the person from deciding by what they are now."""
    if groups_of(house, request.terms.exclude, person.id):
        return Duty.RULE
    is_acting = any(house.store.person(one) == person.id for one in acting)
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
        "decision": "approved" if is_approval else "denied",
        "have": now.have,
        "need": now.need,
        "via": ballot.via,
        "step_up": is_approval and request.terms.step_up is not None,
        "slack": ballot.slack,
        "settles": now.outcome is not Outcome.OPEN,
        **({} if decision.stands_for is None else {"for": decision.stands_for}),
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
