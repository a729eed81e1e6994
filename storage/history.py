"""Read entries back as the engine's values, with the parts that are still held."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, select

from storage.audit_models import AuditEntryRow, AuditPartRow
from storage.entry_bytes import MalformedEntryError, read_line, read_stamp
from workflows.entry import Actor, ActorKind, Entry, Json, PartClass, RunId, StoredPart
from workflows.moments import moment as moment_of
from workflows.moments import stamp

COLUMNS = (AuditEntryRow.seq, AuditEntryRow.idx, AuditEntryRow.line)
HeldParts = Mapping[tuple[int, str], Row[int, str, bytes, bytes]]
Placed: TypeAlias = Row[int, int | None, str]


def read_run(connection: Connection, run: str) -> list[Entry]:
    """Return the entries of a run in their order."""
    rows = connection.execute(
        select(*COLUMNS).where(AuditEntryRow.run_id == run).order_by(AuditEntryRow.rseq)
    ).all()
    return entries_of(connection, rows)


def read_entry(connection: Connection, index: int) -> Entry | None:
    """Return the entry at that place of the log."""
    rows = connection.execute(select(*COLUMNS).where(AuditEntryRow.idx == index)).all()
    return next(iter(entries_of(connection, rows)), None)


def find_entry(connection: Connection, entry_id: str) -> Entry | None:
    """Return the entry of that id, also while its place is pending."""
    rows = connection.execute(select(*COLUMNS).where(AuditEntryRow.uid == entry_id)).all()
    return next(iter(entries_of(connection, rows)), None)


def read_entries(connection: Connection, start: int, end: int) -> list[Entry]:
    """Return the entries of the places `start` to `end` - 1."""
    rows = connection.execute(
        select(*COLUMNS)
        .where(AuditEntryRow.idx >= start, AuditEntryRow.idx < end)
        .order_by(AuditEntryRow.idx)
    ).all()
    return entries_of(connection, rows)


def has_grown(connection: Connection, *, since: int, but_for: Iterable[str]) -> bool:
    """Say whether an entry stands at `since` or later that is of another kind than these."""
    row = AuditEntryRow
    found = select(row.idx).where(row.idx >= since, row.kind.not_in(list(but_for))).limit(1)
    return connection.execute(found).scalar() is not None


def newest_before(connection: Connection, moment: datetime) -> datetime | None:
    """Return the time of the newest entry that is older than `moment`, None before the first."""
    row = AuditEntryRow
    older = select(row.ts).where(row.idx.is_not(None), row.ts < stamp(moment))
    found = connection.execute(older.order_by(row.idx.desc()).limit(1)).scalar()
    with suppress(ValueError):  # That a time is none, verifying says.
        return None if found is None else moment_of(str(found))
    return None


def entries_of(connection: Connection, rows: Iterable[Placed]) -> list[Entry]:
    """Return the entries that `rows` of `COLUMNS` hold, with their parts.

    Raises:
        MalformedEntryError: one of them is none that a log could write.
    """
    found = list(rows)
    held = _held(connection, [row.seq for row in found])
    return [_read(row, held) for row in found]


def _held(connection: Connection, seqs: list[int]) -> HeldParts:
    if not seqs:
        return {}
    rows = connection.execute(
        select(AuditPartRow.entry_seq, AuditPartRow.name, AuditPartRow.salt, AuditPartRow.body)
        .where(AuditPartRow.entry_seq.in_(seqs))
        .order_by(AuditPartRow.entry_seq, AuditPartRow.name)
    )
    return {(row.entry_seq, row.name): row for row in rows}


def _read(row: Placed, held: HeldParts) -> Entry:
    try:
        return _entry(row, held)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Whoever owns the database can write anything.
        place = "without a place" if row.idx is None else row.idx
        raise MalformedEntryError(f"Entry {place} is none that a log could write.") from error


def _entry(row: Placed, held: HeldParts) -> Entry:
    members = read_line(row.line.encode())
    actor = members["actor"]
    return Entry(
        id=members["id"],
        index=row.idx,
        run=None if members["run"] is None else RunId(members["run"]),
        rseq=members["rseq"],
        at=read_stamp(members["ts"]),
        kind=members["kind"],
        actor=Actor(kind=ActorKind(actor["t"]), ref=actor["ref"]),
        data=_object(members["data"]),
        parts={
            name: _part(part, held.get((row.seq, name))) for name, part in members["parts"].items()
        },
    )


def _object(data: object) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise TypeError("its data are no object")
    return data


def _part(committed: Mapping[str, Any], row: Row[int, str, bytes, bytes] | None) -> StoredPart:
    return StoredPart(
        cls=PartClass(committed["cls"]),
        commitment=committed["c"],
        value=None if row is None else bytes(row.body),
        salt=None if row is None else bytes(row.salt),
    )
