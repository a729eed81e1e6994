"""An engine over a real store, on SQLite and on Postgres."""

from pathlib import Path

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.stores import begun
from tests.world import Clock, Working


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, tmp_path: Path, clock: Clock) -> SqlStore:
    return begun(database, tmp_path, clock)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock)
