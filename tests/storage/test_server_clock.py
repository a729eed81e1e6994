"""The time by the database's clock, on a machine that has another one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from storage.database import Database, open_database
from storage.server_clock import EVERY, ServerClock
from workflows.errors import StorageError

SECOND = timedelta(seconds=1)


class Ticks:
    """This machine's ticks, as far as a test lets them go on."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def server(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    opened.close()


def test_it_is_the_servers_moment_and_goes_on_with_the_ticks(server: Database) -> None:
    ticks = Ticks()
    clock = ServerClock(server, ticks=ticks)
    first = clock()
    ticks.at += 30

    assert abs(first - datetime.now(UTC)) < 30 * SECOND  # Both run on this machine.
    assert clock() - first == 30 * SECOND


def test_after_a_minute_it_looks_again(server: Database) -> None:
    ticks = Ticks()
    clock = ServerClock(server, ticks=ticks)
    first = clock()
    ticks.at += 3 * 86_400  # Ticks that went wrong: the machine slept, or is not to be trusted.

    assert clock() - first < 60 * SECOND


def test_while_the_server_is_away_the_last_look_goes_on(
    server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def away() -> Iterator[None]:
        raise StorageError("The database cannot be reached.")
        yield

    ticks = Ticks()
    clock = ServerClock(server, ticks=ticks)
    first = clock()
    monkeypatch.setattr(server, "read", away)
    ticks.at += EVERY + 1

    assert clock() - first == (EVERY + 1) * SECOND


def test_nobody_waits_for_somebody_elses_look(
    server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks, looking, goes_on = Ticks(), threading.Event(), threading.Event()
    clock = ServerClock(server, ticks=ticks)
    first = clock()
    real = server.read

    @contextmanager
    def slow() -> Iterator[object]:
        looking.set()
        goes_on.wait(60)
        with real() as connection:
            yield connection

    monkeypatch.setattr(server, "read", slow)
    ticks.at += EVERY + 1
    other = threading.Thread(target=clock)
    other.start()
    looking.wait(60)
    told = clock()
    goes_on.set()
    other.join()

    assert told - first == (EVERY + 1) * SECOND
