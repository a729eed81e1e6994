"""What a unit of work and an open database are, whichever database it is.

How a commit happens on SQLite stands in `sqlite_database`, on Postgres in `postgres_database`
and `travelling`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine

from workflows.errors import StorageError

AtEnd: TypeAlias = "Callable[[Transaction], None]"
Cursor: TypeAlias = Any  # sqlite3's, or the answer of a journey to a server.
Failed: TypeAlias = Callable[[Exception], None]
Tell: TypeAlias = Callable[[Cursor], None]
Question: TypeAlias = tuple[str, Sequence[object]]  # A statement with `?`, and its values.


class Transaction:
    """One unit of work: what happens on `connection` is kept as a whole or not at all.

    The hottest statements are said to the driver itself, by `run`, `later` and `ask`, with `?`
    for each value. `notes` holds what a unit has to tell those who act at its end, by name.
    """

    __slots__ = (
        "_after",
        "_connection",
        "_driver",
        "_undos",
        "ends",
        "failures",
        "is_sqlite",
        "notes",
    )

    def __init__(self, connection: Connection | None, driver: Any, *, is_sqlite: bool) -> None:  # noqa: ANN401  sqlite3 or psycopg
        self._connection = connection
        self._driver = driver
        self.is_sqlite = is_sqlite
        self.ends: dict[AtEnd, None] = {}
        self.failures: dict[Failed, None] = {}
        self.notes: dict[Hashable, Any] = {}
        self._after: list[Callable[[], None]] = []
        self._undos: list[Callable[[], None]] = []

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's view of this unit."""
        if self._connection is None:
            raise RuntimeError("SQLAlchemy does not take part in this look.")
        return self._connection

    @property
    def driver(self) -> Any:  # noqa: ANN401  sqlite3 or psycopg
        """The driver's own connection."""
        return self._driver

    def run(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        """Execute a statement now; return the driver's cursor."""
        return self._driver.execute(statement, values)

    def later(
        self,
        statement: str,
        values: Sequence[object] = (),
        *,
        refusal: str = "",
        tell: Tell | None = None,
    ) -> None:
        """Execute a statement whose answer nobody waits for, before anything said after it.

        On a server it travels with the next one, so a refusal may come as late as the commit.
        With `refusal` it has to touch a row: where it touches none, that is said, and nothing
        of this unit may be kept. `tell` looks at its cursor, maybe once all is committed, and
        only has something done after that.

        Raises:
            StorageError: it says `refusal`.
        """
        cursor = self.run(statement, values)
        if refusal and not cursor.rowcount:
            raise StorageError(refusal)
        if tell is not None:
            tell(cursor)

    def ask(self, *questions: Question) -> list[list[Any]]:
        """Return the rows of each question, asked one after the other in one journey."""
        return [self.run(words, values).fetchall() for words, values in questions]

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

    def on_failure(self, call: Failed) -> None:
        """Call `call` with the error, each time a statement that waited is refused."""
        self.failures[call] = None

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
    def glance(self) -> AbstractContextManager[Transaction]:
        """Open a look on which statements are said to the driver; nothing is ever kept of it.

        Each `run` sees the moment at which it is said; the questions of one `ask` see the same.

        Raises:
            StorageUnavailableError: the database cannot be reached.
        """

    def problem(self) -> str | None:
        """Return why this process can record nothing any more, if so."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection."""
