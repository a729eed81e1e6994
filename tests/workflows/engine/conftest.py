"""An engine over a real store, on SQLite and on Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.known_fields import fields_of_no_kind
from tests.stores import begun
from tests.world import Clock, Working


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, tmp_path: Path, clock: Clock) -> Iterator[SqlStore]:
    """Give a store; whatever the engine records in it, the registry of kinds knows."""
    yield begun(database, tmp_path, clock)
    assert fields_of_no_kind(database) == set()


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock)
