"""Values by name, in the same memory however many they are.

The newest lie in a dictionary. When they become many they go into a temporary file of SQLite,
which nobody else sees and which is gone with the pile; while they are few there is none.
"""

import pickle
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.database_errors import no_temporary_room

MOST = 4_000  # Values in memory.
FAR = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE far (name TEXT PRIMARY KEY, mark TEXT, value BLOB) WITHOUT ROWID",
    "CREATE INDEX marked ON far (mark) WHERE mark <> ''",
    "BEGIN",
)
ADD = "INSERT OR REPLACE INTO far (name, mark, value) VALUES (?, ?, ?)"


class Pile:
    """One such pile. A value is replaced by `put`; changing it in place keeps nothing.

    Each method raises `StorageUnavailableError` where there is no room for a temporary file.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._near: dict[str, tuple[str, Any]] = {}  # The mark and the value of each.
        self._marked: dict[str, set[str]] = {}  # The names under each mark, of those near.
        self._far: sqlite3.Connection | None = None

    def put(self, name: str, value: object, *, mark: str = "") -> None:
        """Keep a value, found by its name and, where a mark is given, by that."""
        if len(self._near) >= MOST and name not in self._near:
            self._move_away()
        before, _ = self._near.get(name, ("", None))
        if before:
            self._marked[before].discard(name)
        if mark:
            self._marked.setdefault(mark, set()).add(name)
        self._near[name] = mark, value

    def get(self, name: str) -> Any:  # noqa: ANN401  whatever was put there
        """Return the value of that name, None if there is none."""
        near = self._near.get(name)
        if near is not None:
            return near[1]
        if self._far is None:
            return None
        with _room():
            found = self._far.execute("SELECT value FROM far WHERE name = ?", (name,)).fetchone()
        return None if found is None else _read(found[0])

    def marked(self, mark: str) -> list[tuple[str, Any]]:
        """Return the names and values under a mark."""
        found = [(name, self._near[name][1]) for name in sorted(self._marked.get(mark, ()))]
        if self._far is not None:
            with _room():
                rows = self._far.execute(
                    "SELECT name, value FROM far WHERE mark = ? AND mark <> ''", (mark,)
                ).fetchall()
            found.extend((name, _read(value)) for name, value in rows if name not in self._near)
        return found

    def values(self) -> Iterator[Any]:
        """Yield all values; nothing may be put there meanwhile."""
        for _, value in self._near.values():
            yield value
        if self._far is None:
            return
        with _room():
            for name, value in self._far.execute("SELECT name, value FROM far"):
                if name not in self._near:
                    yield _read(value)

    def _move_away(self) -> None:
        with _room():
            if self._far is None:
                # Whichever thread lets go of the pile closes it.
                self._far = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                weakref.finalize(self, self._far.close)
                for statement in FAR:
                    self._far.execute(statement)
            rows = ((name, mark, pickle.dumps(one)) for name, (mark, one) in self._near.items())
            self._far.executemany(ADD, rows)
        self._near.clear()
        self._marked.clear()


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise no_temporary_room() from error


def _read(stored: bytes) -> Any:  # noqa: ANN401  whatever was put there
    return pickle.loads(stored)  # noqa: S301  written by this process, in a file without a name
