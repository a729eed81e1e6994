"""Recording what approvers say. What time does to a request is for `prompting`."""

from collections.abc import Sequence

from workflows.awaited import awaited
from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import ReasonMissingError, StaleRequestError
from workflows.gate import (
    ApprovalRequest,
    Decision,
    Outcome,
    Tally,
    Verdict,
    Vote,
    admit,
    repeats,
    tally,
)
from workflows.house import House
from workflows.nudging import nudge_the_next
from workflows.orders import Ballot, Decided
from workflows.people import CLICK_AGE, Person
from workflows.policy_reason import misfit
from workflows.recorder import record
from workflows.separation import Duty
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
    member_of = _groups_of(house, asked.groups, person)
    duty = _duty_now(house, asked, person)
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
        is_known = ballot.delivery is not None and unit.is_repeat(ballot.delivery)
        if is_known or repeats(vote, earlier):
            now = tally(request, earlier)
            return Decided(request=request.id, run=row.id, tally=now, changed=False)
        if request.outcome is Outcome.SUPERSEDED:
            _refuse_edited(unit, request)
        stage = admit(request, vote, earlier, now=unit.now)
        decision = Decision(approver=vote.approver, stage=stage, verdict=vote.verdict, at=unit.now)
        now = tally(request, [*earlier, decision])
        _record(unit, house, request, decision, now=now, ballot=ballot)
        if now.outcome is not Outcome.OPEN:
            house.dispatcher.enqueue(unit, row.id)
        elif awaited(request, [*earlier, decision]) - awaited(request, earlier):
            nudge_the_next(unit, request)
    return Decided(request=request.id, run=row.id, tally=now, changed=True)


def _refuse_edited(unit: Unit, request: ApprovalRequest) -> None:
    edited = edit_of(unit.entries(request.run), request.id)
    if edited is not None:
        raise stale(edited, unit.name(Ref(edited.actor.ref)))


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


def _groups_of(house: House, names: Sequence[str], person: Person) -> frozenset[str]:
    """Return those of `names` that the person belongs to now."""
    return frozenset(
        name for name in names if person.id in house.people.members(name, max_age=CLICK_AGE)
    )


def _duty_now(house: House, request: ApprovalRequest, person: Person) -> Duty | None:
    """Return what keeps the person from deciding by what they are now."""
    if _groups_of(house, request.terms.exclude, person):
        return Duty.RULE
    acting = house.acting_for(request.excluded)
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
        "step_up": False,
        "slack": ballot.slack,
        "settles": now.outcome is not Outcome.OPEN,
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
