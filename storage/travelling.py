"""A unit on Postgres, whose statements travel together.

Each question to a server is a journey, and a journey costs more than the work at its end: a
system call each way, a switch of threads in between. So what needs no answer waits here until
something does, and all of it goes at once, in order, through the driver's pipeline.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from storage.database_errors import REFUSED, refused_by_database
from storage.transaction import Cursor, Question, Tell, Transaction
from workflows.errors import StorageError, StorageUnavailableError

TOUCHED_NOTHING = "22012"  # A division by zero.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_LOOK = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Waiting(NamedTuple):
    """A statement that travels with the next one.

    `refusal` is said when it touches no row, which the server itself has to see: the commit may
    travel with it. `tell` looks at its cursor.
    """

    statement: str
    values: Sequence[object] = ()
    refusal: str = ""
    tell: Tell | None = None

    @property
    def spoken(self) -> str:
        """The statement in the words of Postgres' driver."""
        return spoken(touching(self.statement) if self.refusal else self.statement)


class TravellingTransaction(Transaction):
    """A unit whose first journey begins it and whose last one commits it.

    Whoever takes `driver` or `connection` to speak for themselves finds everything said so far
    executed, as if there were no waiting.
    """

    __slots__ = ("_connect", "_cursors", "_has_begun", "_waiting")

    def __init__(
        self,
        connect: Callable[[], Connection],
        driver: Any,  # noqa: ANN401  psycopg
        *,
        cursors: list[Cursor],
    ) -> None:
        """`connect` makes SQLAlchemy's view of the connection, for whoever asks for it.

        `cursors` are those of this connection for what waits: an answer that only a check looks
        at is looked at once, and a new cursor for each would cost a fifth of its statement.
        """
        super().__init__(None, driver, is_sqlite=False)
        self._connect = connect
        self._cursors = cursors
        self._waiting: list[Waiting] = [Waiting(BEGIN)]
        self._has_begun = False

    @property
    def connection(self) -> Connection:
        self._travel()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    @property
    def driver(self) -> Any:  # noqa: ANN401  psycopg
        self._travel()
        return self._driver

    def run(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        return self._travel((statement, values))[0]

    def later(
        self,
        statement: str,
        values: Sequence[object] = (),
        *,
        refusal: str = "",
        tell: Tell | None = None,
    ) -> None:
        self._waiting.append(Waiting(statement, values, refusal, tell))

    def ask(self, *questions: Question) -> list[list[Any]]:
        return [cursor.fetchall() for cursor in self._travel(*questions)]

    def commit(self) -> None:
        """Execute what still waits, and commit.

        Raises:
            StorageError: what waited is refused.
            StorageUnavailableError: Postgres took the transaction back instead.
        """
        (ended,) = self._travel(("COMMIT", ()))
        self._has_begun = False
        if ended.statusmessage != "COMMIT":
            raise StorageUnavailableError(
                "The database gave up the transaction; nothing was recorded.",
                hint="Try again in a moment.",
            )

    def roll_back(self) -> None:
        """Take everything back; a server that is gone has done so already."""
        self._waiting.clear()
        if self._has_begun:
            take_back(self._driver)
        self._has_begun = False

    def _travel(self, *questions: Question) -> list[Cursor]:
        waiting, self._waiting = self._waiting, []
        if not waiting and not questions:
            return []
        self._has_begun = True
        try:
            return _journey(self._driver, waiting, questions, cursors=self._cursors)
        except Exception as error:
            for call in self.failures:
                call(error)
            if refusal := _refusal(error, waiting, self._cursors):
                raise StorageError(refusal) from error
            raise


class TravellingLook(Transaction):
    """A look at Postgres: one statement for itself, several in one snapshot and one journey."""

    __slots__ = ()

    def __init__(self, driver: Any) -> None:  # noqa: ANN401  psycopg
        super().__init__(None, driver, is_sqlite=False)

    def run(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        return self._driver.execute(spoken(statement), values)

    def ask(self, *questions: Question) -> list[list[Any]]:
        if len(questions) == 1:
            return super().ask(*questions)
        framed = (*questions, ("COMMIT", ()))
        try:
            found = _journey(self._driver, [Waiting(BEGIN_LOOK)], framed, cursors=[])
        except BaseException:
            take_back(self._driver)
            raise
        return [cursor.fetchall() for cursor in found[:-1]]


def take_back(driver: Any) -> None:  # noqa: ANN401  psycopg
    """End what is open on a connection; one that broke has nothing open any more.

    In the driver's own words: only then it forgets the statements that it believes prepared,
    and that a journey which ended early never did prepare.
    """
    if not driver.closed:
        driver.rollback()


def _journey(
    driver: Any,  # noqa: ANN401  psycopg
    waiting: Sequence[Waiting],
    questions: Sequence[Question],
    *,
    cursors: list[Cursor],
) -> list[Cursor]:
    """Execute all of it in order, in one journey; return the cursors of the questions."""
    if not waiting and len(questions) == 1:
        words, values = questions[0]
        return [driver.execute(spoken(words), values)]
    cursors.extend(driver.cursor() for _ in range(len(waiting) - len(cursors)))
    done = list(zip(cursors, waiting, strict=False))
    with _pipeline(driver), driver.telling():
        for cursor, one in done:
            cursor.execute(one.spoken, one.values)
        asked = [driver.execute(spoken(words), values) for words, values in questions]
    for cursor, one in done:
        if one.tell is not None:
            one.tell(cursor)
    return asked


def _refusal(error: Exception, waiting: Sequence[Waiting], cursors: Sequence[Cursor]) -> str:
    """Return what to say when a journey ended early, "" if it was no refusal."""
    if isinstance(error, refused_by_database()):
        return REFUSED
    if getattr(error, "sqlstate", None) != TOUCHED_NOTHING:
        return ""
    # Of what travelled, the first without an answer is the one that was refused.
    unanswered = (
        one for one, cursor in zip(waiting, cursors, strict=False) if cursor.statusmessage is None
    )
    return next(unanswered, Waiting("")).refusal


@contextmanager
def _pipeline(driver: Any) -> Iterator[None]:  # noqa: ANN401  psycopg
    """Send what is said in the block together; the answers are there at its end."""
    pipeline = driver.pipeline()
    pipeline.__enter__()
    try:
        yield
    except BaseException:
        # What the driver could not say. That the rest is not executed is no news.
        with suppress(Exception):
            pipeline.__exit__(None, None, None)
        raise
    pipeline.__exit__(None, None, None)


@lru_cache(maxsize=64)
def touching(statement: str) -> str:
    """Return a statement that Postgres refuses, with `TOUCHED_NOTHING`, if it touches no row."""
    return f"WITH touched AS ({statement} RETURNING 1) SELECT 1 / count(*) FROM touched"  # noqa: S608  our own texts


@lru_cache(maxsize=512)
def spoken(statement: str) -> str:
    """Return a statement written with `?`, in the words of Postgres' driver."""
    return statement.replace("?", "%s")
