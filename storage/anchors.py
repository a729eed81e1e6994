"""What vouches from outside for heads of the log, as kept, and whose turn it is to be asked.

Nobody is asked here: that is for `bot/anchors`, outside of transactions. What an anchor proves
stands in AUDIT.md section 13.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from storage.anchor_models import AnchorTurnRecord
from storage.audit_models import AuditAnchorRow, AuditCheckpointRow
from storage.change import RowSql
from storage.transaction import Database, Transaction
from workflows.entry import Actor, Draft

NEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What somebody outside gave for a head: `ref` finds it there, `at` is the time they name."""

    type: str
    ref: str
    content: bytes
    at: datetime

    @property
    def digest(self) -> str:
        """Return what the entry says of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A head that somebody outside vouches for."""

    size: int
    type: str
    ref: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a witness is asked next; with failures, since when it fails and what it said last."""

    name: str
    next_at: datetime
    failures: int = 0
    failed_since: datetime | None = None
    error: str = ""


class TurnSql(RowSql):
    """The turns, on one transaction."""

    __slots__ = ()

    def claim(self, name: str, *, now: datetime, until: datetime) -> Turn | None:
        """Take a turn that has come, for this process alone until `until`; None if it has not."""
        self.run(
            "INSERT INTO anchor_turn (name, next_at, failures) VALUES (?, ?, 0)"
            " ON CONFLICT (name) DO NOTHING",
            *(name, now),
        )
        taken = self.run(
            "UPDATE anchor_turn SET next_at = ? WHERE name = ? AND next_at <= ?",
            *(until, name, now),
        )
        if not taken.rowcount:
            return None
        return turn_of(self._tx.connection, name)

    def next_of(self, names: Iterable[str]) -> datetime | None:
        """Return the earliest turn of these, None if nobody was ever asked."""
        wanted = set(names)
        turns = [one.next_at for one in read_turns(self._tx.connection) if one.name in wanted]
        return min(turns, default=None)

    def done(self, name: str, *, next_at: datetime) -> None:
        """Note that a witness did what it was asked for."""
        self.run(
            "UPDATE anchor_turn SET next_at = ?, failures = 0, failed_since = NULL, error = NULL"
            " WHERE name = ?",
            *(next_at, name),
        )

    def failed(self, name: str, error: str, *, at: datetime, next_at: datetime) -> None:
        """Note that a witness did not, and why."""
        self.run(
            "UPDATE anchor_turn SET next_at = ?, failures = failures + 1, error = ?,"
            " failed_since = coalesce(failed_since, ?) WHERE name = ?",
            *(next_at, error, at, name),
        )


def keep_anchor(tx: Transaction, size: int, evidence: Evidence) -> None:
    """Keep what vouches for the head of that size."""
    values = {
        "size": size,
        "type": evidence.type,
        "ref": evidence.ref,
        "evidence": evidence.content,
        "at": evidence.at,
    }
    tx.connection.execute(insert(AuditAnchorRow).values(values))


def anchored(size: int, evidence: Evidence, *, actor: Actor) -> Draft:
    """Return the entry that says so."""
    return Draft(
        kind="checkpoint.anchored",
        actor=actor,
        data={
            "size": size,
            "type": evidence.type,
            "ref": evidence.ref,
            "evidence": evidence.digest,
        },
    )


def turn_of(connection: Connection, name: str) -> Turn:
    """Return the turn of a witness that was asked before."""
    return next(one for one in read_turns(connection) if one.name == name)


def read_turns(connection: Connection) -> list[Turn]:
    """Return the turns of everybody who was ever asked."""
    found = connection.execute(
        select(*AnchorTurnRecord.__table__.columns).order_by(AnchorTurnRecord.name)
    )
    return [
        Turn(
            name=one.name,
            next_at=one.next_at,
            failures=one.failures,
            failed_since=one.failed_since,
            error=one.error or "",
        )
        for one in found
    ]


def read_anchors(connection: Connection, *, most: int) -> list[Anchor]:
    """Return the newest anchors, the newest first."""
    row = AuditAnchorRow
    found = connection.execute(
        select(row.size, row.type, row.ref, row.at).order_by(row.id.desc()).limit(most)
    )
    return [Anchor(size=one.size, type=one.type, ref=one.ref, at=one.at) for one in found]


def newest_of(connection: Connection, kind: str) -> Anchor | None:
    """Return the newest anchor of one type, None if there is none."""
    row = AuditAnchorRow
    found = connection.execute(
        select(row.size, row.type, row.ref, row.at)
        .where(row.type == kind)
        .order_by(row.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    return Anchor(size=found.size, type=found.type, ref=found.ref, at=found.at)


def newest_of_each(connection: Connection) -> list[Anchor]:
    """Return the newest anchor of each type, in order of their names."""
    row = AuditAnchorRow
    newest = select(func.max(row.id)).group_by(row.type)
    found = connection.execute(
        select(row.size, row.type, row.ref, row.at).where(row.id.in_(newest)).order_by(row.type)
    )
    return [Anchor(size=one.size, type=one.type, ref=one.ref, at=one.at) for one in found]


def anchored_notes(connection: Connection) -> Sequence[tuple[int, str]]:
    """Return size and note of the newest heads that somebody outside vouches for."""
    row = AuditCheckpointRow
    sizes = select(AuditAnchorRow.size)
    found = connection.execute(
        select(row.size, row.note)
        .where(row.size.in_(sizes), row.kept_because.is_not(None))
        .order_by(row.size.desc())
        .limit(NEWEST)
    )
    return [(one.size, one.note) for one in found]


def forget_failing(database: Database, *, but: Iterable[str]) -> None:
    """Forget that somebody failed who is not asked any more: nobody could put that right."""
    asked = set(but)
    with database.read() as connection:
        turns = read_turns(connection)
    gone = [one.name for one in turns if one.failures and one.name not in asked]
    if gone:
        with database.begin() as tx:
            for name in gone:
                RowSql(tx).run("DELETE FROM anchor_turn WHERE name = ?", name)
