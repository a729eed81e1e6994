"""What the target itself remembers: every request that arrived and every effect it had.

Nothing here keeps an effect from happening twice unless the request came through the door
that honours keys, so a second effect can be seen. Each row is on the disk before the answer
leaves (`synchronous=FULL`): a target that was told to act has acted, whoever dies.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS effect (
  seq INTEGER PRIMARY KEY, at REAL NOT NULL, door TEXT NOT NULL, key TEXT NOT NULL,
  subject TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS effect_subject ON effect (subject);
CREATE INDEX IF NOT EXISTS effect_key ON effect (key);
CREATE TABLE IF NOT EXISTS arrival (
  seq INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, subject TEXT NOT NULL,
  is_settled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS arrival_subject ON arrival (subject);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that really happened to `subject`, in the order in which it did."""

    seq: int
    at: float
    door: str
    key: str
    subject: str
    value: str


class Ledger:
    """The target's memory in one file; any number of threads and processes may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        with self._opened() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    def arrive(self, key: str, subject: str) -> tuple[int, bool]:
        """Note a request; return its number, and whether it is the first for that subject."""
        with self._changing() as connection:
            row = connection.execute(
                "SELECT count(*) FROM arrival WHERE subject = ?", (subject,)
            ).fetchone()
            number = connection.execute(
                "INSERT INTO arrival (at, key, subject) VALUES (?, ?, ?)",
                (time.time(), key, subject),
            ).lastrowid
        return int(number or 0), row[0] == 0

    def settle(self, arrival: int) -> None:
        """Note that a request will have no further effect."""
        with self._changing() as connection:
            connection.execute("UPDATE arrival SET is_settled = 1 WHERE seq = ?", (arrival,))

    def act(self, door: str, key: str, subject: str, *, value: str, honours_key: bool) -> bool:
        """Have the effect; False if the key had it already and the door honours keys."""
        with self._changing() as connection:
            if honours_key and self._has(connection, key):
                return False
            connection.execute(
                "INSERT INTO effect (at, door, key, subject, value) VALUES (?, ?, ?, ?, ?)",
                (time.time(), door, key, subject, value),
            )
        return True

    def knows(self, key: str) -> bool:
        """Say whether an effect happened under that key."""
        with self._opened() as connection:
            return self._has(connection, key)

    def effects(self, subject: str | None = None) -> list[Effect]:
        """Return every effect, or those on one subject, oldest first."""
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT seq, at, door, key, subject, value FROM effect"
                " WHERE ? IS NULL OR subject = ? ORDER BY seq",
                (subject, subject),
            ).fetchall()
        return [
            Effect(seq=seq, at=at, door=door, key=key, subject=what, value=value)
            for seq, at, door, key, what, value in rows
        ]

    def is_busy(self, subject: str | None = None) -> bool:
        """Say whether a request that arrived may still have an effect."""
        with self._opened() as connection:
            found = connection.execute(
                "SELECT 1 FROM arrival WHERE is_settled = 0 AND (? IS NULL OR subject = ?) LIMIT 1",
                (subject, subject),
            ).fetchone()
        return found is not None

    def _has(self, connection: sqlite3.Connection, key: str) -> bool:
        found = connection.execute("SELECT 1 FROM effect WHERE key = ? LIMIT 1", (key,)).fetchone()
        return found is not None

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._writing, self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
        finally:
            connection.close()
