"""Which entries are meant: by their numbers, or by the time they name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

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
    if bounds.since is not None and bounds.until is not None and bounds.until < bounds.since:
        raise EvidenceError(
            "The period ends before it begins.", hint="Name its first day, then its last."
        )
    start, end = bounds.start, size if bounds.end is None else bounds.end
    if bounds.since is not None or bounds.until is not None:
        first, after = _of_period(connection, bounds, size)
        start, end = max(start, first), min(end, after)
    if not 0 <= start <= end <= size:
        raise EvidenceError(
            f"The log has the entries 0 to {size - 1}; {start} to {end} is no range of them.",
            hint="Name a range within it, the first entry before the last.",
        )
    return start, end


def _of_period(connection: Connection, bounds: Bounds, size: int) -> tuple[int, int]:
    """Return where all entries of a period lie: one wrong clock leaves none of the others out."""
    within: list[ColumnElement[bool]] = [AuditEntryRow.idx.is_not(None)]
    if bounds.since is not None:
        within.append(AuditEntryRow.ts >= stamp(bounds.since))
    if bounds.until is not None:
        within.append(AuditEntryRow.ts < stamp(bounds.until))
    places = (func.min(AuditEntryRow.idx), func.max(AuditEntryRow.idx))
    first, last = connection.execute(select(*places).where(*within)).one()
    if first is None or last is None:
        first, last = (0, -1) if bounds.since is None else (size, size - 1)
    start = 0 if bounds.since is None else first
    return start, size if bounds.until is None else last + 1
