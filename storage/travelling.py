"""A unit on Postgres, whose statements travel together.

Each question to a server is a journey, and a journey costs more than the work at its end: a
system call each way, a switch of threads in between. So what needs no answer waits here until
something does, and all of it goes at once, in order (`pipeline`).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from storage.database_errors import REFUSED, refused_by_database
from storage.pipeline import Answer, Pipeline
from storage.transaction import Check, Cursor, Question, Transaction
from workflows.errors import StorageError, StorageUnavailableError

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_LOOK = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Waiting(NamedTuple):
    """A statement that travels with the next one, and who looks at its cursor then."""

    statement: str
    values: Sequence[object] = ()
    check: Check | None = None
    tell: Check | None = None


class TravellingTransaction(Transaction):
    """A unit whose first journey begins it and whose last one commits it.

    Whoever takes `driver` or `connection` to speak for themselves finds everything said so far
    executed, as if there were no waiting.
    """

    __slots__ = ("_connect", "_has_begun", "_pipeline", "_waiting")

    def __init__(self, connect: Callable[[], Connection], pipeline: Pipeline) -> None:
        """`connect` makes SQLAlchemy's view of the connection, for who asks for it."""
        super().__init__(None, pipeline.driver, is_sqlite=False)
        self._connect = connect
        self._pipeline = pipeline
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
        check: Check | None = None,
        tell: Check | None = None,
    ) -> None:
        self._waiting.append(Waiting(statement, values, check, tell))

    def ask(self, *questions: Question) -> list[list[Any]]:
        return [cursor.fetchall() for cursor in self._travel(*questions)]

    def commit(self) -> None:
        """Execute what still waits, and commit.

        Raises:
            StorageUnavailableError: Postgres took the transaction back instead.
        """
        if any(one.check is not None for one in self._waiting):
            self._travel()  # What is still to be judged is not committed in the same journey.
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
            self._pipeline.take_back()
        self._has_begun = False

    def _travel(self, *questions: Question) -> list[Answer]:
        waiting, self._waiting = self._waiting, []
        if not waiting and not questions:
            return []
        self._has_begun = True
        try:
            return _journey(self._pipeline, waiting, questions)
        except Exception as error:
            for call in self.failures:
                call(error)
            if isinstance(error, refused_by_database()):
                raise StorageError(REFUSED) from error
            raise


class TravellingLook(Transaction):
    """A look at Postgres: one statement for itself, several in one snapshot and one journey."""

    __slots__ = ("_pipeline",)

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(None, pipeline.driver, is_sqlite=False)
        self._pipeline = pipeline

    def run(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        return self._pipeline.say([(statement, values)])[0]

    def ask(self, *questions: Question) -> list[list[Any]]:
        if len(questions) == 1:
            return super().ask(*questions)
        try:
            _, *found, _ = self._pipeline.say([(BEGIN_LOOK, ()), *questions, ("COMMIT", ())])
        except BaseException:
            self._pipeline.take_back()
            raise
        return [answer.fetchall() for answer in found]


def _journey(
    pipeline: Pipeline, waiting: Sequence[Waiting], questions: Sequence[Question]
) -> list[Answer]:
    """Execute all of it in order, in one journey; return the answers to the questions."""
    said = [(one.statement, one.values) for one in waiting]
    answers = pipeline.say([*said, *questions])
    for answer, one in zip(answers, waiting, strict=False):
        for look in (one.check, one.tell):
            if look is not None:
                look(answer)
    return answers[len(waiting) :]
