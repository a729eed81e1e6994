"""A connection to Postgres that executes many statements in one journey.

They are said to libpq itself, through the driver's own wrapper of it
(https://www.psycopg.org/psycopg3/docs/api/pq.html): its pipeline, with a cursor for each
statement, makes some fifty calls for each, and half of a run was spent in them. The driver's
adapters write the values and read the rows, so they are what its cursors take and give.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg.abc import PQGen
from psycopg.abc import Transformer as Adapter
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

PREPARED_AFTER = 5  # Uses of a statement; the driver's cursors do as much.
MOST_KNOWN = 512  # Statements; whoever comes after so many others begins anew.
MOST_NAMES = 8  # Of one statement. An integer's type follows from how large it is.
ROWS, REFUSED = int(ExecStatus.TUPLES_OK), int(ExecStatus.FATAL_ERROR)
SYNCED, IGNORED = int(ExecStatus.PIPELINE_SYNC), int(ExecStatus.PIPELINE_ABORTED)
# Another session changed what a prepared statement returns, or it is not prepared at all.
OUTDATED = frozenset({"0A000", "26000"})

Said: TypeAlias = tuple[str, Sequence[object]]  # A statement with `?`, and its values.


class Answer:
    """What a statement gave: as much of a cursor as anybody looks at."""

    __slots__ = ("_result", "_rows")

    def __init__(self, result: PGresult, adapt: Adapter) -> None:
        rows: list[tuple[Any, ...]] = []
        if result.status == ROWS and result.ntuples:
            adapt.set_pgresult(result)
            rows = adapt.load_rows(0, result.ntuples, tuple)
        self._result = result
        self._rows = iter(rows)

    @property
    def rowcount(self) -> int:
        """How many rows it returned or changed."""
        return self._result.command_tuples or 0

    @property
    def statusmessage(self) -> str:
        """The command that was executed, as the server names it."""
        return (self._result.command_status or b"").decode()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, if there is one."""
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that nobody looked at yet."""
        return list(self._rows)


class Known:
    """A statement on one connection: its words there, and how values and rows are adapted.

    `names` are those under which the server has it prepared, by the types of its values.
    """

    __slots__ = ("adapt", "formats", "names", "uses", "words")

    def __init__(self, statement: str, driver: psycopg.Connection[Any]) -> None:
        first, *others = statement.split("?")
        marked = (f"${number}{text}" for number, text in enumerate(others, start=1))
        self.words = "".join([first, *marked]).encode()
        self.formats = [PyFormat.AUTO] * len(others)
        self.adapt: Adapter = Transformer(driver)
        self.names: dict[tuple[int, ...], bytes] = {}
        self.uses = 0


class Call(NamedTuple):
    """A statement whose values are written. Without `name` it is not prepared."""

    known: Known
    values: Sequence[Any] | None
    types: tuple[int, ...]
    formats: Sequence[Any] | None
    name: bytes | None
    is_new: bool  # It is prepared by this journey.

    def say(self, pgconn: PGconn) -> None:
        """Give it to libpq."""
        if self.name is None:
            words = self.known.words
            pgconn.send_query_params(
                words, self.values, param_types=self.types, param_formats=self.formats
            )
            return
        if self.is_new:
            pgconn.send_prepare(self.name, self.known.words, param_types=self.types)
        pgconn.send_query_prepared(self.name, self.values, param_formats=self.formats)


class Journeys:
    """What one connection knows of the statements that are said on it."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver
        self._known: dict[str, Known] = {}
        self._named = 0  # How many names were given; none is given twice.

    def go(self, said: Sequence[Said]) -> tuple[list[Answer], psycopg.Error | None]:
        """Execute statements; see `JourneyConnection.travel`."""
        if len(self._known) > MOST_KNOWN and is_idle(self._driver):
            self.forget()
            self._known.clear()
        calls: list[Call] = []
        try:
            calls.extend(self._call(*one) for one in said)
            results = iter(self._heard(calls))
        except BaseException:
            _unprepared(calls)
            raise
        answers: list[Answer] = []
        for number, call in enumerate(calls):
            refused = self._refusal(next(results)) if call.is_new else None
            is_prepared = refused is None
            result = next(results)
            refused = refused or self._refusal(result)
            if refused is not None:
                _unprepared(calls[number + is_prepared :])
                self._mend(refused)
                return answers, refused
            answers.append(Answer(result, call.known.adapt))
        last = next(results, None)  # An end that the server refuses, of what nobody began.
        return answers, None if last is None else self._refusal(last)

    def forget(self) -> None:
        """Have nothing prepared any more; what was often used is prepared at its next use."""
        had_names = any(one.names for one in self._known.values())
        self.drop_names()
        if had_names and not self._driver.closed:
            self._driver.execute("DEALLOCATE ALL")  # On hearing it, cursors forget theirs too.

    def drop_names(self) -> None:
        """Believe nothing prepared any more."""
        for one in self._known.values():
            one.names.clear()

    def _mend(self, refused: psycopg.Error) -> None:
        """Forget what is outdated; in a transaction, its end will."""
        if refused.sqlstate in OUTDATED and is_idle(self._driver):
            self.forget()

    def _call(self, statement: str, values: Sequence[object]) -> Call:
        known = self._known.get(statement)
        if known is None:
            known = self._known[statement] = Known(statement, self._driver)
        if len(values) != len(known.formats):  # The adapter, which is C, does not look.
            raise psycopg.ProgrammingError("a statement has as many values as marks")
        written: Sequence[Any] | None = None
        types: tuple[int, ...] = ()
        formats: Sequence[Any] | None = None
        if values:
            written = known.adapt.dump_sequence(values, known.formats)
            types, formats = known.adapt.types or (), known.adapt.formats
        known.uses += 1
        name = known.names.get(types)
        is_rare = known.uses <= PREPARED_AFTER or len(known.names) >= MOST_NAMES
        if name is not None or is_rare:
            return Call(known, written, types, formats, name, is_new=False)
        self._named += 1
        name = known.names[types] = b"journey_%d" % self._named
        return Call(known, written, types, formats, name, is_new=True)

    def _heard(self, calls: Sequence[Call]) -> list[PGresult]:
        """Say all of it, and return what the server says to each, once it has said everything."""
        pgconn = self._driver.pgconn
        pgconn.enter_pipeline_mode()
        try:
            for call in calls:
                call.say(pgconn)
            pgconn.pipeline_sync()
            asked = len(calls) + sum(call.is_new for call in calls)
            results = self._driver.wait(_results(pgconn, asked))
            pgconn.exit_pipeline_mode()
        except BaseException:
            # Cut short, nobody knows what was said and heard; what is open is taken back.
            self._driver.close()
            raise
        return results

    def _refusal(self, result: PGresult) -> psycopg.Error | None:
        if result.status in (REFUSED, IGNORED):
            return error_from_result(result, encoding=self._driver.info.encoding)
        return None


class JourneyConnection(psycopg.Connection[Any]):
    """A connection of psycopg's, whose cursors work as ever between two journeys."""

    takes_changes = True  # Unless its server, database or role is set to be read only.
    is_outdated = False  # What it heard of that may have changed since.

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as its base has them
        super().__init__(*args, **kwargs)
        self._journeys = Journeys(self)

    def travel(self, said: Sequence[Said]) -> tuple[list[Answer], psycopg.Error | None]:
        """Execute statements in order, in one journey.

        Returns the answers until the server refused one, and that refusal; what came after it
        is not executed.

        Raises:
            psycopg.Error: a value cannot be written, and nothing was said; or the connection
                broke.
        """
        return self._journeys.go(said)

    def rollback(self) -> None:
        """Take back what is open, and forget what is prepared, as its base does with its own."""
        if self.closed:
            return  # The server has taken it back, and the pool need not tell that with a trace.
        was_open = not is_idle(self)
        super().rollback()
        if was_open:
            self._journeys.forget()

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """Forget with the cursors, which forget all when something is dropped or taken back."""
        if name is None:
            self._journeys.drop_names()
        return super()._deallocate(name)


def is_idle(driver: psycopg.Connection[Any]) -> bool:
    """Say whether no transaction is open on a connection that is there."""
    return driver.pgconn.transaction_status == TransactionStatus.IDLE


def _results(pgconn: PGconn, asked: int) -> PQGen[list[PGresult]]:
    """Return what is said to each of `asked`. What the socket did not take leaves meanwhile."""
    results: list[PGresult] = []
    is_between = False
    while True:
        if pgconn.is_busy():
            ready = yield Wait.RW if pgconn.flush() else Wait.R
            if ready is None:  # Begun again after an interrupt, which told the server to stop.
                raise psycopg.errors.QueryCanceled("interrupted")
            if ready & Ready.R:
                pgconn.consume_input()
            continue
        result = pgconn.get_result()
        is_over = result is not None and result.status == SYNCED
        if (result is None and is_between) or (is_over and len(results) < asked):
            raise psycopg.OperationalError("the connection is lost")
        is_between = result is None  # It stands between two statements.
        if is_over:
            return results
        if result is not None:
            results.append(result)
        if len(results) > asked + 1:  # One more than statements: what ends them is refused.
            raise psycopg.NotSupportedError("COPY does not travel")  # It has results without end.


def _unprepared(calls: Sequence[Call]) -> None:
    """Forget what was to be prepared: a journey that ended early may not have come to it."""
    for call in calls:
        if call.is_new:
            call.known.names.pop(call.types, None)
