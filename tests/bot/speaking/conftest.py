"""A seeded pretend Slack without rate limits, a client of the bot, a store, an outbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.slack_client import SlackClient
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from storage.database import Database
from storage.log_setup import init_log
from storage.store import SqlStore
from tests.bot.speaking.office import HandClock, Office

ORIGIN = "interlock.example/audit/T0ACME"
ASK = {
    "title": "Ask",
    "description": "Asks somebody",
    "input_parameters": {"properties": {}},
    "output_parameters": {"properties": {}},
}


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    app = AppSettings(functions={"ask": ASK})
    with SandboxServer(SandboxSettings(app=app, rate_scale=None)) as running:
        seed(running.workspace)
        yield running


@pytest.fixture
def client(server: SandboxServer) -> SlackClient:
    return SlackClient(server.bot_token, base_url=server.api_url, timeout=30.0)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Give an SQLite file; a test marked with `office.BOTH` runs on Postgres too.

    The statements of the outbox are proven on both beside them, in the tests of `storage`.
    """
    return str(request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(database: Database, tmp_path: Path, clock: HandClock) -> SqlStore:
    journal = init_log(database, tmp_path / "home", origin=ORIGIN, now=clock)
    return SqlStore(database, journal, now=clock)


@pytest.fixture
def office(server: SandboxServer, store: SqlStore, clock: HandClock) -> Office:
    return Office(server, store, clock)
