"""Whoever edits what screens read is named: no table says anything but what the entries say."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from storage import pile
from storage.base import UtcDateTime
from storage.database import Database, open_database
from storage.models import Base
from storage.rebuild import PROJECTED, Difference, Picture, check_projections, compare, rebuild
from storage.store import SqlStore
from storage.verify import verify_database
from tests.conftest import new_database
from tests.storage.full_log import fill, house_at
from tests.world import NOON, Clock, World
from workflows.entry import INTERLOCK, SYSTEM, Draft, Json, RunId

# What a budget took is told by an announced effect; `test_projections` has those.
NOTHING_TAKEN = {"budget_use"}
SCHEDULE: dict[str, Json] = {
    "schedule": "s2",
    "workflow": "w",
    "version": "v",
    "cron": "0 9 * * *",
    "at": None,
    "timezone": "UTC",
    "missed": "skip",
    "overlap": "skip",
    "channel": "ops",
}
ROLE: dict[str, Json] = {"role": "auditor", "to": "@audit", "scope": "*"}
TOKEN: dict[str, Json] = {
    "token": "ci",
    "owner": "s:0",
    "workflows": ["w"],
    "expires": "2026-06-01T00:00:00.000Z",
    "digest": "ab" * 32,
}


class UndoneError(Exception):
    """Ends a transaction so that nothing of it stays."""


def undo() -> None:
    raise UndoneError


@dataclass(frozen=True)
class Tables:
    """A database whose tables have rows, and what its entries say of them."""

    database: Database
    told: Picture

    def after(self, forgery: Executable) -> list[Difference] | None:
        """Return what differs while the forgery stands; None where the database refuses it."""
        found: list[Difference] = []
        try:
            with self.database.begin() as tx:
                tx.connection.execute(forgery)
                found = compare(tx.connection, self.told)
                undo()
        except UndoneError:
            return found
        except IntegrityError:
            return None

    def first(self, table: Table) -> tuple[dict[str, Any], ColumnElement[bool]]:
        """Return the first row of a table, and what holds of that row alone."""
        names = PROJECTED[table.name][0]
        wanted = select(table).order_by(*(table.c[one] for one in names))
        with self.database.read() as connection:
            row = dict(connection.execute(wanted).mappings().first() or {})
        return row, and_(*(table.c[one] == row[one] for one in names))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    folder = tmp_path_factory.mktemp("tables")
    if request.param == "sqlite":
        url = str(shutil.copy(request.getfixturevalue("sqlite_schema"), folder / "log.db"))
    else:
        schema = request.getfixturevalue("postgres_schema")
        server = request.getfixturevalue("postgres_server")
        url = new_database(server, "tables_told", template=schema)
    with house_at(url, folder / "home", Clock(), world=World()) as house:
        tell_more(house.store, fill(house).waiting)
    database = open_database(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pile, "MOST", 3)  # So that rows come from a file, as those of a large log.
        with database.read() as connection:
            told = rebuild(connection)
        yield Tables(database, told)
    database.close()


def tell_more(store: SqlStore, waiting: RunId) -> None:
    """Put something into the tables that a full log leaves empty."""
    with store.begin() as unit:
        request = unit.open_request(waiting)
        assert request is not None
        escalated: dict[str, Json] = {"request": request.id, "to": ["s:0"], "n": 1}
        glass: dict[str, Json] = {
            "request": request.id,
            "step": request.step,
            "binding": request.binding,
            "review_by": "2026-03-03T09:00:00.000Z",
        }
        unit.append(Draft(kind="approval.escalated", actor=INTERLOCK, data=escalated, run=waiting))
        unit.append(Draft(kind="break_glass.used", actor=INTERLOCK, data=glass, run=waiting))
        unit.append(Draft(kind="schedule.set", actor=SYSTEM, data=SCHEDULE))
        unit.append(Draft(kind="token.created", actor=SYSTEM, data=TOKEN))
        unit.append(Draft(kind="role.granted", actor=SYSTEM, data=ROLE))


def other(value: object, column: Column[Any]) -> object:
    """Return a value that may stand in the column, and is not the one that does."""
    if isinstance(column.type, UtcDateTime):
        return (value or NOON) + timedelta(days=1)
    kind = column.type.python_type
    if issubclass(kind, Enum):
        return next(one for one in kind if one != value)
    made: dict[type, Callable[[], Any]] = {
        bool: lambda: not value,
        int: lambda: (value or 0) + 1,
        bytes: lambda: hashlib.sha256(value).digest(),
        str: lambda: f"{value or ''}x",
    }
    return made[kind]()


TABLES = [Base.metadata.tables[name] for name in PROJECTED if name not in NOTHING_TAKEN]
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def test_the_tables_say_what_the_entries_say(tables: Tables) -> None:
    assert check_projections(tables.database) == []


@each_table
def test_a_column_that_lies_is_named_or_refused(tables: Tables, table: Table) -> None:
    row, this = tables.first(table)
    columns = PROJECTED[table.name][1]
    lies = {one: {one: other(row[one], table.c[one])} for one in columns}
    found = {one: tables.after(update(table).where(this).values(lie)) for one, lie in lies.items()}
    told = {one: differs for one, differs in found.items() if differs is not None}

    assert told
    assert all(any(each.column == one for each in differs) for one, differs in told.items())


@each_table
def test_a_row_that_is_gone_is_named_or_refused(tables: Tables, table: Table) -> None:
    _row, this = tables.first(table)
    found = tables.after(delete(table).where(this))

    assert found is None or any(str(one).endswith("is missing") for one in found)


@each_table
def test_a_row_that_nobody_told_is_named_or_refused(tables: Tables, table: Table) -> None:
    row, _this = tables.first(table)
    own = {*table.primary_key.columns.keys(), *PROJECTED[table.name][0]} - {"run_id"}
    found = tables.after(
        insert(table).values({**row, **{one: other(row[one], table.c[one]) for one in own}})
    )

    assert found is None or any(one.told is None and one.table == table.name for one in found)


def test_whoever_verifies_a_database_hears_of_a_table_that_lies(
    database_url: str, tmp_path: Path
) -> None:
    with house_at(database_url, tmp_path / "home", Clock(), world=World()) as house:
        run = fill(house).done
    honest = verify_database(database_url, [], tables=True, processes=1)
    database = open_database(database_url)
    with database.begin() as tx:
        shown = Base.metadata.tables["run"]
        tx.connection.execute(update(shown).where(shown.c.id == run).values(status="denied"))
    database.close()
    lied = verify_database(database_url, [], tables=True, processes=1)
    quiet = verify_database(database_url, [], processes=1)

    assert honest.failures == [] == quiet.failures
    assert honest.counts["projections"] == "compared"
    assert lied.codes == {"projection"}
    assert f"run {run}: status is" in lied.failures[0][1]
