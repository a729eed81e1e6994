"""A folder that outlives the processes that crash in it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.database import open_database
from storage.log_setup import init_log, open_journal
from storage.store import SqlStore
from tests.forked import interlock
from tests.world import Clock

Opened = Callable[[], Iterator[SqlStore]]


@pytest.fixture(autouse=True)
def _judged_by_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have judges verify in forked processes; trials that run as programs still start their own."""
    monkeypatch.setattr(
        "bench.trial.judge.program", lambda *words: interlock(*words, env=os.environ)
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(database_url: str, tmp_path: Path, clock: Clock) -> Opened:
    """Give a way to open the same database as often as a process starts."""
    home = tmp_path / "home"
    first = open_database(database_url)
    init_log(first, home, origin="interlock.example/audit/T0", now=clock)
    first.close()

    @contextmanager
    def open_once() -> Iterator[SqlStore]:
        database = open_database(database_url)
        try:
            yield SqlStore(database, open_journal(database, home, now=clock), now=clock)
        finally:
            database.close()

    return open_once
