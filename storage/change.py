"""What a fact changes in the tables, as values, and the one place that says them in SQL.

The same changes are carried out on the database when an entry is appended, and on plain
dictionaries when everything is rebuilt from the entries (`rebuild`), so both agree by
construction. They run on the driver, as the trail's own statements do: a statement through
SQLAlchemy costs some five times as much.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from storage.database_errors import REFUSED, refused_by_database
from storage.transaction import Cursor, Question, Tell, Transaction
from workflows.errors import StorageError

_AS_THEY_ARE = frozenset({str, int, bytes, bool, type(None)})  # Either driver takes these.

CLOCK = "SELECT clock_timestamp()"  # Postgres' own moment.
Clock: TypeAlias = Callable[[], datetime]
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; one that is there already is refused by the database."""

    table: str
    values: Values


@dataclass(frozen=True, slots=True)
class Upsert:
    """A row under its primary key: made, or changed."""

    table: str
    key: Values
    values: Values


@dataclass(frozen=True, slots=True)
class Update:
    """New values for the rows that look like `where`; None matches an empty column.

    `refusal` is said when no row looks like that, and the unit does not commit.
    """

    table: str
    where: Values
    values: Values
    refusal: str = field(default="")


Change: TypeAlias = Insert | Upsert | Update


class RowSql:
    """Writes and reads rows on one transaction's driver."""

    __slots__ = ("_is_sqlite", "_tx")

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._is_sqlite = tx.is_sqlite

    def apply(self, change: Change) -> None:
        """Carry out one change.

        Raises:
            StorageError: it needs a row that is not there. On Postgres this may be said as
                late as the commit.
        """
        match change:
            case Insert(table, values):
                self.later(_insert(table, tuple(values)), *values.values())
            case Upsert(table, key, values):
                words = _upsert(table, tuple(key), tuple(values))
                self.later(words, *key.values(), *values.values())
            case Update(table, where, values, refusal):
                self.later(
                    _update(table, _shape(where), tuple(values)),
                    *values.values(),
                    *(one for one in where.values() if one is not None),
                    refusal=refusal,
                )

    def run(self, statement: str, *values: object) -> Cursor:
        """Execute `statement` with `?` for each value; return the driver's cursor.

        Raises:
            StorageError: a constraint of the database refuses it.
        """
        try:
            return self._tx.run(statement, self._row(values))
        except refused_by_database() as error:
            raise StorageError(REFUSED) from error

    def later(
        self,
        statement: str,
        *values: object,
        refusal: str = "",
        tell: Tell | None = None,
    ) -> None:
        """Execute `statement`, whose answer nobody waits for; see `Transaction.later`.

        Raises:
            StorageError: a constraint of the database refuses it, or it says `refusal`.
        """
        try:
            self._tx.later(statement, self._row(values), refusal=refusal, tell=tell)
        except refused_by_database() as error:
            raise StorageError(REFUSED) from error

    def ask(self, *questions: Question) -> list[list[Any]]:
        """Return the rows of each question, asked in one journey."""
        return self._tx.ask(*((words, self._row(values)) for words, values in questions))

    def _row(self, values: Sequence[object]) -> list[object]:
        return [one if type(one) in _AS_THEY_ARE else self.stored(one) for one in values]

    def moment(self, clock: Clock | None) -> datetime:
        """Return the moment by `clock`, or without one by Postgres' own."""
        if clock is not None:
            return clock()
        return read_moment(self.run(CLOCK).fetchone()[0])

    def stored(self, value: object) -> object:
        """Return `value` as the driver takes it."""
        if isinstance(value, datetime) and self._is_sqlite:
            return stored_on_sqlite(value)
        # psycopg would write the name of an enum's member.
        return value.value if isinstance(value, StrEnum) else value


def stored_on_sqlite(at: datetime) -> str:
    """Return a moment as the column kind `UtcDateTime` stores it on SQLite."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def read_moment(stored: object) -> datetime:
    """Return the moment that a driver read from a column."""
    if isinstance(stored, datetime):
        return stored.astimezone(UTC)
    return datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)


def read_moment_or_none(stored: object) -> datetime | None:
    """Return the moment that a driver read from a column that may be empty."""
    return None if stored is None else read_moment(stored)


Shape: TypeAlias = tuple[tuple[str, bool], ...]


def _shape(where: Values) -> Shape:
    """Return each column's name and whether it must be empty, which is all that SQL depends on."""
    return tuple((name, value is None) for name, value in where.items())


@lru_cache(maxsize=128)
def _insert(table: str, names: Sequence[str]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608  our own names


@lru_cache(maxsize=128)
def _upsert(table: str, key: Sequence[str], names: Sequence[str]) -> str:
    news = ", ".join(f"{name} = excluded.{name}" for name in names)
    insert = _insert(table, (*key, *names))
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {news}"


@lru_cache(maxsize=128)
def _update(table: str, where: Shape, names: Sequence[str]) -> str:
    news = ", ".join(f"{name} = ?" for name in names)
    like = " AND ".join(f"{name} IS NULL" if empty else f"{name} = ?" for name, empty in where)
    return f"UPDATE {table} SET {news} WHERE {like}"  # noqa: S608  our own names
