"""Setting up one-time codes: shown once, shown to work, and confirmed by a governor.

Whoever holds a stolen Slack login can do the first two, so neither first codes nor new ones
count before a governor, never the person themselves, has confirmed them. Until then the codes
that counted go on counting. Governors may also take codes away.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workflows.codes import Attempt, check
from workflows.entry import Actor, ActorKind, Draft, Json, Ref
from workflows.errors import NoCodesError, NotAllowedError, StepUpError
from workflows.house import House
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.step_up import OFFER_LIFE, Enrolment, Offer, sealed_name
from workflows.store import Message, Subject, Unit

MOST_ASKED = 20  # Governors who get a card.
ENDED = "These codes do not wait for anybody any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A code by which a person shows that the secret they were shown is in their app."""

    person: PersonId
    enrolment: str
    code: str = field(repr=False)


def offer_codes(house: House, person: PersonId, secret: bytes) -> str:
    """Keep a fresh secret that is about to be shown to the person; return its enrolment.

    It takes the place of one that was shown before and never used.

    Raises:
        StepUpError: no rule asks for codes, nobody could confirm them, or too many were wrong.
        NotAllowedError: this person never decides anything.
        PeopleUnreadableError, SecretError, StorageError: nothing was kept.
    """
    who = _checked(house, person)
    _governors(house, besides=person)
    vault, ident = house.vault().ready(), house.new_id()
    with house.store.begin() as unit:
        ref = unit.ref(who.id, who.name)
        guard = unit.codes.hold(ref)
        sealed = vault.seal(secret, name=sealed_name(ref, ident))
        unit.codes.keep(replace(guard, offer=Offer(id=ident, sealed=sealed, at=unit.now)))
    return ident


def _checked(house: House, person: PersonId) -> Person:
    if not house.policy().asks_for_codes:
        raise StepUpError("Nothing here asks for codes.", hint="No rule of the policy wants one.")
    who = house.people.person(person)
    if not who.counts:
        raise NotAllowedError(f"You decide nothing here that needs a code: {who.why_not}.")
    return who


def prove_codes(house: House, proof: Proof) -> None:
    """Record that the person's app gives the right codes, and ask governors to confirm them.

    Raises:
        NoCodesError: the secret was not shown to this person, or too long ago.
        StepUpError: the code is wrong or was used, or too many were; that is recorded.
        NotAllowedError, PeopleUnreadableError, SecretError, StorageError.
    """
    who = _checked(house, proof.person)
    asked = _governors(house, besides=proof.person)
    vault = house.vault().ready()
    with house.store.begin() as unit:
        ref = unit.ref(who.id, who.name)
        guard = unit.codes.hold(ref)
        offer = guard.offer
        if offer is None or offer.id != proof.enrolment or unit.now - offer.at > OFFER_LIFE:
            raise NoCodesError("This was shown too long ago.", hint="Begin once more.")
        secret = vault.open_sealed(offer.sealed, name=sealed_name(ref, offer.id))
        attempt = Attempt(person=ref, enrolment=offer.id, code=proof.code)
        refusal = check(unit, guard, secret, attempt)
        if refusal is None:
            _enrol(unit, ref, offer, asked=asked, person=who)
    if refusal is not None:
        raise refusal


def _enrol(unit: Unit, ref: Ref, offer: Offer, *, asked: Iterable[Person], person: Person) -> None:
    governors = {unit.ref(one.id, one.name): one.id for one in asked}
    refs: list[Json] = [*governors]
    data: dict[str, Json] = {"person": ref, "enrolment": offer.id, "asked": refs}
    waiting = [one for one in unit.codes.live(ref) if not one.is_confirmed]
    unit.append(Draft(kind="step_up.enrolled", actor=_by(ref), data=data))
    unit.codes.put_secret(offer.id, offer.sealed)
    unit.codes.drop_secrets(ref)
    unit.codes.keep(replace(unit.codes.hold(ref), offer=None))
    for before in waiting:  # These take its place.
        _tell(unit, before)
    for one, channel in {**governors, ref: person.id}.items():
        unit.send(_message(offer.id, one, channel=channel))


def confirm_codes(house: House, enrolment: str, *, governor: PersonId) -> None:
    """Have a person's codes count from now on, in the place of those that did.

    Raises:
        NotAllowedError: this is no governor, or the person themselves.
        StepUpError: the codes do not wait any more.
        PeopleUnreadableError, StorageError: nothing was recorded.
    """
    who = _governor(house, governor)
    with house.store.begin() as unit:
        found, by = _waiting(unit, enrolment, who)
        before = next((one for one in unit.codes.live(found.person) if one.is_confirmed), None)
        data: dict[str, Json] = {
            "person": found.person,
            "enrolment": found.id,
            "replaces": None if before is None else before.id,
        }
        unit.append(Draft(kind="step_up.confirmed", actor=_by(by), data=data))
        unit.codes.drop_secrets(found.person)
        _tell(unit, found)
        if before is not None:
            _tell(unit, before)


def decline_codes(house: House, enrolment: str, *, governor: PersonId) -> None:
    """End codes that wait to be confirmed; those that count go on counting.

    Raises:
        NotAllowedError, StepUpError, PeopleUnreadableError, StorageError: as `confirm_codes`.
    """
    who = _governor(house, governor)
    with house.store.begin() as unit:
        found, by = _waiting(unit, enrolment, who)
        _end(unit, found, by, reason="declined")


def reset_codes(house: House, person: PersonId, *, governor: PersonId) -> None:
    """Take a person's codes away, those that count and those that wait.

    Raises:
        NotAllowedError: this is no governor, or the person themselves.
        NoCodesError: the person has none.
        PeopleUnreadableError, StorageError: nothing was recorded.
    """
    who, whose = _governor(house, governor), house.people.person(person)
    if who.id == whose.id:
        raise _not_oneself()
    with house.store.begin() as unit:
        ref = unit.ref(whose.id, whose.name)
        unit.codes.hold(ref)
        live = unit.codes.live(ref)
        if not live:
            raise NoCodesError(
                f"{whose.name} has no codes.", hint="There was nothing to take away."
            )
        for one in live:
            _end(unit, one, unit.ref(who.id, who.name), reason="reset")


def _waiting(unit: Unit, enrolment: str, governor: Person) -> tuple[Enrolment, Ref]:
    """Return codes that wait, held until the unit ends, and the pseudonym of the governor."""
    found, by = unit.codes.enrolment(enrolment), unit.ref(governor.id, governor.name)
    if found is not None:
        unit.codes.hold(found.person)
        found = unit.codes.enrolment(enrolment)  # Another governor may have been first.
    if found is None or found.is_confirmed:
        raise StepUpError(ENDED, hint="The card says what became of them.")
    if found.person == by:
        raise _not_oneself()
    return found, by


def _end(unit: Unit, found: Enrolment, by: Ref, *, reason: str) -> None:
    data: dict[str, Json] = {"person": found.person, "enrolment": found.id, "reason": reason}
    unit.append(Draft(kind="step_up.reset", actor=_by(by), data=data))
    unit.codes.drop_secrets(found.person)
    _tell(unit, found)


def _governor(house: House, person: PersonId) -> Person:
    who = house.roles.deciding(person, None)
    is_one = any(
        who.id in house.people.members(name, max_age=CLICK_AGE) for name in house.policy().governors
    )
    if not (is_one and who.counts):
        raise NotAllowedError(
            "Only a governor may say whose codes count.", hint="The policy names the governors."
        )
    return who


def _governors(house: House, *, besides: PersonId) -> list[Person]:
    people = house.people
    found = frozenset[PersonId]().union(
        *(people.members(name, max_age=CLICK_AGE) for name in house.policy().governors)
    )
    if not found - {besides}:
        raise StepUpError(
            "Nobody could confirm your codes: the policy names no governor but you.",
            hint="Have another governor named in the policy.",
        )
    return [people.person(one) for one in sorted(found - {besides})[:MOST_ASKED]]


def _not_oneself() -> NotAllowedError:
    return NotAllowedError("Your own codes are for another governor to decide on.")


def _tell(unit: Unit, found: Enrolment) -> None:
    """Have all who were told of it see what became of it."""
    for one in (*found.asked, found.person):
        unit.send(_message(found.id, one))


def _message(enrolment: str, to: Ref, *, channel: str = "") -> Message:
    return Message(subject=Subject.CODES, key=f"{enrolment}/{to}", channel=channel)


def _by(ref: Ref) -> Actor:
    return Actor(kind=ActorKind.USER, ref=ref)
