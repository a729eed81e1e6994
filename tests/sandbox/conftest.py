"""A sandbox per test, and a real Bolt app that talks to it over WebSocket."""

import time
from collections.abc import Callable, Iterator

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.hand_clock import Clock
from tests.sandbox.patience import PATIENCE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings() -> SandboxSettings:
    """Tests overrule this one where they want another workspace."""
    return SandboxSettings(ack_seconds=PATIENCE, retry_delays=(0.0, 0.05, 0.1))


@pytest.fixture
def server(settings: SandboxSettings) -> Iterator[SandboxServer]:
    with SandboxServer(settings) as running:
        seed(running.workspace)
        yield running


@pytest.fixture
def workspace(server: SandboxServer) -> Workspace:
    return server.workspace


@pytest.fixture
def client(server: SandboxServer) -> WebClient:
    return WebClient(token=server.bot_token, base_url=server.api_url, retry_handlers=[], timeout=10)


@pytest.fixture
def app(server: SandboxServer, client: WebClient) -> App:
    return App(
        client=client,
        signing_secret=server.signing_secret,
        process_before_response=True,
    )


@pytest.fixture
def connect(app: App, server: SandboxServer) -> Iterator[Callable[[], SocketModeHandler]]:
    """Connect the app over WebSocket once its listeners are registered."""
    handlers: list[SocketModeHandler] = []

    def start() -> SocketModeHandler:
        handler = SocketModeHandler(app, server.app_token, concurrency=32, ping_interval=1)
        handler.connect()
        handlers.append(handler)
        server.wait_for_connection(len(handlers))
        return handler

    yield start
    for handler in handlers:
        handler.client.auto_reconnect_enabled = False
    server.drop_sockets()
    for handler in handlers:
        hang_up(handler)


def hang_up(handler: SocketModeHandler) -> None:
    """Close a handler whose connection was dropped, without the SDK's waits of seconds.

    Its reader notices a drop at once, but `close` while it still does so runs into a race
    inside the SDK; its queue worker notices an end with its next message.
    """
    while handler.client.is_connected():
        time.sleep(0.005)
    handler.client.closed = True
    handler.client.message_queue.put(None)
    handler.close()
