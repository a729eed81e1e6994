"""Copy tables from one database into another, page by page, and show that they read the same.

Columns that a database generates from others are left to it, and so is the search index. What
a log is, and when it may be moved, is for `moving`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Enum, Table, Text, func, select, text, type_coerce

from storage.change import stored_on_sqlite
from storage.models import Base
from storage.move_models import MovedLogRow
from storage.schema_models import SchemaFloorRecord

PAGE = 2_000
MODULUS = 1 << 256

Values: TypeAlias = Sequence[Any]
Tell: TypeAlias = Callable[[str, int, int], None]  # What, rows done, rows in all.

# These say something of the one database they stand in.
OF_ITS_OWN = {MovedLogRow.__tablename__, SchemaFloorRecord.__tablename__}
# In an order in which every row finds those it points to.
TABLES: Sequence[Table] = [
    table for table in Base.metadata.sorted_tables if table.name not in OF_ITS_OWN
]


@dataclass(slots=True)
class Tally:
    """How many rows there are, and a digest over them that does not depend on their order."""

    rows: int = 0
    digest: int = 0

    def add(self, row: Values) -> None:
        """Take in one row."""
        self.rows += 1
        found = hashlib.sha256(repr(tuple(row)).encode(errors="surrogatepass")).digest()
        self.digest = (self.digest + int.from_bytes(found, "big")) % MODULUS


def copy_table(source: Connection, target: Connection, table: Table, tell: Tell) -> Tally:
    """Copy every row of `table`; return what was read."""
    total = source.execute(select(func.count()).select_from(table)).scalar_one()
    tally = Tally()

    def counted() -> Iterator[Values]:
        for row in rows_of(source, table):
            if tally.rows % PAGE == 0:
                tell(table.name, tally.rows, total)
            tally.add(row)
            yield row

    if target.dialect.name == "sqlite":
        _insert(target, table, counted())
    else:
        _copy_in(target, table, counted())
        _set_sequence(target, table)
    tell(table.name, tally.rows, total)
    return tally


def tally_of(connection: Connection, table: Table) -> Tally:
    """Return what `table` holds."""
    tally = Tally()
    for row in rows_of(connection, table):
        tally.add(row)
    return tally


def rows_of(connection: Connection, table: Table) -> Iterator[Values]:
    """Yield the rows of `table` without its generated columns; never more than a page is held."""
    chosen = [_plain(column) for column in _columns(table)]
    found = connection.execute(
        select(*chosen).order_by(*table.primary_key.columns),
        execution_options={"yield_per": PAGE},
    )
    yield from found


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.computed is None]


def _plain(column: Column[Any]) -> Any:  # noqa: ANN401  a column or an expression over it
    """Return `column` so that its values are those a driver takes: an enum's as its word."""
    return type_coerce(column, Text()) if isinstance(column.type, Enum) else column


def _copy_in(target: Connection, table: Table, rows: Iterable[Values]) -> None:
    driver: Any = target.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {_into(target, table)} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert(target: Connection, table: Table, rows: Iterable[Values]) -> None:
    driver: Any = target.connection.dbapi_connection
    marks = ", ".join("?" for _ in _columns(table))
    statement = f"INSERT INTO {_into(target, table)} VALUES ({marks})"  # noqa: S608  our own names
    stored = ([_stored(one) for one in row] for row in rows)
    while page := list(islice(stored, PAGE)):
        driver.executemany(statement, page)


def _into(target: Connection, table: Table) -> str:
    quoted = target.dialect.identifier_preparer
    names = ", ".join(quoted.quote(column.name) for column in _columns(table))
    return f"{quoted.format_table(table)} ({names})"


def _stored(value: object) -> object:
    return stored_on_sqlite(value) if isinstance(value, datetime) else value


def _set_sequence(target: Connection, table: Table) -> None:
    """Let the numbers that Postgres gives go on after the highest that came."""
    for column in _columns(table):
        if column.identity is None:
            continue
        highest = target.execute(select(func.max(column))).scalar()
        if highest is not None:
            target.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, :column), :highest)"),
                {"name": table.name, "column": column.name, "highest": highest},
            )
