"""One-time codes as stored: whose count and whose wait, and what is kept of attempts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.transaction import Database
from workflows.entry import Ref
from workflows.moments import moment, stamp
from workflows.people import PersonId
from workflows.quick_json import loaded
from workflows.step_up import Enrolment, Guard, Offer

_ENROLMENT = "SELECT id, person, sealed, asked, confirmed_at FROM step_up"
_LIVE = "ended_at IS NULL"


class StepUpSql(RowSql):
    """The statements, on one transaction: the `CodeShelf` of `workflows.step_up`."""

    __slots__ = ()

    def hold(self, person: Ref) -> Guard:
        self.later(
            "INSERT INTO step_up_guard (person, last_step, misses) VALUES (?, -1, '[]')"
            " ON CONFLICT DO NOTHING",
            person,
        )
        tail = "" if self._is_sqlite else " FOR UPDATE"
        found = self.run(
            "SELECT person, last_step, misses, locked_until, offer_id, offer_sealed, offered_at"  # noqa: S608  two fixed texts
            f" FROM step_up_guard WHERE person = ?{tail}",
            person,
        ).fetchone()
        return _guard(found)

    def keep(self, guard: Guard) -> None:
        offer = guard.offer
        self.later(
            "UPDATE step_up_guard SET last_step = ?, misses = ?, locked_until = ?, offer_id = ?,"
            " offer_sealed = ?, offered_at = ? WHERE person = ?",
            guard.last_step,
            json.dumps([stamp(one) for one in guard.misses]),
            guard.locked_until,
            *((None, None, None) if offer is None else (offer.id, offer.sealed, offer.at)),
            guard.person,
        )

    def live(self, person: Ref) -> Sequence[Enrolment]:
        found = self.run(f"{_ENROLMENT} WHERE person = ? AND {_LIVE} ORDER BY id", person)
        return [_enrolment(one) for one in found.fetchall()]

    def enrolment(self, ident: str) -> Enrolment | None:
        found = self.run(f"{_ENROLMENT} WHERE id = ? AND {_LIVE}", ident).fetchone()
        return None if found is None else _enrolment(found)

    def put_secret(self, ident: str, sealed: bytes) -> None:
        self.later("UPDATE step_up SET sealed = ? WHERE id = ?", sealed, ident)

    def drop_secrets(self, person: Ref) -> None:
        self.later(
            "UPDATE step_up SET sealed = NULL WHERE person = ? AND ended_at IS NOT NULL", person
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesStory:
    """What became of codes, without their secret; `ended_how` is replaced, declined or reset."""

    person: Ref
    enrolled_at: datetime
    confirmed_at: datetime | None
    confirmed_by: Ref | None
    ended_at: datetime | None
    ended_by: Ref | None
    ended_how: str


def codes_story(database: Database, enrolment: str) -> CodesStory | None:
    """Return what became of an enrolment, None if there is none of that id."""
    with database.glance() as tx:
        found = tx.run(
            "SELECT person, enrolled_at, confirmed_at, confirmed_by, ended_at, ended_by, ended_how"
            " FROM step_up WHERE id = ?",
            (enrolment,),
        ).fetchone()
    if found is None:
        return None
    person, enrolled_at, confirmed_at, confirmed_by, ended_at, ended_by, how = found
    return CodesStory(
        person=Ref(person),
        enrolled_at=read_moment(enrolled_at),
        confirmed_at=read_moment_or_none(confirmed_at),
        confirmed_by=None if confirmed_by is None else Ref(confirmed_by),
        ended_at=read_moment_or_none(ended_at),
        ended_by=None if ended_by is None else Ref(ended_by),
        ended_how=how or "",
    )


def has_codes(database: Database, person: PersonId) -> tuple[bool, bool]:
    """Say whether a person has codes that count, and whether some of theirs wait."""
    with database.glance() as tx:
        found = tx.run(
            "SELECT u.confirmed_at IS NOT NULL FROM step_up u JOIN audit_subject s"
            " ON s.ref = u.person WHERE s.external_id = ? AND u.ended_at IS NULL",
            (person,),
        ).fetchall()
    states = [bool(one[0]) for one in found]
    return any(states), not all(states)


def _guard(found: Sequence[Any]) -> Guard:
    person, last_step, misses, locked_until, offer_id, sealed, offered_at = found
    return Guard(
        person=Ref(person),
        last_step=last_step,
        misses=tuple(moment(one) for one in loaded(misses)),
        locked_until=read_moment_or_none(locked_until),
        offer=None
        if offer_id is None
        else Offer(id=offer_id, sealed=bytes(sealed), at=read_moment(offered_at)),
    )


def _enrolment(found: Sequence[Any]) -> Enrolment:
    ident, person, sealed, asked, confirmed_at = found
    return Enrolment(
        id=ident,
        person=Ref(person),
        sealed=bytes(sealed or b""),  # One that is lost opens like one that was changed.
        asked=tuple(Ref(one) for one in loaded(asked)),
        is_confirmed=confirmed_at is not None,
    )
