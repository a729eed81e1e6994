"""Rows on their way into reports: kept on disk, given back by report in the order of the log."""

import sqlite3
from collections.abc import Iterator

# What each entry adds comes together; the sorter of SQLite spills to disk by itself.
_TABLE = "CREATE TABLE row (report TEXT, idx INTEGER, n INTEGER PRIMARY KEY, text TEXT)"


class Spool:
    """A heap of rows that no process keeps in memory and no other one sees."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # A file without a name, gone when it is closed.
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(_TABLE)

    def add(self, report: str, idx: int, text: str) -> None:
        """Keep a row of `report` that rests on the entry at `idx`."""
        self._db.execute(
            "INSERT INTO row (report, idx, text) VALUES (?, ?, ?)", (report, idx, text)
        )

    def rows(self, report: str) -> Iterator[str]:
        """Yield the rows of `report` by their entries, those of one entry as they came."""
        for _, text in self.placed(report):
            yield text

    def placed(self, report: str) -> Iterator[tuple[int, str]]:
        """Yield the same with the place of the entry that each rests on."""
        wanted = "SELECT idx, text FROM row WHERE report = ? ORDER BY idx, n"
        yield from self._db.execute(wanted, (report,))

    def close(self) -> None:
        """Forget everything."""
        self._db.close()
