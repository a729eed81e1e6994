"""The two ends of a move: a source that nobody else writes, a target that was empty.

What is done between them is `moving`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from storage.database import is_postgres, open_database, postgres_address, sqlite_path
from storage.flushed import flush_folder
from storage.migrate import is_current, is_newer, of_newer_release, upgrade, upgrade_inside
from storage.sqlite_database import SqliteDatabase
from storage.table_copy import TABLES
from storage.transaction import Database
from workflows.errors import HeldElsewhereError, UnusableDatabaseError

HALF_DONE = ".moving"


@contextmanager
def opened_source(url: str) -> Iterator[Database]:
    """Open the database that a log is to be moved from.

    Raises:
        UnusableDatabaseError: there is none, or it has another schema.
    """
    if not is_postgres(url) and not sqlite_path(url).is_file():
        raise UnusableDatabaseError(
            f"There is no file {sqlite_path(url)}.", hint="Say where the log is: --from."
        )
    database = open_database(url)
    try:
        if not is_current(database.engine):
            if is_newer(database.engine):
                raise of_newer_release()
            raise UnusableDatabaseError(
                "The log to be moved has another schema than this release.",
                hint="Run `interlock migrate` on it first.",
            )
        yield database
    finally:
        database.close()


@contextmanager
def empty_target(url: str) -> Iterator[Connection]:
    """Give the target inside one transaction, tables made; leaving it commits."""
    with _empty_postgres(url) if is_postgres(url) else _empty_file(sqlite_path(url)) as target:
        yield target


@contextmanager
def _empty_postgres(url: str) -> Iterator[Connection]:
    with ExitStack() as stack:
        database = open_database(url)
        stack.callback(database.close)
        tx = stack.enter_context(database.begin(statement_timeout_ms=0))
        _require_empty(tx.connection, spelled(url))
        upgrade_inside(tx.connection)
        _without_limits(tx.connection)
        yield tx.connection


@contextmanager
def _empty_file(path: Path) -> Iterator[Connection]:
    """Give a file beside `path`, which gets its name once it is whole."""
    if path.exists():
        raise _not_empty(spelled(str(path)))
    fresh = path.with_name(path.name + HALF_DONE)
    _remove(fresh)  # Of a move that was killed.
    try:
        with _filling(fresh) as connection:
            yield connection
        fresh.replace(path)
        flush_folder(path.parent)  # The source may be deleted from here on.
    finally:
        _remove(fresh)


@contextmanager
def _filling(fresh: Path) -> Iterator[Connection]:
    database = SqliteDatabase(fresh)
    try:
        upgrade(database.engine)
        with database.begin() as tx:
            yield tx.connection
    finally:
        database.close()


def _remove(file: Path) -> None:
    """Remove a file of SQLite and those beside it: there are people's words in it."""
    for end in ("", "-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)


def _require_empty(connection: Connection, name: str) -> None:
    known = {table.name for table in TABLES}
    present = sorted(known & set(inspect(connection).get_table_names()))
    if not all(_is_ours(connection, one) for one in present):
        raise _not_empty(name)
    if any(has_rows(connection, one) for one in present):
        raise _not_empty(name)


def _is_ours(connection: Connection, name: str) -> bool:
    """Say whether a table by a name of ours is no other program's."""
    table = next(one for one in TABLES if one.name == name)
    found = {str(one["name"]) for one in inspect(connection).get_columns(name)}
    return {one.name for one in table.primary_key.columns} <= found


def _not_empty(name: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"{name} is not empty.", hint="Move into a new, empty database. Nothing was moved."
    )


def spelled(url: str) -> str:
    """Return the address of a database as people may read it: without its password."""
    if not is_postgres(url):
        return f"sqlite:///{sqlite_path(url).absolute()}"
    address = postgres_address(url).set(drivername="postgresql")
    return address.render_as_string(hide_password=True)


def has_rows(connection: Connection, name: str) -> bool:
    """Say whether that table of ours holds anything."""
    table = next(one for one in TABLES if one.name == name)
    return connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None


def hold_still(connection: Connection) -> None:
    """Keep everybody else from writing until this transaction ends.

    Raises:
        HeldElsewhereError: other processes are connected to a Postgres source.
    """
    if connection.dialect.name == "sqlite":
        return  # The unit itself is the one writer.
    _without_limits(connection)
    others = connection.execute(
        text(
            "SELECT count(DISTINCT pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'interlock' AND pid <> pg_backend_pid()"
        )
    ).scalar_one()
    if others:
        raise HeldElsewhereError(
            f"{others} connection(s) of Interlock are open to this database.",
            hint="Stop every `interlock serve` and worker first.",
        )
    connection.execute(
        text(f"LOCK TABLE {', '.join(one.name for one in TABLES)} IN SHARE ROW EXCLUSIVE MODE")
    )


def _without_limits(connection: Connection) -> None:
    """Let long tables take the time they take."""
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))
