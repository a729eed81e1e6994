"""What a unit of work and an open database are, whichever database it is.

How a commit happens on SQLite stands in `sqlite_database`, on Postgres in `postgres_database`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine

AtEnd: TypeAlias = "Callable[[Transaction], None]"


class Transaction:
    """One unit of work: what happens on `connection` is kept as a whole or not at all.

    `driver` is the driver's own connection, for the few hottest statements; `notes` holds what
    a unit has to tell those who act at its end, by name.
    """

    __slots__ = ("_after", "_undos", "connection", "driver", "ends", "is_sqlite", "notes")

    def __init__(self, connection: Connection, driver: Any) -> None:  # noqa: ANN401  sqlite3 or psycopg
        self.connection = connection
        self.driver = driver
        self.is_sqlite = connection.dialect.name == "sqlite"
        self.ends: dict[AtEnd, None] = {}
        self.notes: dict[str, Any] = {}
        self._after: list[Callable[[], None]] = []
        self._undos: list[Callable[[], None]] = []

    def at_end(self, end: AtEnd) -> None:
        """Call `end` once before the commit, however many units that commit together ask for it.

        It runs after their bodies and outside their savepoints: if it fails, all of them fail.
        """
        self.ends[end] = None

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call `call` once after a successful commit, outside the transaction."""
        self._after.append(call)

    def on_rollback(self, call: Callable[[], None]) -> None:
        """Call `call` once if this unit is not kept."""
        self._undos.append(call)

    def committed(self) -> None:
        """Run what was to happen after the commit. The database calls it."""
        for call in self._after:
            call()

    def rolled_back(self) -> None:
        """Run what was to happen if this unit is not kept. The database calls it."""
        for call in reversed(self._undos):
            call()


class Database(ABC):
    """An open database. `engine` is for migrations and inspection."""

    engine: Engine

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @abstractmethod
    def begin(
        self, *, lock_timeout_ms: int | None = None, statement_timeout_ms: int | None = None
    ) -> AbstractContextManager[Transaction]:
        """Open a unit; leaving it commits, an exception takes all of it back.

        A unit inside another one of the same thread is refused: it could not be kept alone.

        Raises:
            StorageUnavailableError: locked, full or unreachable; nothing was recorded.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """Open a snapshot for reading: every statement in it sees the same state.

        Raises:
            StorageUnavailableError: the database cannot be reached.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection."""
