"""What every row shares: the base, the names of constraints, the kinds of columns.

The rows themselves stand in `audit_models` and beside it; opening a database is `database`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

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

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def by_value(enum: type[StrEnum]) -> Enum:
    """Return the column kind for `enum`: its values as text, checked on the way in and out."""
    return Enum(
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
