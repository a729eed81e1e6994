"""Holds what a log tells against the registry, which a page for readers of logs rests on."""

import json

from sqlalchemy import select

from storage.audit_models import AuditEntryRow
from storage.transaction import Database
from workflows.kinds import KINDS


def fields_of_no_kind(database: Database) -> set[str]:
    """Return the fields that some entry has although its kind does not."""
    with database.read() as connection:
        rows = connection.execute(select(AuditEntryRow.kind, AuditEntryRow.line)).all()
    return {
        f"{row.kind}: {name}"
        for row in rows
        for name in KINDS[row.kind].unknown(json.loads(row.line)["data"])
    }
