"""A Postgres server: READ COMMITTED for units, one snapshot for reading, commits that last."""

import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar, cast

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import URL, Connection, NullPool, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DisconnectionError, OperationalError

from storage.database_errors import TO_THE_SERVER, storage_refusals
from storage.journey import JourneyConnection, is_idle
from storage.patience import server_patience
from storage.shelf import Shelf
from storage.transaction import Database, Transaction
from storage.travelling import TravellingLook, TravellingTransaction, take_back
from workflows.errors import UnusableDatabaseError

POOL = 16
KEPT_OF_MANY = 4  # A schema shares the server's connections with others.
SCHEMA = re.compile(r"-c\s*search_path=([a-z0-9_]+)")
LOCK_TIMEOUT_MS = 30_000
STATEMENT_TIMEOUT_MS = 60_000
CONNECT_SECONDS = 10
AGAIN_SECONDS = 0.5
# A server whose machine fell silent, as without power, does not even refuse. The system would
# believe in it for a quarter of an hour, and in a quiet connection for two hours.
SILENCE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# What nobody begins is a look. Units say otherwise when they begin.
LOOKS = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
READ_ONLY = "default_transaction_read_only"
# An older server refuses to hear of these, so they cannot stand among the options below. What is
# long here is a migration, the reading of a whole log, or the time between two questions.
NO_LIMIT = (
    "SELECT set_config(name, '0', false) FROM pg_settings"
    " WHERE name IN ('transaction_timeout', 'idle_session_timeout')"
)
# Settings of the server, the database or the role give way to these.
OPTIONS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": r"read\ committed",
    "timezone": "UTC",
    "datestyle": "ISO",  # The driver reads no other.
    "quote_all_identifiers": "off",  # Triggers are compared as the server prints them.
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": "300000",
}

# What a session begins with, whatever was said in it since. Behind a comma stands in which order
# days and months are read, or a further schema.
SET_THERE = "SELECT lower(name), split_part(reset_val, ',', 1) FROM pg_settings"

T = TypeVar("T")


class PostgresDatabase(Database):
    """A database on a Postgres server. Units and looks say BEGIN and COMMIT themselves."""

    def __init__(self, url: URL) -> None:
        said = connection_arguments(url)
        kept = KEPT_OF_MANY if schema_of(url) else POOL
        # Migrations and inspection have SQLAlchemy's own transactions, and connections that
        # are not kept.
        self.engine = create_engine(url, poolclass=NullPool, connect_args=said)
        self._pool = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=kept,
            max_overflow=2 * POOL - kept,
            connect_args=said,
            use_native_hstore=False,  # Each process would ask the server for a type nobody uses.
        )
        event.listen(self.engine, "connect", lift_limit)
        event.listen(self._pool, "do_connect", _connect)
        event.listen(self._pool, "connect", lift_limit)
        event.listen(self._pool, "commit", _refuse_commit)
        event.listen(self._pool, "checkout", _refuse_if_spent)
        self._shelf = Shelf(
            lambda: _patiently(self._pool.raw_connection),
            most=kept // 2,
            is_quiet=lambda lent: lent.is_valid and is_idle(_driver_of(lent)),
            is_alive=lambda lent: (
                _driver_of(lent).takes_changes and not _has_news(_driver_of(lent))
            ),
        )
        self._here = threading.local()
        # A server that cannot be reached is told at open.
        try:
            with storage_refusals(), self._pool.connect() as opened:
                driver = cast("JourneyConnection", opened.connection.driver_connection)
                _require_options(driver, schema_of(url))
                self._require_own_session(driver)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(
        self, *, lock_timeout_ms: int | None = None, statement_timeout_ms: int | None = None
    ) -> Iterator[Transaction]:
        self._refuse_nested()
        self._here.is_inside = True
        try:
            with storage_refusals(), self._shelf.lend() as lent:
                connect = partial(Connection, self._pool, lent)
                tx = TravellingTransaction(connect, _writing(_driver_of(lent)))
                _limit(tx, "lock_timeout", lock_timeout_ms)
                _limit(tx, "statement_timeout", statement_timeout_ms)
                with _undone(tx):
                    yield tx
                    for end in tx.ends:
                        end(tx)
                    tx.commit()
        finally:
            self._here.is_inside = False
        tx.committed()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with storage_refusals(), _patiently(self._pool.connect) as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                take_back(driver)
                raise
            driver.execute("COMMIT")  # Taking it back would forget the prepared statements.

    @contextmanager
    def glance(self) -> Iterator[Transaction]:
        with storage_refusals(), self._shelf.lend() as lent:
            yield TravellingLook(_driver_of(lent))

    def close(self) -> None:
        self._shelf.clear()
        self._pool.dispose()
        self.engine.dispose()

    def _require_own_session(self, driver: JourneyConnection) -> None:
        """Refuse to work where a connection is not one session of the server.

        Who talks to the server itself has its session's number already, and asks once. A pooler
        gives a number of its own; it is asked again, also while another connection is at work.

        Raises:
            UnusableDatabaseError: a pooler works per transaction.
        """
        ours = _session_of(driver)
        if ours == driver.info.backend_pid:
            return
        seen = {ours, _session_of(driver)}
        with self._pool.connect() as other:
            other.exec_driver_sql("BEGIN")
            seen.add(_session_of(driver))
            other.exec_driver_sql("ROLLBACK")
        if seen != {ours}:
            raise UnusableDatabaseError(
                "A pooler hands one session of ours to several of the Postgres server's.",
                hint=f"It works per transaction. {TO_THE_SERVER}",
            )

    def _refuse_nested(self) -> None:
        if getattr(self._here, "is_inside", False):
            raise RuntimeError("A unit is already open in this thread; use it, or end it first.")


def _patiently(connect: Callable[[], T]) -> T:
    """Return a connection; whoever has the patience waits while the server is away."""
    until = time.monotonic() + server_patience()
    while True:
        try:
            return connect()
        except (OperationalError, psycopg.OperationalError):
            if time.monotonic() >= until:
                raise
        time.sleep(AGAIN_SECONDS)


def connection_arguments(url: URL) -> dict[str, Any]:
    """Return how to speak to the server at `url`; options in the address give way to ours.

    How long a silent one is believed in may stand in the address.
    """
    ours = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    return {
        **{name: value for name, value in SILENCE.items() if name not in url.query},
        "application_name": "interlock",
        "client_encoding": "UTF8",
        "connect_timeout": CONNECT_SECONDS,
        "options": f"{options_in(url)} {ours}".strip(),
    }


def lift_limit(driver: Any, _record: object) -> None:  # noqa: ANN401  psycopg's own connection
    """Let a new connection and its transactions last as they need to, whatever the role has."""
    driver.execute(NO_LIMIT)
    driver.commit()


def schema_of(url: URL) -> str:
    """Return the schema that an address names, "" for the one that everybody finds."""
    found = SCHEMA.search(options_in(url))
    return found[1] if found else ""


def with_schema(url: URL, schema: str) -> URL:
    """Return the address of `schema` in the database at `url`."""
    options = f"{options_in(url)} -c search_path={schema}".strip()
    return url.update_query_dict({"options": options})


def options_in(url: URL) -> str:
    """Return what an address says of the settings of its connections."""
    said = url.query.get("options", "")
    return said if isinstance(said, str) else " ".join(said)


def _connect(_dialect: object, _record: object, args: Any, said: Any) -> JourneyConnection:  # noqa: ANN401  as SQLAlchemy has them
    """Open a connection in SQLAlchemy's place."""
    opened = JourneyConnection.connect(*args, **{**said, "autocommit": True})
    # Ours is not to be mistaken for what stands in the server, the database or the role.
    opened.takes_changes = opened.info.parameter_status(READ_ONLY) != "on"
    try:
        opened.execute(LOOKS)
    except BaseException:
        opened.close()
        raise
    return opened


def _refuse_if_spent(driver: Any, *_: object) -> None:  # noqa: ANN401  psycopg's own connection
    """Have a connection replaced that broke, or whose server ended it while nobody used it.

    So is one that takes no changes, after its first use: only a new one hears otherwise.
    """
    if driver.closed or driver.is_outdated or _has_news(driver):
        raise DisconnectionError("This connection is not to be used again.")
    driver.is_outdated = not driver.takes_changes


def _require_options(driver: JourneyConnection, schema: str) -> None:
    """Refuse to work where a session is not set as we ask, by us or by the role.

    Raises:
        UnusableDatabaseError: a pooler keeps it to itself.
    """
    asked = {**OPTIONS, "search_path": schema} if schema else OPTIONS
    found = dict(driver.execute(SET_THERE).fetchall())
    if any(found.get(name) != value.replace("\\", "") for name, value in asked.items()):
        raise UnusableDatabaseError(
            "The settings of the bot's sessions do not reach the Postgres server.",
            hint="A pooler before it leaves them out, as PgBouncer does with"
            f" `ignore_startup_parameters = options`. {TO_THE_SERVER}",
        )


def _session_of(driver: JourneyConnection) -> int:
    """Return which session of the server answers on a connection."""
    return int((driver.execute("SELECT pg_backend_pid()").fetchone() or (0,))[0])


def _driver_of(lent: PoolProxiedConnection) -> JourneyConnection:
    return cast("JourneyConnection", lent.driver_connection)


def _writing(driver: JourneyConnection) -> JourneyConnection:
    """Return a connection for a unit, unless whoever runs the server wants no changes there.

    A unit could say otherwise, and what it keeps would be lost, as in a copy left behind.
    """
    if not driver.takes_changes:
        raise ReadOnlySqlTransaction(f"{READ_ONLY} is on")
    return driver


def _has_news(driver: psycopg.Connection) -> bool:
    """Say whether something came in unasked.

    On a quiet connection that is nothing but its end, so this costs no question to the server,
    and nobody's click is refused after the server was started again.
    """
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLHUP)
    return bool(poll.poll(0))


@contextmanager
def _undone(tx: TravellingTransaction) -> Iterator[None]:
    """Take the unit back, and tell it, when it is not kept."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # What went wrong first is what is told.
            tx.roll_back()
        tx.rolled_back()
        raise


def _refuse_commit(_connection: Connection) -> None:
    raise RuntimeError("Only database.begin() commits.")


def _limit(tx: Transaction, name: str, milliseconds: int | None) -> None:
    if milliseconds is not None:
        tx.later(f"SET LOCAL {name} = {int(milliseconds)}")
