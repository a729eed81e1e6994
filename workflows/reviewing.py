"""The review of a broken glass: who is told, what a reviewer says, and the reminders of it.

The run has mostly ended by then, so what a reviewer says is a fact outside it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from workflows.entry import Actor, ActorKind, Draft, Json, Part, Ref
from workflows.errors import (
    NotAllowedError,
    PeopleUnreadableError,
    ReasonMissingError,
    RequestClosedError,
)
from workflows.gate import ApprovalRequest
from workflows.glass import Finding, GlassUse
from workflows.house import House
from workflows.operators import LOCAL, acting
from workflows.people import CLICK_AGE, PersonId
from workflows.recorder import record
from workflows.store import Delivery, Due, Message, Subject
from workflows.unseen import is_blank

DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What somebody says of a use of the glass."""

    use: str
    person: PersonId
    finding: Finding
    comment: str = ""
    delivery: Delivery | None = None


def requester_of(house: House, request: ApprovalRequest) -> PersonId | None:
    """Return who asked for the run, as a person of Slack where the policy says which."""
    found = house.store.person(Ref(request.requester))
    if found is None or not found.startswith(LOCAL):
        return found
    return acting(found, house.policy(), house.people)


def review_cards(house: House, use: GlassUse, people: Sequence[str] = ()) -> Iterator[Message]:
    """Yield the card of a review: for the channel, and for each reviewer in person.

    `people` are needed only where these are sent for the first time.
    """
    yield Message(subject=Subject.REVIEW, key=use.id, run=use.run, channel=house.alerts)
    for ref, channel in zip(use.reviewers, people or [""] * len(use.reviewers), strict=True):
        key = f"{use.id}/{ref}"
        yield Message(subject=Subject.REVIEW, key=key, run=use.run, channel=channel)


def review(house: House, order: Review) -> bool:
    """Record what a reviewer says of a use of the glass; False if this was recorded before.

    Raises:
        NotAllowedError: it is not for this person to review it.
        RequestClosedError: it is reviewed already.
        ReasonMissingError: it was not right, and nothing says why.
        PeopleUnreadableError, UnknownRunError, StorageError: nothing was recorded.
    """
    use = house.store.glass_use(order.use)
    comment = house.redact(order.comment.strip())
    if order.finding is Finding.NOT_RIGHT and is_blank(comment):
        raise ReasonMissingError(
            "Say why it was not right.", hint="A few words are enough; they stay on record."
        )
    person = house.deciding(order.person, use.run)
    may_review = person.counts and _is_one_of(house, use, order.person)
    requester = requester_of(house, house.store.request(use.request))
    with house.store.begin() as unit:
        unit.lock_run(use.run)
        if order.delivery is not None and unit.is_repeat(order.delivery):
            return False
        use, ref = unit.glass_use(order.use), unit.ref(person.id, person.name)
        if use.finding is order.finding and use.reviewed_by == ref:
            return False
        _refuse_reviewer(use, ref, may_review=may_review, has_asked=requester == person.id)
        data: dict[str, Json] = {"used": use.id, "verdict": order.finding.value, "by_run": use.run}
        parts = {"comment": Part(value=comment.encode())} if comment else {}
        actor = Actor(kind=ActorKind.USER, ref=ref)
        told = Draft(kind="break_glass.reviewed", actor=actor, data=data, parts=parts)
        record(unit, told, *review_cards(house, use))
    return True


def _is_one_of(house: House, use: GlassUse, who: PersonId) -> bool:
    """Say whether somebody stands behind a name that reviews: of then, or of the policy now.

    Raises:
        PeopleUnreadableError: some name could not be read, and no other one names this person.
    """
    rule, unread = house.policy().break_glass, None
    for name in dict.fromkeys((*use.asked, *(rule.by if rule is not None else ()))):
        try:
            if who in house.people.members(name, max_age=CLICK_AGE):
                return True
        except PeopleUnreadableError as error:
            unread = error
    if unread is not None:
        raise unread
    return False


def _refuse_reviewer(use: GlassUse, ref: Ref, *, may_review: bool, has_asked: bool) -> None:
    if use.finding is not None:
        raise RequestClosedError("This is reviewed already.", hint="Nothing was changed.")
    if ref == use.by:
        raise NotAllowedError(
            "You broke the glass, so someone else has to review it.", hint=_reviewers(use)
        )
    if has_asked:
        raise NotAllowedError(
            "You asked for this, so someone else has to review it.", hint=_reviewers(use)
        )
    if not may_review:
        raise NotAllowedError("You are not among those who review this.", hint=_reviewers(use))


def _reviewers(use: GlassUse) -> str:
    return f"It waits for {' or '.join(use.asked)}."


def remind_of_review(house: House, due: Due) -> None:
    """Remind the reviewers, each day, for as long as a use of the glass is not reviewed."""
    use = house.store.glass_use(due.key)
    people = [house.store.person(one) for one in use.reviewers]
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if not unit.take_due(due) or unit.glass_use(use.id).finding is not None:
            return
        number = 1 + (unit.now - use.review_by) // DAILY
        for message in _reminders(house, use, people, number):
            unit.send(message)
        unit.set_due(replace(due, at=use.review_by + number * DAILY))


def _reminders(
    house: House, use: GlassUse, people: Iterable[PersonId | None], number: int
) -> Iterator[Message]:
    yield from review_cards(house, use)  # They say that they are overdue.
    key = f"{use.id}/overdue-{number}"
    yield Message(subject=Subject.REVIEW, key=key, run=use.run, channel=house.alerts)
    for ref, person in zip(use.reviewers, people, strict=True):
        if person is not None:
            told = f"{key}/{ref}"
            yield Message(subject=Subject.REVIEW, key=told, run=use.run, channel=person)
