"""An SQLite file: its settings, its one writer connection, its readers.

How threads share the writer stands in `group_commit`.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    PoolProxiedConnection,
    QueuePool,
    create_engine,
    event,
)

from storage.database_errors import refusal_of_file, storage_refusals
from storage.group_commit import TURN_TIMEOUT, GroupCommit
from storage.held_file import HeldFile
from storage.shelf import Shelf
from storage.transaction import Database, Question, Transaction
from workflows.errors import UnusableDatabaseError

# One process writes, so only a stranger's tool is waited for, and people wait behind us.
BUSY_TIMEOUT_MS = 1_500
READERS = 16

# Each setting, and what reading it back must give.
SETTINGS = {
    "journal_mode": ("WAL", "wal"),
    # Losing a commit whose receipt is out would look like a rollback.
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    # Erased words are overwritten, not just unlinked.
    "secure_delete": ("ON", 1),
    # Pages; the commit that comes to so many writes all of them into the file.
    "wal_autocheckpoint": ("6000", 6000),
    "busy_timeout": (str(BUSY_TIMEOUT_MS), BUSY_TIMEOUT_MS),
}
# Pages as they were before a savepoint: a file of them would be written, and never overwritten.
OF_THE_WRITER = {"temp_store": ("MEMORY", 2)}


class Look(Transaction):
    """A reader's connection; several questions at once are one snapshot."""

    __slots__ = ()

    def ask(self, *questions: Question) -> list[list[Any]]:
        if len(questions) == 1:
            return super().ask(*questions)
        self._driver.execute("BEGIN")
        try:
            return super().ask(*questions)
        finally:
            self._driver.execute("ROLLBACK")


class SqliteDatabase(Database):
    """One file, written by one connection that threads take in turns, read by many."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _engine(path)
        self._readers = _engine(path)
        event.listen(self._readers, "connect", _read_only)
        self._shelf = Shelf(self._readers.raw_connection, most=READERS // 2, is_quiet=_is_quiet)
        with storage_refusals():
            self._writer = self.engine.connect()
        event.listen(self._writer, "commit", _refuse_commit)
        self._driver = cast("sqlite3.Connection", self._writer.connection.dbapi_connection)
        _set(self._driver, OF_THE_WRITER)
        self._held = HeldFile(path)
        self._turns = GroupCommit(
            self._driver,
            self._unit,
            busy_ms=BUSY_TIMEOUT_MS,
            require_kept=self._held.require,
        )
        self._here = threading.local()

    @contextmanager
    def begin(
        self, *, lock_timeout_ms: int | None = None, statement_timeout_ms: int | None = None
    ) -> Iterator[Transaction]:
        """Open a unit; `statement_timeout_ms` has no meaning on SQLite."""
        del statement_timeout_ms
        self._refuse_nested()
        tx = self._unit()
        self._here.is_inside = True
        try:
            yield from self._body(tx, _seconds(lock_timeout_ms))
        except Exception as error:
            tx.rolled_back()
            refusal = refusal_of_file(error, self.path)
            if refusal is None:
                raise
            raise refusal from error
        except BaseException:
            tx.rolled_back()
            raise
        finally:
            self._here.is_inside = False
        tx.committed()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot; it never waits for a writer, nor a writer for it."""
        with storage_refusals(), self._readers.connect() as connection:
            # Spoken to the driver: through SQLAlchemy these two cost more than what is read.
            driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
            driver.execute("BEGIN")
            try:
                yield connection
            finally:
                driver.execute("ROLLBACK")

    @contextmanager
    def glance(self) -> Iterator[Transaction]:
        """Open a look for the driver; without SQLAlchemy it costs a tenth of `read`."""
        with storage_refusals(), self._shelf.lend() as lent:
            yield Look(None, lent.driver_connection, is_sqlite=True)

    def problem(self) -> str | None:
        return self._held.problem()

    def close(self) -> None:
        """Let go of every connection; the last one folds the WAL into the file."""
        self._writer.close()
        self._shelf.clear()
        self._readers.dispose()
        self.engine.dispose()

    def _body(self, tx: Transaction, timeout: float) -> Iterator[Transaction]:
        turn = self._turns.enter(timeout)
        try:
            yield tx
        except BaseException:
            self._turns.abandon()
            raise
        self._turns.leave(turn, tx)

    def _unit(self) -> Transaction:
        return Transaction(self._writer, self._driver, is_sqlite=True)

    def _refuse_nested(self) -> None:
        if getattr(self._here, "is_inside", False):
            raise RuntimeError("A unit is already open in this thread; use it, or end it first.")


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",  # We say BEGIN and COMMIT ourselves.
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=0,
        connect_args={"check_same_thread": False, "cached_statements": 512},
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(driver: sqlite3.Connection, _record: object) -> None:
    _set(driver, SETTINGS)


def _set(driver: sqlite3.Connection, settings: Mapping[str, tuple[str, object]]) -> None:
    """Set what we rely on, and read it back: a file system without WAL keeps another mode."""
    for name, (wanted, expected) in settings.items():
        driver.execute(f"PRAGMA {name} = {wanted}")
        found = driver.execute(f"PRAGMA {name}").fetchone()[0]
        if found != expected:
            raise UnusableDatabaseError(
                f"SQLite answers {name} = {found!r} where {wanted} is needed.",
                hint="Keep the database on a local disk.",
            )


def _is_quiet(lent: PoolProxiedConnection) -> bool:
    """Say whether nothing is open on a connection."""
    return not cast("sqlite3.Connection", lent.driver_connection).in_transaction


def _read_only(driver: sqlite3.Connection, _record: object) -> None:
    driver.execute("PRAGMA query_only = ON")


def _refuse_commit(_connection: Connection) -> None:
    raise RuntimeError("Only database.begin() commits.")


def _seconds(lock_timeout_ms: int | None) -> float:
    return TURN_TIMEOUT if lock_timeout_ms is None else lock_timeout_ms / 1000
