"""The mark by which a copy of the log that moved elsewhere is known, so that nobody goes on here.

Entries stay as they were, so the copy verifies as before. A trigger refuses new ones, also
those of a process that was overlooked; it stands only while the mark does.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import URL, Connection, delete, insert, select, text

from storage.database_errors import LOG_MOVED
from storage.move_models import MovedLogRow
from storage.transaction import Database
from workflows.errors import UnusableDatabaseError

SHUT = {
    "sqlite": [
        """
        CREATE TRIGGER audit_entry_log_moved BEFORE INSERT ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'this log moved'); END
        """,
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION audit_log_moved() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN RAISE EXCEPTION 'this log moved' USING ERRCODE = '{LOG_MOVED}'; END
        $body$
        """,
        """
        CREATE TRIGGER audit_entry_log_moved BEFORE INSERT ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_log_moved()
        """,
    ],
}
OPEN = {
    "sqlite": ["DROP TRIGGER IF EXISTS audit_entry_log_moved"],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_entry_log_moved ON audit_entry",
        "DROP FUNCTION IF EXISTS audit_log_moved()",
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a log moved to, when, and how many entries it had."""

    target: str
    size: int
    at: datetime

    @property
    def words(self) -> str:
        """Say where the log went, and when."""
        return (
            f"This log moved to {self.target} on {self.at:%Y-%m-%d at %H:%M} UTC, with"
            f" {self.size} entries. It goes on there."
        )


def read_mark(connection: Connection) -> Mark | None:
    """Return the mark of a copy whose log moved, None where the log is at home."""
    row = connection.execute(
        select(MovedLogRow.target, MovedLogRow.size, MovedLogRow.moved_at)
    ).one_or_none()
    return None if row is None else Mark(target=row.target, size=row.size, at=row.moved_at)


def set_mark(connection: Connection, mark: Mark) -> None:
    """Mark this copy and shut it; one that was marked before gets the new mark."""
    clear_mark(connection)
    connection.execute(
        insert(MovedLogRow).values(id=1, target=mark.target, size=mark.size, moved_at=mark.at)
    )
    _run(connection, SHUT[connection.dialect.name])


def clear_mark(connection: Connection) -> None:
    """Open this copy again."""
    connection.execute(delete(MovedLogRow))
    _run(connection, OPEN[connection.dialect.name])


def take_back(database: Database) -> Mark | None:
    """Let the log go on here; return the mark that stood, None if there was none.

    It must not go on at both places: whoever calls this knows that the other one is given up.
    """
    with database.begin() as tx:
        mark = read_mark(tx.connection)
        if mark is not None:
            clear_mark(tx.connection)
    return mark


def way_back(here: URL) -> str:
    """Return the command that lets the log go on in the database at `here`, as one types it."""
    shown = here.set(drivername=here.get_backend_name()).render_as_string(hide_password=True)
    password = "" if here.password is None else " (with its password)"
    return f"`interlock move --take-back --from {shlex.quote(shown)}`{password}."


def refuse_moved(connection: Connection) -> None:
    """Return if the log is at home here.

    Raises:
        UnusableDatabaseError: it moved; the message says where to and when.
    """
    mark = read_mark(connection)
    if mark is not None:
        raise UnusableDatabaseError(
            mark.words,
            hint="Set INTERLOCK_DATABASE_URL to that address. Only if the copy there is given up"
            f" for good: {way_back(connection.engine.url)}",
        )


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.execute(text(statement))
