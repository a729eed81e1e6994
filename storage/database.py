"""Open a database: an SQLite file, or Postgres.

`database.begin()` is the only place that commits, `database.read()` gives a snapshot.
"""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.sqlite_database import SqliteDatabase
from storage.transaction import Database, Transaction
from workflows.errors import UnusableDatabaseError

__all__ = ["Database", "Transaction", "open_database"]

POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
HINT = "Give the path of an SQLite file, or postgresql://user@host/name."
SEVERAL = (
    "Write several servers as postgresql://user@/name?host=db-1,db-2&port=5432,5432, and the signs"
    " @ : / ? # % of a password as %40 %3A %2F %3F %23 %25."
)


def open_database(url: str) -> Database:
    """Open the database at `url`, or the SQLite file at that path (created when missing).

    Raises:
        UnusableDatabaseError: not a database that we can use, or with unsafe settings.
        StorageUnavailableError: it cannot be reached.
    """
    if is_postgres(url):
        # A process on SQLite does not load what a server takes.
        from storage.postgres_database import PostgresDatabase  # noqa: PLC0415 - as said.

        return PostgresDatabase(postgres_address(url))
    return SqliteDatabase(sqlite_path(url))


def is_postgres(url: str) -> bool:
    """Say whether `url` names a Postgres server."""
    return url.partition("://")[0] in POSTGRES and "://" in url


def postgres_address(url: str) -> URL:
    """Return the address with the driver that we use.

    Raises:
        UnusableDatabaseError: it cannot be read, or not everybody would read the same servers.
    """
    parsed = _parse(url)
    _refuse_ambiguous(parsed)
    return parsed.set(drivername="postgresql+psycopg")


def sqlite_path(url: str) -> Path:
    """Return the path of the SQLite file that `url` names.

    Raises:
        UnusableDatabaseError: another kind of database, options, or no file.
    """
    if "://" not in url:
        return _plain_path(url)
    parsed = _parse(url)
    if parsed.drivername != "sqlite":
        raise UnusableDatabaseError(f"{parsed.drivername} is not supported.", hint=HINT)
    if parsed.query:
        raise UnusableDatabaseError(
            "SQLite is opened with fixed settings, so its address takes no options.", hint=HINT
        )
    if not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabaseError("The trail needs a file; memory forgets it.", hint=HINT)
    return Path(parsed.database)


def _plain_path(written: str) -> Path:
    """Return a path as it was written; an address with a slash too few is none."""
    path = written.removeprefix("sqlite:")
    if not path or (path == written and ":" in path.partition("/")[0]):
        raise UnusableDatabaseError("This is not the address of a database.", hint=HINT)
    return Path(path)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise UnusableDatabaseError("This is not the address of a database.", hint=HINT) from None
    except ValueError:  # It would repeat what stands for the port: a part of the password, maybe.
        raise UnusableDatabaseError(
            "The port in the database's address is no number.", hint=SEVERAL
        ) from None


def _refuse_ambiguous(address: URL) -> None:
    """Refuse what SQLAlchemy and libpq, which the job queue and `pg_dump` ask, read differently."""
    hosts, ports = address.query.get("host", ""), address.query.get("port", "")
    is_repeated = isinstance(hosts, tuple) or isinstance(ports, tuple)
    is_mixed = "," in (address.host or "") and address.port is not None
    if is_repeated or is_mixed or (ports and str(ports).count(",") != str(hosts).count(",")):
        raise UnusableDatabaseError(
            "The database's address does not say which port each of its servers has.", hint=SEVERAL
        )
