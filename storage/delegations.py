"""Reads who is away and who stands in for them.

The rows are written by entries alone (`approval.delegated`); a row that nobody ended may be of
a time that is over, which those who read it look at.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.transaction import Database, Question
from workflows.delegation import Delegation
from workflows.entry import Ref

COLUMNS = "d.entry_id, d.giver, d.stand_in, d.given_at, d.until, d.ended_at"
_SELECT = f"SELECT {COLUMNS} FROM delegation d"  # noqa: S608  our own column names
STANDS = "d.ended_at IS NULL"
MOST = 200


class DelegationSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def hold(self, giver: str) -> Delegation | None:
        """Return what the giver said and did not end, for a unit that will change it."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 3))", giver)
        return self._of(giver)

    def share(self, giver: str) -> Delegation | None:
        """Return the same for units that rest on it: they wait only for one that changes it."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 3))", giver)
        return self._of(giver)

    def _of(self, giver: str) -> Delegation | None:
        found = self.run(f"{_SELECT} WHERE d.giver = ? AND {STANDS}", giver).fetchone()
        return None if found is None else read_delegation(found)

    def of_people(self, people: Collection[str], *, now: datetime) -> dict[Ref, Delegation]:
        """Return what those of `people` said who are away at `now`."""
        if not people:
            return {}
        marks = ", ".join("?" * len(people))
        where = f"d.giver IN ({marks}) AND {STANDS} AND d.until > ?"
        found = self.run(f"{_SELECT} WHERE {where} ORDER BY d.giver", *sorted(people), now)
        return {one.giver: one for one in _all(found)}

    def by_person(self, external_id: str, *, now: datetime) -> Delegation | None:
        """Return what a person said who is away at `now`."""
        found = self.run(
            f"{_SELECT} JOIN audit_subject s ON s.ref = d.giver"
            f" WHERE s.external_id = ? AND {STANDS} AND d.until > ?",
            *(external_id, now),
        ).fetchone()
        return None if found is None else read_delegation(found)

    def to_person(self, external_id: str, *, now: datetime) -> list[Delegation]:
        """Return by whose words a person stands in for others at `now`."""
        (found,) = self.ask(to_person_question(external_id, now=now))
        return [word for word, _ in read_words(found)]

    def between(self, giver: str, stand_in: str) -> list[Delegation]:
        """Return every time the one stood in for the other, over or not."""
        where = "d.giver = ? AND d.stand_in = ?"
        return _all(self.run(f"{_SELECT} WHERE {where} ORDER BY d.given_at", giver, stand_in))

    def one(self, entry: str) -> Delegation | None:
        """Return what an entry said, ended or not."""
        found = self.run(f"{_SELECT} WHERE d.entry_id = ?", entry).fetchone()
        return None if found is None else read_delegation(found)

    def live(self, now: datetime, most: int) -> list[Delegation]:
        """Return who is away at `now`, the first to be back first."""
        where = f"{STANDS} AND d.until > ?"
        found = self.run(f"{_SELECT} WHERE {where} ORDER BY d.until, d.giver LIMIT ?", now, most)
        return _all(found)


def live_delegations(database: Database, *, now: datetime, most: int = MOST) -> list[Delegation]:
    """Return who is away at `now`, the first to be back first."""
    with database.glance() as tx:
        return DelegationSql(tx).live(now, most)


def delegation_told_in(database: Database, entry: str) -> Delegation | None:
    """Return what an entry said, ended or not; None if it was over when it was said."""
    with database.glance() as tx:
        return DelegationSql(tx).one(entry)


def to_person_question(external_id: str, *, now: datetime) -> Question:
    """Return what to ask for the words by which a person stands in for others at `now`.

    `read_words` reads the answer.
    """
    words = (
        f"SELECT {COLUMNS}, g.external_id FROM delegation d"  # noqa: S608  our own column names
        " JOIN audit_subject s ON s.ref = d.stand_in LEFT JOIN audit_subject g ON g.ref = d.giver"
        f" WHERE s.external_id = ? AND {STANDS} AND d.until > ? ORDER BY d.giver"
    )
    return words, (external_id, now)


def read_words(rows: Iterable[Sequence[Any]]) -> list[tuple[Delegation, str | None]]:
    """Return each of the words, and who gave it unless they were erased."""
    return [(read_delegation(word), giver) for *word, giver in rows]


def _all(rows: Iterable[Sequence[Any]]) -> list[Delegation]:
    return [read_delegation(one) for one in rows]


def read_delegation(row: Sequence[Any]) -> Delegation:
    """Return what the columns `COLUMNS` tell of."""
    entry, giver, stand_in, given_at, until, ended_at = row
    return Delegation(
        entry=entry,
        giver=Ref(giver),
        stand_in=None if stand_in is None else Ref(stand_in),
        given_at=read_moment(given_at),
        until=read_moment(until),
        ended_at=read_moment_or_none(ended_at),
    )
