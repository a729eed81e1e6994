"""Recording what approvers say, and closing requests whose time is over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from workflows.codes import check_approval
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Entry, Json, Part, Ref, RequestId
from workflows.errors import ReasonMissingError, StaleRequestError, StepUpError
from workflows.gate import (
    ApprovalRequest,
    Decision,
    Outcome,
    Tally,
    Verdict,
    Vote,
    admit,
    repeats,
    standing,
    tally,
)
from workflows.house import House
from workflows.orders import Ballot, Decided
from workflows.recorder import record
from workflows.standing_in import (
    absent_for,
    away_message,
    groups_of,
    left_to_decide,
    seated,
    tell_if_deserted,
    whom_to_remind,
)
from workflows.step_up import Vault
from workflows.store import Due, Unit

SHOWN = 8  # Characters of the digest that a card's buttons carry.


def decide(house: House, ballot: Ballot) -> Decided:
    """Record a verdict and return what the request now amounts to.

    A verdict already recorded changes nothing, so a double click is harmless.

    Raises:
        UnknownRunError: there is no such request.
        StaleRequestError: the card showed something else than what is asked.
        NotEligibleError: this person may not decide it.
        RequestClosedError: it is settled, or its time is over.
        ReasonMissingError: the policy wants a reason, and there is none.
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
    if asked.needs_reason and not ballot.comment.strip():
        # A form asks for it too, but what a client sends proves nothing.
        raise ReasonMissingError(
            "A reason is required here.", hint="Decide again and say why in a few words."
        )
    person = house.people.person(ballot.person)
    member_of = groups_of(house, asked, person.id)
    absent = absent_for(house, asked, person)
    # A code goes with each approval; to say no, nobody needs one.
    is_coded = asked.step_up is not None and ballot.verdict is Verdict.APPROVE
    vault = house.vault() if is_coded else None
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(ballot.request)
        earlier = unit.decisions(request.id)
        vote = Vote(
            approver=unit.ref(person.id, person.name),
            verdict=ballot.verdict,
            member_of=member_of,
            why_never=person.why_not,
        )
        if repeats(vote, earlier) or _is_known(unit, ballot, is_coded=is_coded):
            now = tally(request, earlier)
            return Decided(request=request.id, run=row.id, tally=now, changed=False)
        vote = seated(unit, request, vote, absent=absent, decisions=earlier)
        stage = admit(request, vote, earlier, now=unit.now)
        refusal = None if vault is None else _check(unit, vault, vote, ballot)
        if refusal is None:
            decision = _decision(vote, stage, at=unit.now)
            now = tally(request, [*earlier, decision])
            _record(unit, house, request, decision, now=now, ballot=ballot)
            _go_on(unit, house, request, decision, now=now)
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return Decided(request=request.id, run=row.id, tally=now, changed=True)


def _is_known(unit: Unit, ballot: Ballot, *, is_coded: bool) -> bool:
    """Say whether this delivery was taken up before.

    A form with a wrong code is sent again as the same delivery; there the code counts once.
    """
    return not is_coded and ballot.delivery is not None and unit.is_repeat(ballot.delivery)


def _check(unit: Unit, vault: Vault, vote: Vote, ballot: Ballot) -> StepUpError | None:
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
    unit: Unit, house: House, request: ApprovalRequest, decision: Decision, *, now: Tally
) -> None:
    """Set the run going once it is settled; look who is there once it is the next one's turn."""
    if now.outcome is not Outcome.OPEN:
        house.dispatcher.enqueue(unit, request.run)
    elif now.stage != decision.stage:
        tell_if_deserted(unit, request.id, request.stages[now.stage].people)


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
        "step_up": is_approval and request.step_up is not None,
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


def expire(house: House, due: Due) -> None:
    """Close the request whose time is over, if it is still open."""
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(RequestId(due.key))
        if not unit.take_due(due) or request.outcome is not Outcome.OPEN:
            return
        decisions = unit.decisions(request.id)
        now = tally(request, decisions)
        data: dict[str, Json] = {
            "request": request.id,
            "binding": request.binding,
            "have": now.have,
            "need": now.need,
        }
        record(unit, Draft(kind="approval.expired", actor=INTERLOCK, data=data, run=row.id))
        house.dispatcher.enqueue(unit, row.id)


def remind(house: House, due: Due) -> None:
    """Remind those who have not decided yet, if the request is still open; set the next time."""
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(RequestId(due.key))
        if not unit.take_due(due) or request.outcome is not Outcome.OPEN:
            return
        waiting = sorted(_waiting(unit, request))
        number, following = _reminders(unit.entries(row.id), request)
        data: dict[str, Json] = {"request": request.id, "to": list(waiting), "n": number}
        record(unit, Draft(kind="approval.reminded", actor=INTERLOCK, data=data, run=row.id))
        if not waiting:
            unit.send(away_message(request.id))
        if following is not None:
            unit.set_due(replace(due, at=following))


def _waiting(unit: Unit, request: ApprovalRequest) -> set[Ref]:
    """Return who is still to decide in the present stage and is there, stand-ins included."""
    decisions = unit.decisions(request.id)
    said = {one.approver for one in standing(decisions)} | request.excluded
    return {*whom_to_remind(unit, left_to_decide(request, decisions))} - said


def _reminders(entries: Sequence[Entry], request: ApprovalRequest) -> tuple[int, datetime | None]:
    """Return which reminder this one is, counted from 1, and when the next one is due."""
    about = [one for one in entries if one.data.get("request") == request.id]
    number = 1 + sum(one.kind == "approval.reminded" for one in about)
    waits = next(one.data.get("remind") for one in about if one.kind == "approval.requested")
    if not isinstance(waits, list) or number >= len(waits):
        return number, None
    wait = waits[number]
    return number, request.raised_at + timedelta(seconds=wait if isinstance(wait, int) else 0)
