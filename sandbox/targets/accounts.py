"""A database of accounts, some of which nobody has used for years.

A trigger keeps its own log of what is deleted or changed, in the same database and out of
reach of any statement that a workflow would run.
"""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TypeAlias

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
  id TEXT PRIMARY KEY, plan TEXT NOT NULL, last_seen TEXT NOT NULL,
  balance INTEGER NOT NULL DEFAULT 0, on_hold INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS account_log (
  seq INTEGER PRIMARY KEY, what TEXT NOT NULL, account TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS account_deleted AFTER DELETE ON account
  BEGIN INSERT INTO account_log (what, account) VALUES ('deleted', old.id); END;
CREATE TRIGGER IF NOT EXISTS account_changed AFTER UPDATE ON account
  BEGIN INSERT INTO account_log (what, account) VALUES ('changed', old.id); END;
"""
ACCOUNTS = 2400
STALE = 164  # Of which a few are on hold, or still hold money.
STALE_BEFORE = date(2024, 1, 1)
SEED = 20240101
Row: TypeAlias = tuple[str, str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to one account."""

    what: str
    account: str


def seed(folder: Path) -> Path:
    """Fill the database in `folder` unless it is filled, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "accounts.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        if not _is_filled(connection):
            connection.executemany("INSERT INTO account VALUES (?, ?, ?, ?, ?)", _accounts())
            connection.execute("PRAGMA user_version = 1")
        connection.execute("COMMIT")
    return path


def address(path: Path) -> str:
    """Return the database's address as SQLAlchemy writes it."""
    return f"sqlite:///{path.resolve()}"


def effects(path: Path) -> list[Change]:
    """Return what happened to accounts since they were seeded, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT what, account FROM account_log ORDER BY seq").fetchall()
    return [Change(what=what, account=account) for what, account in rows]


def count(path: Path) -> int:
    """Return how many accounts there are."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM account").fetchone()[0])


def _is_filled(connection: sqlite3.Connection) -> bool:
    # Not by counting: a purge may have left nothing, and that is not to come back.
    return bool(connection.execute("PRAGMA user_version").fetchone()[0])


@cache
def _accounts() -> Sequence[Row]:
    chance = random.Random(SEED)  # noqa: S311  the same accounts every time are the point
    return [_an_account(number, chance) for number in range(1, ACCOUNTS + 1)]


def _an_account(number: int, chance: random.Random) -> Row:
    is_stale = number % (ACCOUNTS // STALE) == 0 and number // (ACCOUNTS // STALE) <= STALE
    days = chance.randrange(1, 700)
    last_seen = STALE_BEFORE - timedelta(days=days) if is_stale else STALE_BEFORE + timedelta(days)
    plan = chance.choice(("free", "free", "team", "business"))
    balance = chance.randrange(100, 5000) if chance.random() < 0.1 else 0  # noqa: PLR2004  a share
    on_hold = int(is_stale and chance.random() < 0.05)  # noqa: PLR2004  a share
    return f"acc_{number:05d}", plan, last_seen.isoformat(), balance, on_hold
