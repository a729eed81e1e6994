"""The steps that were put to the policy, read from the log one after the other.

Whatever the log holds, only one page of it is in memory. Each page is read by itself, so
nobody waits for whoever reads it all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from storage.audit_models import AuditEntryRow
from storage.entry_bytes import stamp
from storage.history import COLUMNS, entries_of
from storage.transaction import Database
from workflows.entry import Entry

PAGE = 200
MOVED = "run.moved"
_BEGINNINGS = ("run.started", "approval.edited", MOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An entry of a step that was judged, with how its run began and how it was changed since.

    `given` is the entry that has the values it went by, `version` that of the workflow.
    """

    entry: Entry
    started: Entry
    given: Entry
    version: str


def count_judged(database: Database, *, since: datetime) -> int:
    """Return how many there are, for whoever tells people how far it is."""
    wanted = select(func.count()).select_from(AuditEntryRow).where(_is_judged(since))
    with database.read() as connection:
        return int(connection.execute(wanted).scalar_one())


def judged_since(database: Database, *, since: datetime) -> Iterator[Judged]:
    """Yield each step that was judged from `since` on, in the order of the log."""
    newest, is_more = -1, True
    while is_more:
        with database.read() as connection:
            rows = connection.execute(
                select(*COLUMNS)
                .where(AuditEntryRow.seq > newest, _is_judged(since))
                .order_by(AuditEntryRow.seq)
                .limit(PAGE)
            ).all()
            entries = entries_of(connection, rows)
            begun = {one.run: _beginnings(connection, str(one.run)) for one in entries}
        yield from (_judged(one, begun[one.run]) for one in entries)
        is_more = len(rows) == PAGE
        newest = rows[-1].seq if rows else newest


def _is_judged(since: datetime) -> ColumnElement[bool]:
    """Return the condition of a request, or of an effect that was announced without one."""
    row = AuditEntryRow
    # In a canonical line this is the field itself: quotes inside a text are escaped.
    asked_nobody = and_(row.kind == "action.intended", row.line.contains('"request":null'))
    kinds = or_(row.kind == "approval.requested", asked_nobody)
    return and_(row.ts >= stamp(since), kinds)


def _beginnings(connection: Connection, run: str) -> list[Entry]:
    rows = connection.execute(
        select(*COLUMNS)
        .where(AuditEntryRow.run_id == run, AuditEntryRow.kind.in_(_BEGINNINGS))
        .order_by(AuditEntryRow.rseq)
    ).all()
    return entries_of(connection, rows)


def _judged(entry: Entry, beginnings: list[Entry]) -> Judged:
    before = [one for one in beginnings if one.rseq < entry.rseq]
    given = [one for one in before if one.kind != MOVED or "input" in one.parts]
    moves = [one for one in before if one.kind == MOVED]
    version = moves[-1].data["to"] if moves else before[0].data["version"]
    return Judged(entry=entry, started=before[0], given=given[-1], version=str(version))
