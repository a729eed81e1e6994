"""The database as one process holds it, while its server is stopped and started again."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace

import pytest

from storage.database import Database, open_database
from storage.patience import waiting_for_the_server
from tests.private_postgres import PrivatePostgres, private_postgres
from workflows.errors import StorageUnavailableError

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    with private_postgres() as started:
        yield started


@pytest.fixture
def database(server: PrivatePostgres) -> Iterator[Database]:
    opened = open_database(server.url)
    yield opened
    opened.close()


def ask(database: Database) -> int:
    with database.begin() as tx:
        return int(tx.driver.execute("SELECT 1").fetchone()[0])


def test_nobody_is_refused_over_a_connection_of_the_server_that_ended(
    database: Database, server: PrivatePostgres
) -> None:
    with ExitStack() as stack:  # Several connections, all of them given back afterwards.
        for _ in range(5):
            stack.enter_context(database.read())
    server.stop()
    server.start()

    assert [ask(database) for _ in range(8)] == [1] * 8


def test_who_has_the_patience_waits_for_the_server_and_the_others_are_told_at_once(
    database: Database, server: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    slept: list[float] = []
    with monkeypatch.context() as patch:
        watched = SimpleNamespace(monotonic=time.monotonic, sleep=slept.append)
        patch.setattr("storage.postgres_database.time", watched)
        with pytest.raises(StorageUnavailableError, match="cannot be reached"):
            ask(database)
    threading.Timer(2.0, server.start).start()
    with waiting_for_the_server(timedelta(minutes=2)):
        with database.glance() as look:
            seen = look.run("SELECT 1").fetchone()
        found = ask(database)

    assert slept == []
    assert (seen, found) == ((1,), 1)
