"""A database in production whose schema is brought up and down by a program of its own.

The program lies beside the database as `migrate.py`, knows nothing of Interlock, and keeps its
own log of what it did.
"""

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("ledger_migrate.py")
FIRST = 4  # The version it is seeded with.
CUSTOMERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """One step of the schema, up or down, to a version."""

    way: str
    version: int


def seed(folder: Path) -> Path:
    """Make the database and its program in `folder` unless they are there; return the folder."""
    here = folder / "ledger"
    here.mkdir(parents=True, exist_ok=True)
    (here / "migrate.py").write_text(PROGRAM.read_text())
    with closing(sqlite3.connect(here / "ledger.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            _fill(connection)
        connection.execute("COMMIT")
    return here


def program() -> str:
    """Return what runs the program."""
    return sys.executable


def database(folder: Path) -> Path:
    """Return the database of a seeded folder."""
    return folder / "ledger.db"


def effects(folder: Path) -> list[Migrated]:
    """Return what the program did, oldest first."""
    with closing(sqlite3.connect(database(folder))) as connection:
        rows = connection.execute("SELECT way, version FROM migration_log ORDER BY seq").fetchall()
    return [Migrated(way=way, version=version) for way, version in rows]


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
    connection.execute("INSERT INTO schema_version VALUES (?)", (FIRST,))
    connection.execute(
        "CREATE TABLE migration_log (seq INTEGER PRIMARY KEY, way TEXT NOT NULL,"
        " version INTEGER NOT NULL)"
    )
    connection.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    rows = [(number, f"Customer {number}") for number in range(1, CUSTOMERS + 1)]
    connection.executemany("INSERT INTO customer VALUES (?, ?)", rows)
    connection.execute("PRAGMA user_version = 1")
