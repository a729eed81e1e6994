"""An open database and a begun log, on SQLite and on Postgres."""

from pathlib import Path

import pytest

from storage.database import Database
from storage.journal import Journal
from storage.key_changes import KeyOffice
from storage.log_setup import init_log, open_journal
from storage.store import SqlStore
from tests.storage.machines import RITA
from tests.storage.run_drafts import HandClock

ORIGIN = "interlock.example/audit/T0ABC"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def journal(database: Database, home: Path) -> Journal:
    return init_log(database, home, origin=ORIGIN)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(database: Database, home: Path, clock: HandClock) -> SqlStore:
    journal = init_log(database, home, origin=ORIGIN, now=clock)
    return SqlStore(database, journal, now=clock)


@pytest.fixture
def office(database: Database, home: Path, journal: Journal) -> KeyOffice:
    assert journal.origin
    return KeyOffice(database, open_journal(database, home), person=RITA)
