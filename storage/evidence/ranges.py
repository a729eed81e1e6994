"""Which entries are meant: by their numbers, or by the time they name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow
from workflows.errors import EvidenceError
from workflows.moments import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Entries `start` to `end` - 1 (to the head if None), bounded by time as well if wanted."""

    start: int = 0
    end: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def places(connection: Connection, bounds: Bounds, size: int) -> tuple[int, int]:
    """Return the first entry that is meant and the one after the last, of a log of `size`.

    Raises:
        EvidenceError: the log has no such range.
    """
    start, end = bounds.start, size if bounds.end is None else bounds.end
    if bounds.since is not None:
        start = max(start, _first_at(connection, bounds.since, size))
    if bounds.until is not None:
        end = min(end, _first_at(connection, bounds.until, size))
    if not 0 <= start <= end <= size:
        raise EvidenceError(
            f"The log has the entries 0 to {size - 1}; {start} to {end} is no range of them.",
            hint="Name a range within it, the first entry before the last.",
        )
    return start, end


def _first_at(connection: Connection, moment: datetime, size: int) -> int:
    """Return the place of the first entry that is not older than `moment`."""
    found = connection.execute(
        select(func.min(AuditEntryRow.idx)).where(
            AuditEntryRow.idx.is_not(None), AuditEntryRow.ts >= stamp(moment)
        )
    ).scalar()
    return size if found is None else int(found)
