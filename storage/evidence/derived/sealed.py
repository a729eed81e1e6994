"""An entry as it is handed on: its place, its line, and what the line says, if it can be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from storage.audit_models import AuditEntryRow
from storage.entry_bytes import DECODER
from storage.evidence.contents import CHUNK, PLACE
from workflows.binding import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One entry. The columns are the database's, `members` those of the line, if it has any."""

    idx: int
    id: str
    ts: str
    kind: str
    line: str
    members: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, Any]:
        """What the entry tells."""
        found = self.members.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def actor(self) -> Mapping[str, Any]:
        """Who did it."""
        found = self.members.get("actor")
        return found if isinstance(found, dict) else {}


def in_short(entry: Sealed) -> Sealed:
    """Return an entry without what it tells, for a system that takes none of its size."""
    size = len(entry.line.encode())
    kept = {name: entry.members[name] for name in ("actor", "run") if name in entry.members}
    line = f"The {size} bytes of this entry are left out: too large for the system that takes it."
    return replace(entry, line=line, members={**kept, "data": {"left_out": size}})


def sealed(
    connection: Connection, start: int, end: int, *, run: str | None = None
) -> Iterator[Sealed]:
    """Yield the entries `start` to `end` - 1, of one run if it is named, in the log's order."""
    wanted = select(
        AuditEntryRow.idx,
        AuditEntryRow.uid,
        AuditEntryRow.ts,
        AuditEntryRow.kind,
        AuditEntryRow.line,
    ).where(start <= PLACE, end > PLACE)
    if run is not None:
        wanted = wanted.where(AuditEntryRow.run_id == run)
    rows = connection.execute(wanted.order_by(PLACE), execution_options={"yield_per": CHUNK})
    for row in rows:
        yield Sealed(
            idx=int(row.idx or 0),
            id=str(row.uid),
            ts=str(row.ts),
            kind=str(row.kind),
            line=row.line,
            members=_members(row.line),
        )


def _members(line: str) -> Mapping[str, Any]:
    """Return what a line says, nothing if it is not what a writer would have written.

    What was broken in the database is handed on as text, and verifying names it.
    """
    try:
        found = DECODER.decode(line)
        is_whole = isinstance(found, dict) and canonical(found).decode() == line
    except (ValueError, RecursionError):
        return {}
    return found if is_whole else {}
