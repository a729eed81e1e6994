"""A demo target's own database: a file in its folder, and what it refuses."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RefusedError(Exception):
    """The target does not do it; `status` is what HTTP calls that."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class OwnDatabase:
    """The file, whose tables are made where they are not there yet."""

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        with self.connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema)

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that begins and commits when it is told to."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()
