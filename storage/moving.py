"""Move a whole log from one database into another (SQLite to Postgres, or back).

The target is filled, read back, verified and compared in one transaction. Then the source is
marked, and last of all the target commits: at no instant do two copies accept entries. Killed
before the mark, nothing happened; killed after it, the same command finishes.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Table, inspect

from storage.database import is_postgres, open_database, sqlite_path
from storage.database_errors import refused_values
from storage.enrolment import verifier_keys
from storage.heads import Head, head
from storage.migrate import TABLE, is_current
from storage.move_marks import Mark, read_mark, set_mark, way_back
from storage.move_places import empty_target, has_rows, hold_still, opened_source, spelled
from storage.rebuild import compare, rebuild
from storage.table_copy import OF_ITS_OWN, TABLES, Tally, Tell, copy_table, tally_of
from storage.transaction import Database
from storage.verify import verify
from storage.verify.database_source import DatabaseSource
from storage.verify.report import BROKEN, MALFORMED, Report
from workflows.errors import StorageError, UnusableDatabaseError

WAIT_MS = 5_000
SHOWN = 3
CHECK = "check of the moved log"
# What a database holds beside the tables of ours that are copied.
BESIDE = ("sqlite_", "summary_fts", "procrastinate_", TABLE, "moved_log")

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A log at its new place: `is_new` is False when an earlier move had brought it there."""

    target: str
    head: Head
    rows: Mapping[str, int] = field(default_factory=dict)
    left: Sequence[str] = ()  # Tables of others, which stay behind.
    is_new: bool = True


def move_log(source_url: str, target_url: str, *, now: Now, tell: Tell) -> Moved:
    """Move the log at `source_url` into the empty database at `target_url`.

    Raises:
        UnusableDatabaseError: the target is not empty, or the source is no intact log.
        HeldElsewhereError: somebody works with the source.
        StorageError: something could not be read or written; nothing changed.
    """
    if spelled(source_url) == spelled(target_url):
        raise UnusableDatabaseError("That is one and the same database.", hint="Name two.")
    with opened_source(source_url) as source:
        done = _done_before(source, target_url)
        if done is not None:
            return done
        return _move(source, target_url, now=now, tell=tell)


def _move(source: Database, target_url: str, *, now: Now, tell: Tell) -> Moved:
    # Left from the right: the source has committed its mark when the target commits.
    with (
        empty_target(target_url) as target,
        source.begin(lock_timeout_ms=WAIT_MS, statement_timeout_ms=0) as tx,
    ):
        hold_still(tx.connection)
        found = _sound_head(tx.connection)
        rows = _copy(tx.connection, target, tell)
        tell(CHECK, 0, found.size)
        _require_same(target, found, pins=verifier_keys(tx.connection)[:1])
        tell(CHECK, found.size, found.size)
        left = _tables_of_others(tx.connection)
        mark = Mark(target=spelled(target_url), size=found.size, at=now())
        set_mark(tx.connection, mark)
    return Moved(target=mark.target, head=found, rows=rows, left=left)


def _copy(source: Connection, target: Connection, tell: Tell) -> dict[str, int]:
    rows: dict[str, int] = {}
    for table in TABLES:
        read = _copy_one(source, target, table, tell)
        if tally_of(target, table) != read:
            raise StorageError(
                f"The table {table.name} reads otherwise at its new place.",
                hint="Nothing was moved. Please report this as a defect.",
            )
        rows[table.name] = read.rows
    return rows


def _copy_one(source: Connection, target: Connection, table: Table, tell: Tell) -> Tally:
    try:
        return copy_table(source, target, table, tell)
    except refused_values() as error:
        raise UnusableDatabaseError(
            f"The table {table.name} holds something that the new database cannot: {error}",
            hint="Nothing was moved.",
        ) from error


def _require_same(target: Connection, found: Head, *, pins: Sequence[str]) -> None:
    """Return if the target is the log that `found` heads, and tells of the same state."""
    _require_sound(verify(DatabaseSource(target), pins, [found.note]), "The moved log")
    if head(target).note != found.note:
        raise StorageError("The moved log has another head.", hint="Nothing was moved.")
    differences = compare(target, rebuild(target))
    if differences:
        told = "; ".join(str(one) for one in differences[:SHOWN])
        raise UnusableDatabaseError(
            f"The tables of this log do not agree with its entries: {told}.",
            hint="Nothing was moved. Somebody changed the tables; restore a backup.",
        )


def _sound_head(connection: Connection) -> Head:
    _require_sound(verify(DatabaseSource(connection), [], quick=True), "The log")
    return head(connection)


def _require_sound(report: Report, what: str) -> None:
    if report.exit in {BROKEN, MALFORMED}:
        told = report.malformed or "; ".join(words for _, words in report.failures[:SHOWN])
        raise UnusableDatabaseError(
            f"{what} does not verify: {told}",
            hint="Nothing was moved. `interlock audit verify` shows all that is wrong.",
        )


def _done_before(source: Database, target_url: str) -> Moved | None:
    """Return what a move that was cut short after its mark had done, None if it is to do."""
    with source.read() as connection:
        mark = read_mark(connection)
        found = head(connection)
    if mark is None:
        return None
    if mark.target != spelled(target_url):
        raise UnusableDatabaseError(
            f"This log moved to {mark.target} already.",
            hint="Move it from there. Only if that copy is given up for good:"
            f" {way_back(source.engine.url)}",
        )
    return _as_moved(target_url, found)


def _as_moved(target_url: str, found: Head) -> Moved | None:
    if not is_postgres(target_url) and not sqlite_path(target_url).exists():
        return None
    with ExitStack() as stack:
        database = open_database(target_url)
        stack.callback(database.close)
        if not is_current(database.engine):
            return None
        connection = stack.enter_context(database.read())
        if not has_rows(connection, "audit_entry"):
            return None
        there = head(connection)
        if there.origin != found.origin or there.size < found.size:
            return None
    return Moved(target=spelled(target_url), head=found, is_new=False)


def _tables_of_others(connection: Connection) -> list[str]:
    known = {table.name for table in TABLES} | OF_ITS_OWN
    return sorted(
        name
        for name in inspect(connection).get_table_names()
        if name not in known and not name.startswith(BESIDE)
    )
