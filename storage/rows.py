"""Fills the `Rows` port: statements of `sql.*` steps on SQLite and Postgres.

These are databases of others, reached only for the length of one step. What a statement is
allowed to be is for `workflows/actions/statement`; here the database itself is made to keep
to it: a read transaction that can change nothing, a change that is taken back unless it
touches exactly the approved rows.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, NoReturn

from sqlalchemy import Connection, CursorResult, TextClause, bindparam, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.types import NullType

from storage import effect_record
from storage.row_values import gather, json_row, row_text
from storage.target_faults import Fault, sorted_out
from storage.target_session import Session, open_session
from workflows.actions.base import Affected, Happened
from workflows.actions.statement import parse
from workflows.entry import Json
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)

MOST_BYTES = 1024 * 1024
BATCH = 1000
TELLING = frozenset({"DELETE", "UPDATE"})  # An INSERT's rows carry fresh numbers.


class DatabaseRows:
    """Runs statements on the databases that definitions name. `now` dates the records."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def query(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        limit: int,
        timeout: float,
        role: str | None = None,
    ) -> list[dict[str, Json]]:
        with _reading(url, timeout=timeout, is_read=True, role=role) as session:
            lazily = session.connection.execution_options(stream_results=True)
            with lazily.execute(_bound(statement, parameters)) as result:
                return _within_limits(result, limit)

    def affected(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        shown: int,
        timeout: float,
        role: str | None = None,
    ) -> Affected:
        with _reading(url, timeout=timeout, is_read=False, role=role) as session:
            found = _run(session.connection, statement, parameters, shown=shown)
            session.connection.rollback()
            return found

    def execute(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        expected: Affected | None,
        key: str,
        records: bool,
        timeout: float,
        role: str | None = None,
    ) -> int:
        with _changing(url, timeout=timeout, role=role) as session:
            connection = session.connection
            done = _claimed_before(connection, key, at=self._now()) if records else None
            if done is not None:
                return done
            found = _run(connection, statement, parameters, shown=0)
            _compare(found, expected)
            if records:
                effect_record.settle(connection, key, rows=found.count)
            session.commit()
            return found.count

    def happened(self, url: str, *, key: str, timeout: float, role: str | None = None) -> Happened:
        try:
            with open_session(url, timeout=timeout, is_read=False, role=role) as session:
                return _looked_up(session.connection, key)
        except (SQLAlchemyError, ActionError):
            return Happened.UNKNOWN


def _claimed_before(connection: Connection, key: str, *, at: datetime) -> int | None:
    """Return the count of an earlier attempt; None after `key` has been claimed for this one."""
    done = effect_record.recorded(connection, key)
    if done is not None:
        return done
    try:
        effect_record.claim(connection, key, at=at)
    except IntegrityError:
        # Another attempt under this key was committed while we waited for it.
        connection.rollback()
        done = effect_record.recorded(connection, key)
        if done is None:
            raise
        return done
    return None


def _looked_up(connection: Connection, key: str) -> Happened:
    if effect_record.recorded(connection, key) is not None:
        return Happened.YES
    # No table may also mean that we were never able to make one; then nothing is known.
    is_kept = effect_record.can_be_kept(connection)
    if effect_record.recorded(connection, key) is not None:
        return Happened.YES
    return Happened.NO if is_kept else Happened.UNKNOWN


def _run(
    connection: Connection, statement: str, parameters: Mapping[str, Json], *, shown: int
) -> Affected:
    """Run one changing statement and return what it touched."""
    parsed = parse(statement)
    tells = "" if parsed.has_returning or parsed.verb not in TELLING else " RETURNING *"
    result = connection.execute(_bound(parsed.text + tells, parameters))
    if not result.returns_rows:
        return Affected(count=result.rowcount, digest="")
    found = gather(_rows(result), shown=shown)
    return found if parsed.is_steady else Affected(count=found.count, digest="")


def _bound(statement: str, parameters: Mapping[str, Json]) -> TextClause:
    # Without a type the database takes a value for what it is compared with; SQLAlchemy's own
    # guess would make a date a VARCHAR, which Postgres compares with no date.
    values = (bindparam(name, value, type_=NullType()) for name, value in parameters.items())
    return text(statement).bindparams(*values)


def _compare(found: Affected, expected: Affected | None) -> None:
    if expected is None:
        return
    if found.count != expected.count:
        raise NotPerformedError(
            f"It would touch {found.count} rows now, but {expected.count} were approved.",
            error_class="plan_changed",
            hint="Nothing was changed. Ask again, with a new plan.",
        )
    if expected.digest and found.digest != expected.digest:
        raise NotPerformedError(
            "It would touch other rows now than those that were approved.",
            error_class="plan_changed",
            hint="Nothing was changed. Ask again, with a new plan.",
        )


def _rows(result: CursorResult[Any]) -> Iterator[dict[str, Json]]:
    names = list(result.keys())
    for batch in result.partitions(BATCH):
        yield from (json_row(names, row) for row in batch)


def _within_limits(result: CursorResult[Any], limit: int) -> list[dict[str, Json]]:
    names = list(result.keys())
    if len(set(names)) < len(names):
        raise ActionFailedError(
            "Two columns have the same name.",
            error_class="statement_refused",
            hint="Name them apart with AS.",
        )
    kept: list[dict[str, Json]] = []
    size = 0
    for row in islice(_rows(result), limit):
        kept.append(row)
        size += len(row_text(row).encode())
        if size > MOST_BYTES:
            raise ActionFailedError(
                f"The rows take more than {MOST_BYTES} bytes.",
                error_class="too_large",
                hint="Read fewer of them, or fewer columns.",
            )
    return kept


@contextmanager
def _reading(url: str, *, timeout: float, is_read: bool, role: str | None) -> Iterator[Session]:
    """Open a session that will commit nothing, so that whatever fails changed nothing."""
    session: Session | None = None
    try:
        with open_session(url, timeout=timeout, is_read=is_read, role=role) as session:
            yield session
    except SQLAlchemyError as error:
        fault = sorted_out(error, is_late=session is not None and session.is_late)
        kind = TransientReadError if fault.may_pass else ActionFailedError
        raise kind(fault.message, error_class=fault.error_class) from error


@contextmanager
def _changing(url: str, *, timeout: float, role: str | None) -> Iterator[Session]:
    """Open a session that will commit."""
    session: Session | None = None
    try:
        with open_session(url, timeout=timeout, is_read=False, role=role) as session:
            yield session
    except SQLAlchemyError as error:
        fault = sorted_out(error, is_late=session is not None and session.is_late)
        _fail(fault, error, is_committing=session is not None and session.is_committing)


def _fail(fault: Fault, error: SQLAlchemyError, *, is_committing: bool) -> NoReturn:
    if is_committing and not fault.is_answered:
        cause = "timeout" if fault.error_class == "timeout" else "reply_lost"
        raise InDoubtError(
            "The database did not say whether it committed.", error_class=cause
        ) from error
    kind = NotPerformedError if fault.may_pass else ActionFailedError
    raise kind(fault.message, error_class=fault.error_class) from error
