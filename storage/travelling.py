"""A unit on Postgres, whose statements travel together.

Each question to a server is a journey, and a journey costs more than the work at its end: a
system call each way, a switch of threads in between. So what needs no answer waits here until
something does, and all of it goes at once, in order. How it goes stands in `journey`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from storage.database_errors import REFUSED, refused_by_database
from storage.journey import Answer, JourneyConnection
from storage.transaction import Cursor, Question, Tell, Transaction
from workflows.errors import StorageError, StorageUnavailableError

TOUCHED_NOTHING = "22012"  # A division by zero.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"


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
    def said(self) -> Question:
        """What is said to the server, and its values."""
        return touching(self.statement) if self.refusal else self.statement, self.values


class TravellingTransaction(Transaction):
    """A unit whose first journey begins it and whose last one commits it.

    Whoever takes `driver` or `connection` to speak for themselves finds everything said so far
    executed, as if there were no waiting.
    """

    __slots__ = ("_connect", "_has_begun", "_waiting")
    _driver: JourneyConnection

    def __init__(self, connect: Callable[[], Connection], driver: JourneyConnection) -> None:
        """`connect` makes SQLAlchemy's view of the connection, for whoever asks for it."""
        super().__init__(None, driver, is_sqlite=False)
        self._connect = connect
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

    def _travel(self, *questions: Question) -> list[Answer]:
        waiting, self._waiting = self._waiting, []
        if not waiting and not questions:
            return []
        self._has_begun = True
        try:
            answers, refused = self._driver.travel([*(one.said for one in waiting), *questions])
        except Exception as error:
            self._tell_failure(error)
            raise
        if refused is not None:
            self._tell_failure(refused)
            # Of what travelled, the first without an answer is the one that was refused.
            if refusal := _refusal(refused, waiting[len(answers) :]):
                raise StorageError(refusal) from refused
            raise refused
        for one, answer in zip(waiting, answers, strict=False):
            if one.tell is not None:
                one.tell(answer)
        return answers[len(waiting) :]

    def _tell_failure(self, error: Exception) -> None:
        for call in self.failures:
            call(error)


class TravellingLook(Transaction):
    """A look at Postgres, on a connection where what nobody begins reads one snapshot.

    A journey without BEGIN is one transaction, which ends with it
    (https://www.postgresql.org/docs/current/protocol-flow.html, "Pipelining").
    """

    __slots__ = ()
    _driver: JourneyConnection

    def __init__(self, driver: JourneyConnection) -> None:
        super().__init__(None, driver, is_sqlite=False)

    def run(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        return self._travel((statement, values))[0]

    def ask(self, *questions: Question) -> list[list[Any]]:
        return [answer.fetchall() for answer in self._travel(*questions)]

    def _travel(self, *questions: Question) -> list[Answer]:
        answers, refused = self._driver.travel(questions)
        if refused is not None:
            raise refused
        return answers


def take_back(driver: Any) -> None:  # noqa: ANN401  psycopg
    """End what is open on a connection; one that broke has nothing open any more.

    In the driver's own words: only then it forgets the statements that it believes prepared.
    """
    if not driver.closed:
        driver.rollback()


def _refusal(error: Exception, unanswered: Sequence[Waiting]) -> str:
    """Return what to say when a journey ended early, "" if it was no refusal."""
    if isinstance(error, refused_by_database()):
        return REFUSED
    if getattr(error, "sqlstate", None) != TOUCHED_NOTHING or not unanswered:
        return ""
    return unanswered[0].refusal


@lru_cache(maxsize=64)
def touching(statement: str) -> str:
    """Return a statement that Postgres refuses, with `TOUCHED_NOTHING`, if it touches no row."""
    return f"WITH touched AS ({statement} RETURNING 1) SELECT 1 / count(*) FROM touched"  # noqa: S608  our own texts
