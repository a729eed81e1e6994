"""A real browser in front of the sandbox's page; each tab is somebody."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from tests.sandbox.page.office import Office
from tests.sandbox.page.tabs import chromium, tabs
from tests.sandbox.patience import PATIENCE


# Playwright keeps an event loop running in this thread, so it ends with each file's tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium with an empty profile."""
    with chromium() as running:
        yield running


@pytest.fixture
def settings() -> SandboxSettings:
    app = AppSettings(
        events=frozenset({"app_home_opened"}),
        shortcuts={"message.find": "message", "everywhere": "global"},
        shortcut_names={"message.find": "Find its run", "everywhere": "Open the door"},
    )
    return SandboxSettings(app=app, ack_seconds=PATIENCE, trigger_seconds=PATIENCE, rate_scale=None)


@pytest.fixture
def sits(browser: Browser, server: SandboxServer) -> Iterator[Callable[[str], Page]]:
    """Open a tab as somebody, in a workspace of the test's own."""
    with tabs(browser, server.url) as open_tab:
        yield open_tab


@pytest.fixture
def office(app: App, connect: Callable[[], SocketModeHandler]) -> Iterator[Office]:
    """Connect the small app."""
    made = Office(app)
    connect()
    yield made
    made.never.set()
