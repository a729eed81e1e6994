"""Holds what a log tells against the registry, which a page for readers of logs rests on."""

import json

from storage.transaction import Database
from workflows.kinds import KINDS


def fields_of_no_kind(database: Database) -> set[str]:
    """Return the fields that some entry has although its kind does not."""
    with database.read() as connection:
        # As text: a test's database has compiled no statement of SQLAlchemy's yet.
        rows = connection.exec_driver_sql("SELECT kind, line FROM audit_entry").all()
    return {
        f"{kind}: {name}"
        for kind, line in rows
        for name in KINDS[kind].unknown(json.loads(line)["data"])
    }
