"""A Postgres server: READ COMMITTED for units, one snapshot for reading, commits that last."""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError

from storage.database_errors import storage_refusals
from storage.patience import server_patience
from storage.transaction import Database, Transaction

POOL = 16
LOCK_TIMEOUT_MS = 30_000
STATEMENT_TIMEOUT_MS = 60_000
CONNECT_SECONDS = 10
AGAIN_SECONDS = 0.5
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
            connect_args=connection_arguments(),
        )
        event.listen(self.engine, "checkout", _refuse_if_hung_up)
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
            with storage_refusals(), self._connect() as connection:
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
        with storage_refusals(), self._connect() as connection:
            yield connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            connection.rollback()

    def close(self) -> None:
        self.engine.dispose()

    def _connect(self) -> Connection:
        """Return a connection; whoever has the patience waits while the server is away."""
        until = time.monotonic() + server_patience()
        while True:
            try:
                return self.engine.connect()
            except OperationalError:
                if time.monotonic() >= until:
                    raise
            time.sleep(AGAIN_SECONDS)

    def _refuse_nested(self) -> None:
        if getattr(self._here, "is_inside", False):
            raise RuntimeError("A unit is already open in this thread; use it, or end it first.")


def connection_arguments() -> dict[str, Any]:
    """Return how to speak to the server, beside its address."""
    return {
        "application_name": "interlock",
        "connect_timeout": CONNECT_SECONDS,
        "options": " ".join(f"-c {name}={value}" for name, value in OPTIONS.items()),
    }


def _refuse_if_hung_up(driver: Any, *_: object) -> None:  # noqa: ANN401  psycopg's own connection
    """Have a connection replaced whose server ended it while nobody used it.

    Nothing arrives unasked on a quiet connection but that, so this costs no question to the
    server, and nobody's click is refused after the server was started again.
    """
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLHUP)
    if poll.poll(0):
        raise DisconnectionError("The server has ended this connection.")


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
