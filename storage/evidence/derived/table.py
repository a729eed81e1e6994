"""Entries as one table for a spreadsheet: their columns, and what they tell as JSON."""

from storage.evidence.cells import csv_row
from storage.evidence.derived.sealed import Sealed
from workflows.binding import canonical

COLUMNS = ("idx", "ts", "kind", "run", "rseq", "actor_type", "actor", "id", "data", "parts")


def header() -> bytes:
    """Return the first line."""
    return csv_row(COLUMNS).encode()


def table_row(entry: Sealed) -> bytes:
    """Return the line of an entry."""
    parts = entry.members.get("parts")
    names = " ".join(sorted(parts)) if isinstance(parts, dict) else ""
    row = (
        entry.idx,
        entry.ts,
        entry.kind,
        entry.members.get("run"),
        entry.members.get("rseq"),
        entry.actor.get("t"),
        entry.actor.get("ref"),
        entry.id,
        canonical(dict(entry.data)).decode(),
        names,
    )
    return csv_row(row).encode()
