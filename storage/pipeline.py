"""Says statements to Postgres through libpq's own pipeline, several in one journey.

psycopg's cursors do the same for three times the processor time, most of it in Python: they
serve every way of asking, and here there is one. What matters is theirs all the same: the
connection, how values are written and read, and the errors.
"""

import select
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from storage.transaction import Question

OFTEN = 5  # What is said this often on one connection is prepared there.
MOST_PREPARED = 100
MOST_COUNTED = 1000
# So a server says that what was prepared is gone, or that its tables have changed since.
OUTDATED = frozenset({"26000", "0A000"})

_DONE, _ROWS = int(ExecStatus.COMMAND_OK), int(ExecStatus.TUPLES_OK)
_REFUSED, _ALL_DONE = int(ExecStatus.FATAL_ERROR), int(ExecStatus.PIPELINE_SYNC)

Key: TypeAlias = tuple[bytes, tuple[int, ...]]  # A statement, and the types of its values.


class Answer:
    """What came of a statement: as much of a cursor as is used here."""

    __slots__ = ("_rows", "rowcount", "statusmessage")

    def __init__(self, rows: list[Any], *, rowcount: int, statusmessage: str) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount
        self.statusmessage = statusmessage

    def fetchone(self) -> Any:  # noqa: ANN401  a row of whatever was asked for
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class _Written(NamedTuple):
    """A statement with its values, as they travel."""

    key: Key
    values: Sequence[Any]
    formats: Sequence[int]


class Pipeline:
    """One connection, on which statements are said together; for one thread at a time.

    Between two journeys the cursors of `driver` may be used as well.
    """

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        self._libpq = driver.pgconn
        self._transformer = Transformer.from_context(driver)
        self._uses = Counter[Key]()
        self._prepared: dict[Key, bytes] = {}
        self._names = map(b"interlock_%d".__mod__, count())

    def say(self, statements: Sequence[Question]) -> list[Answer]:
        """Execute the statements in order, in one journey; return what came of each.

        Raises:
            psycopg.Error: one was refused, and what followed it was not executed; or the
                connection is lost.
        """
        written = [self._written(words, values) for words, values in statements]
        try:
            self._libpq.enter_pipeline_mode()
            prepares = self._send(written)
            results = self._results()
            self._libpq.exit_pipeline_mode()
        except BaseException:
            self.driver.close()  # It would be in the middle of a conversation for ever.
            raise
        return self._answers(prepares, results)

    def take_back(self) -> None:
        """End what is open on the connection; one that broke has nothing open any more."""
        if not self.driver.closed and self._libpq.transaction_status != TransactionStatus.IDLE:
            self.say([("ROLLBACK", ())])

    def _written(self, words: str, values: Sequence[object]) -> _Written:
        transformer = self._transformer
        written = transformer.dump_sequence(values, _formats(len(values)))
        return _Written(
            (spoken(words), transformer.types or ()), written, transformer.formats or ()
        )

    def _send(self, statements: Sequence[_Written]) -> list[Key | None]:
        """Send all of it; return of each result to come which statement it prepares, if any."""
        prepares: list[Key | None] = []
        for (words, types), values, formats in statements:
            key = (words, types)
            if key not in self._prepared and self._is_worth_preparing(key):
                self._prepared[key] = next(self._names)
                self._libpq.send_prepare(self._prepared[key], words, types)
                prepares.append(key)
            name = self._prepared.get(key)
            if name is not None:
                self._libpq.send_query_prepared(name, values, formats)
            else:
                self._libpq.send_query_params(words, values, types, formats)
            prepares.append(None)
        self._libpq.pipeline_sync()
        return prepares

    def _is_worth_preparing(self, key: Key) -> bool:
        if len(self._uses) >= MOST_COUNTED:
            self._uses.clear()
        self._uses[key] += 1
        return self._uses[key] > OFTEN and len(self._prepared) < MOST_PREPARED

    def _results(self) -> list[PGresult]:
        """Wait for what came of everything that was sent."""
        libpq, results = self._libpq, list[PGresult]()
        while libpq.flush():
            self._wait(select.POLLIN | select.POLLOUT)  # It may have to be read to before it reads.
        is_between = False
        while True:
            while libpq.is_busy():
                self._wait(select.POLLIN)
            result = libpq.get_result()
            if result is not None and result.status == _ALL_DONE:
                return results
            if result is not None:
                results.append(result)
            elif is_between:
                raise psycopg.OperationalError("The server ended the connection.")
            is_between = result is None  # Once after each result.

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._libpq.socket, events)
        poll.poll()
        self._libpq.consume_input()

    def _answers(self, prepares: Sequence[Key | None], results: Sequence[PGresult]) -> list[Answer]:
        refused = next((one for one in results if one.status == _REFUSED), None)
        if refused is not None:
            self._forget_unprepared(prepares, results)
            raise self._refusal(refused)
        answered = zip(prepares, results, strict=True)
        return [self._answer(result) for key, result in answered if key is None]

    def _forget_unprepared(
        self, prepares: Sequence[Key | None], results: Sequence[PGresult]
    ) -> None:
        """Forget what was sent to be prepared and came after the refusal, or was refused itself."""
        for key, result in zip(prepares, results, strict=False):  # The commit may be refused too.
            if key is not None and result.status != _DONE:
                del self._prepared[key]

    def _answer(self, result: PGresult) -> Answer:
        rows: list[Any] = []
        if result.status == _ROWS:
            self._transformer.set_pgresult(result)
            rows = self._transformer.load_rows(0, result.ntuples, tuple)
        touched, status = result.command_tuples, result.command_status or b""
        return Answer(
            rows, rowcount=-1 if touched is None else touched, statusmessage=status.decode()
        )

    def _refusal(self, result: PGresult) -> psycopg.Error:
        error = error_from_result(result, self.driver.info.encoding)
        if error.sqlstate in OUTDATED:
            self._prepared.clear()
        return error


@lru_cache(maxsize=512)
def spoken(statement: str) -> bytes:
    """Return a statement written with `?`, in the words of Postgres."""
    first, *others = statement.split("?")
    return (first + "".join(f"${n}{one}" for n, one in enumerate(others, 1))).encode()


@lru_cache(maxsize=128)
def _formats(number: int) -> tuple[PyFormat, ...]:
    """Return that each of so many values is written as its type likes best."""
    return (PyFormat.AUTO,) * number
