"""An engine over a real store, on SQLite and on Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database, open_database
from storage.log_setup import init_log
from storage.store import SqlStore
from tests.world import Clock, Working


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database, tmp_path: Path, clock: Clock) -> SqlStore:
    journal = init_log(database, tmp_path / "home", origin="interlock.example/audit/T0", now=clock)
    return SqlStore(database, journal, now=clock)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock)
