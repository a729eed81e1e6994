"""One transaction on somebody else's database, which ends in time whatever that does.

SQLite and Postgres differ in how a transaction begins, how it is kept from writing and how
it is stopped; all of that is here. What the failures mean is for `storage/rows`.
"""

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from workflows.errors import ActionFailedError

POSTGRES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
STEPS = 100_000  # How many steps SQLite takes before it asks again, some milliseconds.
GRACE = 1.0  # Postgres stops a statement itself; the connection is cut only if it does not.


class Session:
    """An open transaction: the connection, and whether time ran out on it."""

    def __init__(self, connection: Connection, *, timeout: float) -> None:
        self.connection = connection
        self.timeout = timeout
        self.is_late = False
        self.is_committing = False
        self._raw: Any = connection.connection.dbapi_connection

    @property
    def is_sqlite(self) -> bool:
        return isinstance(self._raw, sqlite3.Connection)

    def begin(self, *, is_read: bool, role: str | None) -> None:
        """Begin the transaction; one that reads can change nothing.

        Raises:
            ActionFailedError: it is to act as a role, and this database knows none.
        """
        run = self.connection.exec_driver_sql
        milliseconds = max(1, int(self.timeout * 1000))
        if self.is_sqlite:
            # An interruption between two statements is lost, so each asks whether it is late.
            self._raw.set_progress_handler(lambda: self.is_late, STEPS)
            run(f"PRAGMA busy_timeout = {milliseconds}")
            run("PRAGMA foreign_keys = ON")
            run(f"PRAGMA query_only = {int(is_read)}")
            if role is not None:
                raise ActionFailedError(
                    "SQLite knows no roles.",
                    error_class="role_refused",
                    hint="Take `role` and `read_role` out of this database in policy.yaml.",
                )
            run("BEGIN" if is_read else "BEGIN IMMEDIATE")
            return
        if is_read:
            run("SET TRANSACTION READ ONLY")
        run(f"SET LOCAL statement_timeout = {milliseconds}")
        run(f"SET LOCAL lock_timeout = {milliseconds}")
        run("SET LOCAL timezone = 'UTC'")
        if role is not None:
            run(f'SET LOCAL ROLE "{role}"')  # The policy takes plain names alone.

    def commit(self) -> None:
        """Commit; from here on a lost connection leaves the outcome unknown."""
        self.is_committing = True
        self.connection.commit()

    def stop(self) -> None:
        """End whatever the database is doing for us now."""
        self.is_late = True
        if self.is_sqlite:
            self._raw.interrupt()
            return
        # The copy shares the connection: shutting it down wakes whoever waits on it.
        import psycopg  # noqa: PLC0415 - loaded already, since this is a connection of its.

        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self._raw.fileno())) as copy,
        ):
            copy.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_session(
    url: str, *, timeout: float, is_read: bool, role: str | None = None
) -> Iterator[Session]:
    """Open a transaction on `url`; unless it is committed it is rolled back.

    Raises:
        ActionFailedError: no address of a database we can use.
        sqlalchemy.exc.DBAPIError: it cannot be reached, or refuses.
    """
    ends = time.monotonic() + timeout
    engine = _engine(url, timeout=timeout)
    try:
        with engine.connect() as connection:
            session = Session(connection, timeout=max(0.001, ends - time.monotonic()))
            with _watched(session):
                session.begin(is_read=is_read, role=role)
                yield session
    finally:
        engine.dispose()


@contextmanager
def _watched(session: Session) -> Iterator[None]:
    grace = 0.0 if session.is_sqlite else GRACE
    watch = threading.Timer(session.timeout + grace, session.stop)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join()  # It must not touch a connection that is closed already.


def _engine(url: str, *, timeout: float) -> Engine:
    parsed = _parse(url)
    if parsed.drivername in POSTGRES:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={
                "application_name": "interlock-action",
                "connect_timeout": max(1, int(timeout)),
            },
        )
    path = parsed.database or ""
    if parsed.drivername != "sqlite" or path in {"", ":memory:"} or parsed.query:
        raise _unusable()
    address = f"file:{quote(path)}?mode=rw"  # A file that is not there is not to appear.
    return create_engine(
        "sqlite://",
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False
        ),
    )


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # The latter of a port that is no number.
        raise _unusable() from None  # The fault would repeat the address and its password.


def _unusable() -> ActionFailedError:
    return ActionFailedError(
        "This database's address cannot be used.",
        error_class="unusable_address",
        hint="Write sqlite:////path/to/file or postgresql://user@host/name in policy.yaml.",
    )
