"""A Postgres server: READ COMMITTED for units, one snapshot for reading, commits that last."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine

from storage.database_errors import storage_refusals
from storage.transaction import Database, Transaction

POOL = 16
LOCK_TIMEOUT_MS = 30_000
STATEMENT_TIMEOUT_MS = 60_000
# Settings of the server, the database or the role give way to these.
OPTIONS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": r"read\ committed",
    "timezone": "UTC",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": "300000",
}


class PostgresDatabase(Database):
    """A database on a Postgres server."""

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(
            url,
            pool_size=POOL,
            max_overflow=POOL,
            connect_args={
                "application_name": "interlock",
                "options": " ".join(f"-c {name}={value}" for name, value in OPTIONS.items()),
            },
        )
        self._here = threading.local()
        with storage_refusals(), self.engine.connect():
            pass  # A server that cannot be reached is told at open.

    @contextmanager
    def begin(
        self, *, lock_timeout_ms: int | None = None, statement_timeout_ms: int | None = None
    ) -> Iterator[Transaction]:
        self._refuse_nested()
        self._here.is_inside = True
        try:
            with storage_refusals(), self.engine.connect() as connection:
                tx = Transaction(connection, connection.connection.dbapi_connection)
                with _undone(tx), connection.begin():
                    _limit(connection, "lock_timeout", lock_timeout_ms)
                    _limit(connection, "statement_timeout", statement_timeout_ms)
                    yield tx
                    for end in tx.ends:
                        end(tx)
        finally:
            self._here.is_inside = False
        tx.committed()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with storage_refusals(), self.engine.connect() as connection:
            yield connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            connection.rollback()

    def close(self) -> None:
        self.engine.dispose()

    def _refuse_nested(self) -> None:
        if getattr(self._here, "is_inside", False):
            raise RuntimeError("A unit is already open in this thread; use it, or end it first.")


@contextmanager
def _undone(tx: Transaction) -> Iterator[None]:
    """Tell the unit when it is not kept."""
    try:
        yield
    except BaseException:
        tx.rolled_back()
        raise


def _limit(connection: Connection, name: str, milliseconds: int | None) -> None:
    if milliseconds is not None:
        connection.exec_driver_sql(f"SET LOCAL {name} = {int(milliseconds)}")
