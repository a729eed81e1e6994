"""Saying that one is away and who stands in, and that one is back: who may, what is recorded.

The words that name a time are read by the bot. What it means for a vote is `standing_in`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from workflows.codes import check_approval
from workflows.delegation import LONGEST_ABSENCE, Delegation, deserted_until
from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import DelegationError
from workflows.gate import ApprovalRequest
from workflows.house import House
from workflows.moments import stamp
from workflows.people import Person, PersonId
from workflows.standing_in import away_message
from workflows.store import Message, Subject, Unit

MOST_REDRAWN = 200  # Cards that show at once who stands in; others do when they change.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelegation:
    """That `giver` is away until then, and who decides for them; nobody if None.

    `code` is what the giver typed, where their voice counts for approvals that want one.
    """

    giver: PersonId
    stand_in: PersonId | None
    until: datetime
    reason: str = ""
    code: str = field(default="", repr=False)


def check_delegation(house: House, new: NewDelegation) -> tuple[Person, Person | None]:
    """Return who is away and who stands in, and record nothing.

    Raises:
        DelegationError: one of them never decides anything, they are the same person, or the
            time has passed or is too long.
        PeopleUnreadableError: the directory did not answer.
    """
    giver = house.people.person(new.giver)
    if not giver.counts:
        raise DelegationError(
            f"You decide nothing here that another could decide for you: {giver.why_not}."
        )
    _check_time(new.until, house.now())
    if new.stand_in is None:
        return giver, None
    if new.stand_in == new.giver:
        raise DelegationError(
            "You cannot stand in for yourself.", hint="If nobody shall, say that you are away."
        )
    stand_in = house.people.person(new.stand_in)
    if not stand_in.counts:
        raise DelegationError(f"{stand_in.name} cannot stand in for you: {stand_in.why_not}.")
    if not stand_in.may_stand_in:
        raise DelegationError(
            f"{stand_in.name} cannot stand in for you: of another workspace those alone decide"
            " whom the policy asks."
        )
    return giver, stand_in


def _check_time(until: datetime, now: datetime) -> None:
    if until <= now:
        raise DelegationError("This moment has passed.", hint="Name a later one.")
    if until - now > LONGEST_ABSENCE:
        raise DelegationError(
            f"This is longer than {LONGEST_ABSENCE.days} days.",
            hint="Name an earlier end, and say it again then.",
        )


def delegate(house: House, new: NewDelegation) -> bool:
    """Record that somebody is away; False if they had said exactly that already.

    It takes the place of what they said before, and counts for open requests too. Whoever has
    codes that count types one to let another decide, else whoever holds a stolen login could
    lend that person's voice to themselves.

    Raises:
        StepUpError: a code is wanted, and this one does not count; the attempt was recorded.
        DelegationError, PeopleUnreadableError, SecretError, StorageError: nothing was recorded.
    """
    giver, stand_in = check_delegation(house, new)
    asked = house.store.open_requests_of(new.giver, most=MOST_REDRAWN)
    may_need = stand_in is not None and house.policy().asks_for_codes
    vault = house.vault().ready() if may_need else None
    with house.store.begin() as unit:
        ref = unit.ref(giver.id, giver.name)
        before = unit.hold_delegation(ref)
        _check_time(new.until, unit.now)
        to = None if stand_in is None else unit.ref(stand_in.id, stand_in.name)
        is_same = before is not None and (before.stand_in, before.until) == (to, new.until)
        if is_same and not new.code:
            return False
        is_coded = vault is not None and any(one.is_confirmed for one in unit.codes.live(ref))
        refusal = None
        if vault is not None and is_coded:
            refusal = check_approval(unit, vault, ref, new.code, request=None)
        if refusal is None:
            reason = house.redact(new.reason.strip())
            word = _Word(to=to, until=new.until, reason=reason, is_coded=is_coded)
            _record(unit, ref, before, word)
            _redraw(unit, asked)
            for one in _deserted(unit, asked):
                unit.send(away_message(one.card))
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return True


def come_back(house: House, person: PersonId, *, entry: str) -> bool:
    """Record that somebody is back before their time; False if what `entry` said is over.

    Raises:
        PeopleUnreadableError, StorageError: nothing was recorded.
    """
    giver = house.people.person(person)
    asked = house.store.open_requests_of(person, most=MOST_REDRAWN)
    with house.store.begin() as unit:
        ref = unit.ref(giver.id, giver.name)
        before = unit.hold_delegation(ref)
        if before is None or before.entry != entry or not before.stands_at(unit.now):
            return False
        # The newest word counts, and this one is over as soon as it is said.
        _record(unit, ref, before, _Word(to=None, until=unit.now))
        _redraw(unit, asked)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What an entry says of somebody who is away, or back."""

    to: Ref | None
    until: datetime
    reason: str = ""
    is_coded: bool = False


def _record(unit: Unit, giver: Ref, before: Delegation | None, word: _Word) -> None:
    data: dict[str, Json] = {
        "request": None,
        "from": giver,
        "to": word.to,
        "until": stamp(word.until),
        **({"step_up": True} if word.is_coded else {}),
    }
    parts = {"reason": Part(value=word.reason.encode(), subject=giver)} if word.reason else {}
    entry = unit.append(
        Draft(
            kind="approval.delegated",
            actor=Actor(kind=ActorKind.USER, ref=giver),
            data=data,
            parts=parts,
        )
    )
    if word.to is not None:
        unit.send(Message(subject=Subject.STAND_IN, key=entry.id))
    if before is not None and before.stand_in is not None:
        unit.send(Message(subject=Subject.STAND_IN, key=before.entry))


def _redraw(unit: Unit, asked: Iterable[ApprovalRequest]) -> None:
    # In one order everywhere, so that two who go away at once do not wait for each other.
    for one in sorted(asked, key=lambda request: request.id):
        unit.send(Message(subject=Subject.CARD, key=one.card, run=one.run))
        unit.renew_nudges(one.run, one.card)


def _deserted(unit: Unit, asked: Iterable[ApprovalRequest]) -> list[ApprovalRequest]:
    """Return the requests of which some stage has nobody left; the message looks more closely."""
    requests = list(asked)
    people = {one for request in requests for stage in request.stages for one in stage.everybody}
    away = unit.away(people)
    return [
        request
        for request in requests
        if any(deserted_until(stage.everybody, away) for stage in request.stages)
    ]
