"""Draws what people are told about absences: who stands in, and what nobody can decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.run_reading import RunReader, words_of
from bot.views.delegations import Deserted, StandIn, deserted_message, stand_in_message
from bot.views.pieces import Rendered
from bot.views.request_values import Absence, Preview
from bot.wording import Who, who_of
from storage.delegations import delegation_told_in
from storage.history import find_entry
from storage.listing import people_of
from storage.store import SqlStore
from workflows.entry import Ref
from workflows.gate import ApprovalRequest, Decision, Outcome
from workflows.people import PersonId
from workflows.standing_in import back_at, left_to_decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Absences:
    """Who of those that a request waits for is away; `back_at` is when the first is, if all are."""

    told: Sequence[Absence] = ()
    back_at: datetime | None = None


def absences_of(request: ApprovalRequest, given: Sequence[Decision], reader: RunReader) -> Absences:
    """Return who is away of those that an open request waits for."""
    if request.outcome is not Outcome.OPEN:
        return Absences()
    left = left_to_decide(request, given)
    away = reader.away({one for people in left for one in people})
    named = reader.people(
        one for word in away.values() for one in (word.giver, word.stand_in) if one is not None
    )
    somebody = Who(name="somebody")
    told = [
        Absence(
            who=named.get(word.giver, somebody),
            until=word.ends_at,
            stand_in=None if word.stand_in is None else named.get(word.stand_in, somebody),
        )
        for word in away.values()
    ]
    return Absences(told=told, back_at=back_at(left, away))


def stood_in_for(store: SqlStore, person: PersonId, *, at: datetime) -> Mapping[Ref, Who]:
    """Return those in whose place somebody decides at that moment."""
    givers = [word.giver for word in store.standing_in(person, at=at)]
    found = people_of(store.database, givers) if givers else {}
    return {giver: who_of(*found[giver]) for giver in givers if giver in found}


def draw_stand_in(entry: str, store: SqlStore) -> tuple[PersonId, Rendered] | None:
    """Return whom to tell that they stand in, or do so no more, and what they are told."""
    word = delegation_told_in(store.database, entry)
    if word is None or word.stand_in is None:
        return None
    people = people_of(store.database, [word.giver, word.stand_in])
    if word.stand_in not in people:
        return None
    with store.database.read() as connection:
        told = find_entry(connection, entry)
    giver = people.get(word.giver)
    shown = StandIn(
        giver=who_of(*giver) if giver is not None else Who(name="somebody"),
        until=word.until,
        is_over=word.ended_at is not None,
        reason=words_of(told) if told is not None else "",
    )
    return people[word.stand_in][0], stand_in_message(shown)


def draw_deserted(preview: Preview, back_at: datetime, *, card: str) -> Rendered:
    """Return what the requester is told while nobody is there who could decide."""
    return deserted_message(
        Deserted(
            heading=preview.heading,
            back_at=back_at,
            expires=preview.expires,
            card=card,
        )
    )
