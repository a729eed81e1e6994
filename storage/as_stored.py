"""Reads tables of ours as they are stored, whatever somebody else put there.

The kinds of columns stop at a word that is none of an enum, a text that is no moment, bytes that
are no Unicode. Whoever asks what a table holds wants to know just that.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import OperationalError

TOGETHER = 500
STREAMED = {"yield_per": TOGETHER}
COLUMNS = {
    "sqlite": (
        "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c"
        " WHERE t.type = 'table' AND t.name IN :names"
    ),
    "postgresql": (
        "SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid"
        " WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p')"
        " AND c.attnum > 0 AND NOT c.attisdropped AND t.relname IN :names"
    ),
}


def columns_in(connection: Connection, tables: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return the columns that the database has of each of these tables that it has."""
    wanted = text(COLUMNS[connection.dialect.name]).bindparams(bindparam("names", expanding=True))
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(wanted, {"names": sorted(tables)}):
        found.setdefault(str(table), set()).add(str(column))
    return {table: frozenset(columns) for table, columns in found.items()}


def rows_in(
    connection: Connection, table: str, columns: Sequence[str], *, order: Sequence[str]
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table as the driver has them; names are ours, never somebody's.

    Raises:
        DBAPIError: the database cannot read them out.
    """
    wanted, sorted_by = (", ".join(f'"{one}"' for one in some) for some in (columns, order))
    statement = f'SELECT {wanted} FROM "{table}" ORDER BY {sorted_by}'  # noqa: S608  our own names
    count = 0
    try:
        for row in connection.exec_driver_sql(statement, execution_options=STREAMED):
            yield row
            count += 1
    except OperationalError:
        if connection.dialect.name != "sqlite":
            raise
    else:
        return
    # Only now, since a function of ours for each text takes its time.
    yield from islice(_with_any_text(connection, statement), count, None)


def _with_any_text(connection: Connection, statement: str) -> Iterator[Sequence[Any]]:
    """Yield rows of SQLite, with those texts that are no Unicode.

    Who asks for something else between two rows has it read as ever.
    """
    with any_text(connection):
        result = connection.exec_driver_sql(statement)
        some = result.fetchmany(TOGETHER)
    while some:
        yield from some
        with any_text(connection):
            some = result.fetchmany(TOGETHER)


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """Let SQLite hand out texts that are no Unicode, with a sign that no text has for each byte."""
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, _lenient
    try:
        yield
    finally:
        driver.text_factory = before


def _lenient(stored: bytes) -> str:
    return stored.decode(errors="surrogateescape")
