"""Breaking the glass. The review that follows is for `reviewing`.

One entry says that somebody decided alone: nobody approved, so no approval is recorded. The
request counts as approved by it, a freeze does not hold it back, and all else that an approval
has to stand (its arguments, plan, policy and age) is looked at again before the effect.
"""

from dataclasses import dataclass

from workflows.codes import check_approval
from workflows.deciding import SHOWN
from workflows.entry import Actor, ActorKind, Draft, Json, Part, RequestId
from workflows.errors import (
    GateError,
    NoApproverError,
    ReasonMissingError,
    ReviewMissingError,
    StaleRequestError,
    StepUpError,
)
from workflows.freezing import FREEZE
from workflows.gate import ApprovalRequest, Outcome
from workflows.glass import (
    Breaker,
    Glass,
    GlassUse,
    admit_breaker,
    blocking,
    raised_by,
)
from workflows.holding import newest_hold
from workflows.house import House
from workflows.how_closed import saying_how
from workflows.moments import stamp
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.recorder import record
from workflows.refusing import Attempt, note_refused
from workflows.reviewing import requester_of, review_cards
from workflows.step_up import Vault
from workflows.store import Delivery, Due, DueKind, Unit
from workflows.unseen import is_blank

BREAK_GLASS = "break-glass"
MOST_TOLD = 20  # Reviewers who are told in person; all others see the card in the channel.


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """Somebody breaks the glass over a request: why, and what their card showed of it."""

    request: RequestId
    person: PersonId
    reason: str
    shown: str = ""
    via: str = "slack"
    slack: Json = None
    delivery: Delivery | None = None
    code: str = ""  # Where an approval would want one too.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What is read before the transaction: the person, the glass, and who would review it."""

    person: Person
    glass: Glass | None
    member_of: frozenset[str]
    reviewers: tuple[PersonId, ...]


def may_break(house: House, request: RequestId, person: PersonId) -> None:
    """Return if this person may break the glass over the request now; a refusal is recorded.

    Raises:
        GateError, UnknownRunError, StorageError: they may not; the refusal says why.
    """
    asked = house.store.request(request)
    read = _read(house, asked, person)
    try:
        with house.store.begin() as unit:
            found, _ = unit.lock_run_of(request)
            _admit(unit, found, _breaker(unit, read), read)
    except GateError as refused:
        attempt = Attempt(request=request, person=person, decision=BREAK_GLASS)
        note_refused(house, attempt, refused)
        raise


def break_glass(house: House, order: Breaking) -> bool:
    """Record that somebody decides a request alone; False if that was recorded before.

    Where an approval wants a one-time code, so does this.

    Raises:
        GateError, UnknownRunError, StorageError: nothing was decided; the refusal says why.
        StepUpError: the code does not count; the attempt was recorded.
        SecretError: the person's secret cannot be opened.
    """
    try:
        return _break_glass(house, order)
    except GateError as refused:
        attempt = Attempt(
            request=order.request,
            person=order.person,
            decision=BREAK_GLASS,
            via=order.via,
            slack=order.slack,
        )
        note_refused(house, attempt, refused)
        raise


def _break_glass(house: House, order: Breaking) -> bool:
    asked = house.store.request(order.request)
    if order.shown and order.shown != asked.binding[:SHOWN]:
        raise StaleRequestError(
            "This card is from an older version of the request.",
            hint="Scroll to the newest card in the thread; nothing was decided.",
        )
    reason = house.redact(order.reason.strip())
    read = _read(house, asked, order.person)
    vault = house.vault().ready() if asked.terms.step_up is not None else None
    with house.store.begin() as unit:
        # A form with a wrong code is sent again as the same delivery; there the code counts once.
        if vault is None and order.delivery is not None and unit.is_repeat(order.delivery):
            return False
        request, _ = unit.lock_run_of(order.request)
        breaker, earlier = _breaker(unit, read), unit.glass_use_of(request.id)
        if earlier is not None and earlier.by == breaker.ref:
            return False
        found = _Admitted(request, _admit(unit, request, breaker, read), breaker, read.reviewers)
        if is_blank(reason):
            raise ReasonMissingError(
                "Breaking the glass needs a reason.", hint="Say in a few words why it cannot wait."
            )
        refusal = None if vault is None else _check_code(unit, vault, found, order)
        if refusal is None:
            _record(unit, house, found, order, reason)
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return True


def _check_code(
    unit: Unit, vault: Vault, found: "_Admitted", order: Breaking
) -> StepUpError | None:
    return check_approval(unit, vault, found.breaker.ref, order.code, request=order.request)


def _read(house: House, request: ApprovalRequest, who: PersonId) -> _Read:
    person = house.deciding(who, request.run)
    _, entries = house.store.history(request.run)
    glass = Glass.of(raised_by(entries, request.id))
    if glass is None:
        return _Read(person=person, glass=None, member_of=frozenset(), reviewers=())
    member_of = frozenset(
        name for name in glass.names if who in house.people.members(name, max_age=CLICK_AGE)
    )
    behind = (house.people.members(name, max_age=CLICK_AGE) for name in glass.by)
    others = frozenset[PersonId]().union(*behind) - {who, requester_of(house, request)}
    return _Read(person=person, glass=glass, member_of=member_of, reviewers=tuple(sorted(others)))


@dataclass(frozen=True, slots=True)
class _Admitted:
    """Somebody who may break the glass now, and what goes into the entry."""

    request: ApprovalRequest
    glass: Glass
    breaker: Breaker
    reviewers: tuple[PersonId, ...]


def _breaker(unit: Unit, read: _Read) -> Breaker:
    person = read.person
    ref = unit.ref(person.id, person.name)
    return Breaker(ref=ref, member_of=read.member_of, why_never=person.why_not)


def _admit(unit: Unit, request: ApprovalRequest, breaker: Breaker, read: _Read) -> Glass:
    hold = newest_hold(unit.entries(request.run), request.step)
    with saying_how(unit, request):
        glass = admit_breaker(
            request,
            read.glass,
            breaker,
            now=unit.now,
            is_frozen=hold is not None and hold.data["rule"] == FREEZE,
        )
    missing = blocking(unit.overdue_reviews(unit.now), breaker)
    if missing is not None:
        raise _review_missing(unit, missing)
    if not read.reviewers:
        raise NoApproverError(
            "Nobody could review it: besides you and the requester there is nobody in"
            f" {' or '.join(glass.by)}.",
            hint="Ask those who can approve it.",
        )
    return glass


def _review_missing(unit: Unit, use: GlassUse) -> ReviewMissingError:
    return ReviewMissingError(
        f"{unit.name(use.by)} broke the glass over step {use.step} of run {use.run} on"
        f" {use.at:%Y-%m-%d %H:%M} UTC, and nobody has reviewed that, though it was due by"
        f" {use.review_by:%Y-%m-%d %H:%M} UTC.",
        hint=f"Until {' or '.join(use.asked)} did, your group cannot break the glass again."
        " They have a card for it.",
    )


def _record(unit: Unit, house: House, found: _Admitted, order: Breaking, reason: str) -> None:
    request, glass, at = found.request, found.glass, unit.now
    told = found.reviewers[:MOST_TOLD]
    data: dict[str, Json] = {
        "request": request.id,
        "step": request.step,
        "binding": request.binding,
        "review_by": stamp(at + glass.review),
        "people": [*sorted(found.breaker.member_of)],
        "by": list(glass.by),
        "reviewers": [str(unit.ref(one)) for one in told],
        "settles": request.outcome is Outcome.OPEN,
        "step_up": request.terms.step_up is not None,
        "via": order.via,
        "slack": order.slack,
    }
    entry = record(
        unit,
        Draft(
            kind="break_glass.used",
            actor=Actor(kind=ActorKind.USER, ref=found.breaker.ref),
            data=data,
            parts={"reason": Part(value=reason.encode())},
            run=request.run,
        ),
    )
    for message in review_cards(house, unit.glass_use(entry.id), told):
        unit.send(message)
    due = at + glass.review
    unit.set_due(Due(kind=DueKind.REVIEW, key=entry.id, run=request.run, at=due))
    house.dispatcher.enqueue(unit, request.run)
