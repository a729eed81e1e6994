"""Finds what no release writes into a table of ours, once reading it has gone wrong.

A database refuses it: somebody has taken that away before, or wrote the file itself. While all
is well nobody looks, so it costs nothing.
"""

import reprlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Boolean, Column, Connection, DateTime, Enum, Integer, LargeBinary, Table

from storage.as_stored import any_text, columns_in
from storage.base import UtcDateTime
from storage.models import Base

NOTHING = "nothing"
SHOWN = reprlib.Repr()
SHOWN.maxstring = SHOWN.maxother = 80
NO_TEXT = "bytes that are no text"


def odd_cell(connection: Connection) -> str | None:
    """Say of the first cell that no column of ours can hold where it stands and what it holds.

    None where every cell is one that somebody could have written by the rules.
    """
    there = columns_in(connection, [one.name for one in Base.metadata.sorted_tables])
    for table in Base.metadata.sorted_tables:
        for row in _rows(connection, table, there.get(table.name, frozenset())):
            for name, value in row.items():
                odd = _oddness(table.c[name], value)
                if odd is not None:
                    return f"{table.name}.{name} of the row {_key(table, row)} holds {odd}"
    return None


def _rows(
    connection: Connection, table: Table, there: frozenset[str]
) -> Iterator[Mapping[str, object]]:
    names = [one.name for one in table.columns if one.name in there]
    listed = ", ".join(f'"{one}"' for one in names)
    statement = f'SELECT {listed} FROM "{table.name}"'  # noqa: S608  our own names
    if not names:
        return
    if connection.dialect.name != "sqlite":
        for row in connection.exec_driver_sql(statement, execution_options={"yield_per": 500}):
            yield dict(zip(names, row, strict=True))
        return
    with any_text(connection):
        for row in connection.exec_driver_sql(statement, execution_options={"yield_per": 500}):
            yield dict(zip(names, row, strict=True))


def _oddness(column: Column[object], value: object) -> str | None:
    """Return what a value is that the column cannot hold, None if it can."""
    if value is None:
        return None if column.nullable else NOTHING
    if isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value):
        return NO_TEXT
    return None if _fits(column, value) else SHOWN.repr(value)


def _fits(column: Column[object], value: object) -> bool:
    kind = column.type
    if isinstance(kind, Boolean):
        return value in (0, 1) and isinstance(value, int)
    if isinstance(kind, Integer):
        return isinstance(value, int)
    if isinstance(kind, LargeBinary):
        return isinstance(value, bytes | memoryview)
    if isinstance(kind, UtcDateTime | DateTime):
        return isinstance(value, datetime) or _is_moment(value)
    if isinstance(kind, Enum):
        return value in kind.enums
    return isinstance(value, str)


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _key(table: Table, row: Mapping[str, object]) -> str:
    named = {one.name: row.get(one.name) for one in table.primary_key.columns}
    return ", ".join(f"{name}={SHOWN.repr(value)}" for name, value in named.items())
