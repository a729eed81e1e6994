"""What every row shares: the base, the names of constraints, the kinds of columns.

The rows themselves stand in `audit_models` and beside it; opening a database is `database`.
"""

import reprlib
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TextClause,
)
from sqlalchemy.types import TypeDecorator

from workflows.errors import UnusableDatabaseError

if TYPE_CHECKING:
    # Tables are declared as the ORM has it, so the type checker may take them for its own.
    from sqlalchemy.orm import DeclarativeBase as Tables
    from sqlalchemy.orm import Mapped, mapped_column
else:
    from storage.declaring import Mapped, Tables, mapped_column

__all__ = [
    "Base",
    "BigKey",
    "Mapped",
    "UtcDateTime",
    "by_value",
    "mapped_column",
    "partial_index",
    "tell_postgres",
]

# Constraints carry names of their own on both databases, so that a migration can find them.
NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives its fast rowid only to a primary key of type INTEGER.
BigKey = BigInteger().with_variant(Integer(), "sqlite")


Reader: TypeAlias = Callable[[Any], Any]


def read_in_words(read: Reader | None) -> Reader | None:
    """Return `read`, which says in words that a database holds what nobody of us writes."""
    if read is None:
        return None

    def told(value: object) -> Any:  # noqa: ANN401  whatever is stored
        try:
            return read(value)
        except (LookupError, TypeError, ValueError) as error:
            raise UnusableDatabaseError(
                f"The database holds {reprlib.repr(value)} where no release writes that.",
                hint="Somebody wrote to it; run `interlock audit verify`.",
            ) from error

    return told


class Words(Enum):
    """A word of ours; one that is none of them ends in a sentence where it is read."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        """Return what reads a stored word."""
        kind: Any = super()  # SQLAlchemy gives this one no types.
        return read_in_words(kind.result_processor(dialect, coltype))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its zone: stored as UTC, read back as UTC, refused when naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC; SQLite keeps the wall clock, so it is given that of UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A stored moment needs its time zone; {value!r} has none.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        """Return what reads a stored moment; what is none ends in words."""
        return read_in_words(super().result_processor(dialect, coltype))

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def by_value(enum: type[StrEnum]) -> Words:
    """Return the column kind for `enum`: its values as text, checked on the way in and out."""
    return Words(
        enum,
        values_callable=lambda members: [str(one.value) for one in members],
        native_enum=False,
        create_constraint=False,
        length=64,
        validate_strings=True,
    )


WHERE = "where"


def partial_index(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """Return an index of the rows for which `where` holds.

    Postgres hears of the condition through `tell_postgres`: asking for its option loads its
    part of SQLAlchemy, 2 MB that a process on SQLite does without.
    """
    return Index(name, *columns, unique=unique, sqlite_where=where, info={WHERE: where})


def tell_postgres(metadata: MetaData) -> None:
    """Give partial indexes their condition for Postgres too; whoever makes or compares tables."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if WHERE in index.info:
                index.dialect_options["postgresql"]["where"] = index.info[WHERE]


class Base(Tables):
    """The base of every row."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: dict[Any, Any] = {  # noqa: RUF012  SQLAlchemy reads it as a plain attribute.
        datetime: UtcDateTime(),
        str: Text(),
        bytes: LargeBinary(),
        bool: Boolean(),
        int: Integer(),
    }
