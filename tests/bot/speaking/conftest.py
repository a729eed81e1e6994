"""A seeded pretend Slack without rate limits, and a client of the bot pointed at it."""

from collections.abc import Iterator

import pytest

from bot.slack_client import SlackClient
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(rate_scale=None)) as running:
        seed(running.workspace)
        yield running


@pytest.fixture
def client(server: SandboxServer) -> SlackClient:
    return SlackClient(server.bot_token, base_url=server.api_url, timeout=2.0)
