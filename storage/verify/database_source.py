"""A database as the source of a verification: one read-only snapshot, nothing written.

The file is opened as it lies there, so that a vacuumed copy, or one without our triggers,
verifies like the original.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.database import is_postgres, postgres_address, sqlite_path
from storage.database_errors import PRIMARY, passing_trouble
from storage.verify.guards import odd_triggers, unknown_tables
from storage.verify.keyring import KeyRing
from storage.verify.report import Report
from storage.verify.source import (
    Ahead,
    Beside,
    HeldPart,
    StoredAnchor,
    StoredEntries,
    StoredHead,
    StoredSubject,
)
from storage.verify.tables import judge_tables
from storage.verify.walk import Options, quiet, verify
from workflows.errors import StorageError, UnusableDatabaseError

CHUNK = 2_000
TOGETHER = 256  # Entries that are met at once.
TRAIL = frozenset(
    f"audit_{name}"
    for name in ("entry", "part", "subject", "tree", "tile", "checkpoint", "anchor", "hold")
)
# Whatever else a file without its constraints holds there: a number that can be compared.
PLACE = "CAST(e.idx AS BIGINT)"
PLACED = "e.idx IS NOT NULL ORDER BY e.idx, e.seq"
WAITING = "e.idx IS NULL ORDER BY e.seq"
SEQ = 3  # What stands behind place, line and leaf; the columns follow.
COLUMNS = "e.uid, e.run_id, e.rseq, e.ts, e.kind, e.actor_ref, e.workflow"


def verify_database(
    url: str,
    vkeys: Sequence[str],
    checkpoints: Sequence[str] = (),
    *,
    tables: bool = False,
    waits: bool = False,
    **how: Unpack[Options],
) -> Report:
    """Verify the database at `url`; arguments are those of `verify`.

    With `tables`, the rows that are projected from the entries are compared with them, too. What
    cannot be opened or read is a report as well, never an exception; but for a caller that
    `waits`.

    Raises:
        StorageUnavailableError: it is away or its disk is full, and the caller waits for it.
    """
    try:
        with database_source(url) as source:
            if not tables:
                return verify(source, vkeys, checkpoints, **how)
            size, tell = source.expected(), how.pop("progress", quiet)
            how["progress"] = lambda done, whole: tell(done, whole + size)
            report = verify(source, vkeys, checkpoints, **how)
            judge_tables(source.connection, report, tell=lambda done: tell(size + done, 2 * size))
            return report
    except (StorageError, DBAPIError, sqlite3.Error) as error:
        trouble = passing_trouble(error)
        if trouble is not None and waits:
            raise trouble from error
        cause = error.orig if isinstance(error, DBAPIError) else error
        if trouble is not None:
            said = "" if trouble is error else f"({' '.join(str(cause).split())}) "
            told = f"{trouble.message} {said}{trouble.hint}"
            return Report(malformed=told, is_away=True)
        return Report(malformed=f"The database cannot be read: {_reason(cause)}")


def _reason(cause: BaseException | None) -> str:
    code = getattr(cause, "sqlite_errorcode", 0)
    if code & PRIMARY != sqlite3.SQLITE_READONLY:
        return str(cause)
    # So SQLite says it of a file that another program may be writing, in a folder that is shut.
    return (
        "SQLite keeps files beside it while it reads, and may write none into that folder."
        " Copy the database into a folder of yours, and verify the copy."
    )


@contextmanager
def database_source(url: str) -> Iterator["DatabaseSource"]:
    """Open a snapshot of the database at `url`, or of the SQLite file at that path.

    Raises:
        UnusableDatabaseError: it holds no trail, or cannot be opened.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            yield DatabaseSource(connection)
            connection.rollback()
    finally:
        engine.dispose()


class DatabaseSource:
    """The trail in a database, seen through one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._dialect = connection.dialect.name
        # The driver decodes text strictly; bytes show a damaged line instead of stopping at it.
        as_stored = "CAST({} AS BLOB)" if self._dialect == "sqlite" else "{}"
        self._line = as_stored.format("COALESCE(e.line, '')")
        self._leaf = as_stored.format("e.leaf")
        self._tables = frozenset(inspect(connection).get_table_names())
        missing = {"audit_entry", "audit_checkpoint", "audit_tree"} - self._tables
        if missing:
            raise UnusableDatabaseError("This database holds no trail.")

    @property
    def withholds(self) -> bool:
        """A database has every part that is not marked as gone."""
        return False

    def unreadable(self) -> Sequence[tuple[str, str]]:
        """Return nothing: what the database cannot read ends the look at it."""
        return ()

    def judge(self, ring: KeyRing, report: Report) -> None:
        """Nothing vouches for a database but its log."""
        del ring, report

    def expected(self) -> int:
        """Return the size that the stored tree names."""
        tree = self.tree()
        return 0 if tree is None else max(tree[0], 0)

    def entries(self, *, whole: bool) -> Iterator[StoredEntries]:
        """Yield the placed entries by their place."""
        return self._entries(PLACED, whole=whole)

    def _entries(self, which: str, *, whole: bool) -> Iterator[StoredEntries]:
        more = f", e.seq, {COLUMNS}" if whole else ""
        rows = self._rows(
            f"SELECT {PLACE}, {self._line} AS line, {self._leaf} AS leaf{more}"  # noqa: S608  fixed words
            f" FROM audit_entry e WHERE {which}"
        )
        parts = Ahead(self._parts(which)) if whole else None
        while some := list(islice(rows, TOGETHER)):
            places, lines, leaves, *_more = zip(*some, strict=True)
            if self._dialect != "sqlite":  # There the statement says that they are bytes.
                lines, leaves = tuple(map(as_bytes, lines)), tuple(map(as_bytes, leaves))
            beside = partial(self._at, places) if parts is None else partial(_with, parts, some)
            yield StoredEntries(places, lines, list(leaves), beside)

    def leaves_before(self) -> Iterator[bytes]:
        """Yield nothing: a database has every line."""
        return iter(())

    def heads(self) -> Sequence[StoredHead]:
        """Return every stored note."""
        rows = self._rows("SELECT CAST(size AS BIGINT), note FROM audit_checkpoint ORDER BY 1")
        return [StoredHead(size, str(note)) for size, note in rows]

    def anchors(self) -> Sequence[StoredAnchor]:
        """Return the evidence from outside."""
        if "audit_anchor" not in self._tables:
            return []
        rows = self._rows(
            "SELECT CAST(size AS BIGINT), type, evidence FROM audit_anchor ORDER BY id"
        )
        return [StoredAnchor(size, str(kind), as_bytes(content)) for size, kind, content in rows]

    def tree(self) -> tuple[int, bytes] | None:
        """Return the stored size and frontier."""
        # Without a size it is that of no log.
        size = "COALESCE(CAST(size AS BIGINT), -1)"
        rows = list(self._rows(f"SELECT {size}, frontier FROM audit_tree ORDER BY id"))  # noqa: S608  fixed words
        return (rows[0][0], as_bytes(rows[0][1])) if rows else None

    def tiles(self) -> Mapping[tuple[int, int], bytes] | None:
        """Return the stored tiles by level and number."""
        if "audit_tile" not in self._tables:
            return {}
        rows = self._rows("SELECT level, n, hash FROM audit_tile ORDER BY level, n")
        return {(level, n): as_bytes(found) for level, n, found in rows}

    def markers(self) -> Iterator[tuple[int, bytes]]:
        """Yield place and line of every marker, and of what sets a hold."""
        rows = self._rows(
            f"SELECT {PLACE}, {self._line} AS line FROM audit_entry e"  # noqa: S608  fixed words
            " WHERE e.idx IS NOT NULL AND e.kind IN ('erasure', 'retention.sweep', 'hold.set')"
            " ORDER BY e.idx"
        )
        for index, line in rows:
            yield index, as_bytes(line)

    def pending(self) -> Iterator[StoredEntries]:
        """Yield the entries that have no place yet."""
        return self._entries(WAITING, whole=True)

    def repeated(self) -> Sequence[tuple[str, str]]:
        """Return ids and parts that stand where no other may."""
        ids = self._rows(
            "SELECT uid FROM audit_entry GROUP BY uid HAVING count(*) > 1 ORDER BY uid LIMIT 100"
        )
        loose = self._rows(
            "SELECT p.name, p.entry_seq FROM audit_part p WHERE p.entry_seq IS NULL OR p.entry_seq"
            " IN (SELECT entry_seq FROM audit_part EXCEPT SELECT seq FROM audit_entry)"
            " ORDER BY 2, 1 LIMIT 100"
        )
        return [
            *(("duplicate-id", f"The id {uid} stands twice.") for (uid,) in ids),
            *(
                ("disclosure-orphan", f"The part {name} belongs to no entry.")
                for name, _seq in loose
            ),
        ]

    def subjects(self) -> Iterator[StoredSubject]:
        """Yield everyone behind a pseudonym."""
        if "audit_subject" not in self._tables:
            return
        for ref, k, external_id in self._rows(
            "SELECT ref, k, external_id FROM audit_subject ORDER BY ref"
        ):
            yield StoredSubject(str(ref), as_bytes(k), str(external_id))

    def remarks(self) -> Sequence[tuple[str, str]]:
        """Return triggers and tables that are missing, and those that we do not know."""
        gone = sorted(TRAIL - self._tables)
        return [
            *(("trigger", one) for one in odd_triggers(self.connection)),
            *(("table", f"The table {name} is missing.") for name in gone),
            *(("table", one) for one in unknown_tables(self._tables)),
        ]

    def _at(self, places: Sequence[int], number: int) -> Beside:
        """Return the columns of one entry, of the first where its place is taken twice."""
        found = self._rows(
            f"SELECT {COLUMNS} FROM audit_entry e WHERE e.idx = {places[number]:d} ORDER BY e.seq"  # noqa: S608  a number
        )
        columns, *_more = [*found, ()]
        return Beside(tuple(columns))

    def _parts(self, which: str) -> Iterator[tuple[int, HeldPart]]:
        rows = self._rows(
            "SELECT p.entry_seq, p.name, p.salt, p.body, p.cls, p.subject_ref FROM audit_entry e"  # noqa: S608  fixed words
            f" JOIN audit_part p ON p.entry_seq = e.seq WHERE {which}, p.name"
        )
        for seq, *part in rows:
            yield seq, _held_part(*part)

    def _rows(self, statement: str) -> Iterator[Sequence[Any]]:
        if self._dialect == "sqlite":
            # The driver's own rows, a few microseconds each below what SQLAlchemy makes of them.
            driver: Any = self.connection.connection.driver_connection
            return iter(driver.execute(statement))
        # Said for this statement alone: others on the connection may not be queries.
        found = self.connection.execute(text(statement), execution_options={"yield_per": CHUNK})
        return iter(found)


def _with(parts: Ahead, rows: Sequence[Sequence[Any]], number: int) -> Beside:
    row = rows[number]
    return Beside(tuple(row[SEQ + 1 :]), None, parts.take(row[SEQ]))


def _held_part(name: object, salt: object, body: object, cls: object, subject: object) -> HeldPart:
    columns = (str(cls), None if subject is None else str(subject))
    return HeldPart(str(name), as_bytes(salt), as_bytes(body), columns)


def as_bytes(value: object) -> bytes:
    """Return a stored value as bytes, whatever type it was stored with."""
    if type(value) is bytes:  # As nearly always; the union below is made anew at each call.
        return value
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def _engine(url: str) -> Engine:
    if is_postgres(url):
        # A file needs no driver of a server.
        from storage.postgres_database import (  # noqa: PLC0415 - as said.
            connection_arguments,
            lift_limit,
        )

        address = postgres_address(url)
        # Each transaction says that it only reads. A session that does is none for an address
        # with `target_session_attrs=read-write`, as those of several hosts have.
        engine = create_engine(
            address,
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            connect_args=connection_arguments(address),
        )
        event.listen(engine, "connect", lift_limit)
        return engine
    return create_engine(
        "sqlite://",
        creator=_read_only(sqlite_path(url)),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


def _read_only(path: Path) -> Callable[[], sqlite3.Connection]:
    if not path.is_file():
        raise UnusableDatabaseError(f"There is no file {path}.")
    return lambda: sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
