"""Open a database: an SQLite file, or Postgres.

`database.begin()` is the only place that commits, `database.read()` gives a snapshot.
"""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.postgres_database import PostgresDatabase
from storage.sqlite_database import SqliteDatabase
from storage.transaction import Database, Transaction
from workflows.errors import UnusableDatabaseError

__all__ = ["Database", "Transaction", "open_database"]

POSTGRES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
HINT = "Give the path of an SQLite file, or postgresql://user@host/name."


def open_database(url: str) -> Database:
    """Open the database at `url`, or the SQLite file at that path (created when missing).

    Raises:
        UnusableDatabaseError: not a database that we can use, or with unsafe settings.
        StorageUnavailableError: it cannot be reached.
    """
    if "://" not in url:
        return SqliteDatabase(Path(url))
    parsed = _parse(url)
    if parsed.drivername in POSTGRES:
        return PostgresDatabase(parsed.set(drivername="postgresql+psycopg"))
    return SqliteDatabase(_path(parsed))


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise UnusableDatabaseError("This is not the address of a database.", hint=HINT) from None


def _path(url: URL) -> Path:
    if url.drivername != "sqlite":
        raise UnusableDatabaseError(f"{url.drivername} is not supported.", hint=HINT)
    if url.query:
        raise UnusableDatabaseError(
            "SQLite is opened with fixed settings, so its address takes no options.", hint=HINT
        )
    if not url.database or url.database == ":memory:":
        raise UnusableDatabaseError("The trail needs a file; memory forgets it.", hint=HINT)
    return Path(url.database)
