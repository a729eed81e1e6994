"""Receiving over Socket Mode, from the sandbox's own sockets."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeAlias

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.arrival import ARRIVED
from bot.settings import SettingsError
from bot.socket_mode import CONCURRENCY, SILENCE, Sockets
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings

PATIENCE = 30.0


@pytest.fixture
def slack() -> Iterator[SandboxServer]:
    # How soon a busy machine answers is not judged here.
    with SandboxServer(SandboxSettings(rate_scale=None, ack_seconds=PATIENCE)) as server:
        seed(server.workspace)
        yield server


def app_of(server: SandboxServer) -> App:
    client = WebClient(token=server.bot_token, base_url=server.api_url)
    return App(client=client, process_before_response=True)


def sockets_of(server: SandboxServer, app: App, token: str = "") -> Sockets:
    client = WebClient(base_url=server.api_url)
    return Sockets(app, app_token=token or server.app_token, web_client=client)


def acknowledge(ack: Ack) -> None:
    ack()


Connect: TypeAlias = Callable[..., Sockets]


@pytest.fixture
def connected(slack: SandboxServer) -> Iterator[Connect]:
    """Give a start of both lines, with a listener for the command; they end with the test."""
    with ExitStack() as stack:

        def start(listener: Callable[..., None] = acknowledge) -> Sockets:
            app = app_of(slack)
            app.command("/ops")(listener)
            sockets = sockets_of(slack, app)
            stack.callback(sockets.stop)
            sockets.start()
            slack.wait_for_connection(2, timeout=PATIENCE)
            return sockets

        yield start


def test_as_many_listeners_run_at_once_as_there_are_threads(
    slack: SandboxServer, connected: Connect
) -> None:
    together = threading.Barrier(CONCURRENCY // 2)
    seen: list[object] = []

    def on_command(ack: Ack, context: dict[str, object]) -> None:
        together.wait(timeout=PATIENCE)
        seen.append(context[ARRIVED])
        ack()

    connected(on_command)
    rita = slack.workspace.person("rita")
    with ThreadPoolExecutor(CONCURRENCY // 2) as pool:
        typed = pool.map(lambda _: rita.command("/ops", channel="#ops"), range(CONCURRENCY // 2))
        outcomes = [one.outcome for one in typed]

    assert outcomes == ["acked"] * (CONCURRENCY // 2)
    assert all(isinstance(one, float) for one in seen)


def test_a_dropped_connection_is_replaced_and_nothing_is_wrong(
    slack: SandboxServer, connected: Connect
) -> None:
    sockets = connected()
    cut = set(slack.hub.sockets.names)
    slack.drop_sockets()
    # Slack sends what is typed into the gap over a line that is gone, and waits for its answer.
    slack.hub.state.wait(
        lambda: len(slack.hub.sockets.names) == 2 and not cut & set(slack.hub.sockets.names),
        timeout=PATIENCE,
        what="new lines",
    )
    typed = slack.workspace.person("rita").command("/ops", channel="#ops")

    assert typed.outcome == "acked"
    assert sockets.problem() is None


def test_a_minute_without_any_connection_is_a_problem(slack: SandboxServer) -> None:
    now = 0.0
    client = WebClient(base_url=slack.api_url)
    sockets = Sockets(
        app_of(slack), app_token=slack.app_token, web_client=client, clock=lambda: now
    )
    assert sockets.problem() is None
    now = SILENCE + 1

    assert "No connection" in str(sockets.problem())
    sockets.stop()


def test_a_wrong_app_token_is_said_in_a_sentence(slack: SandboxServer) -> None:
    sockets = sockets_of(slack, app_of(slack), token="xapp-wrong")

    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):
        sockets.start()
    sockets.stop()


def test_a_line_that_slack_renews_is_read_from_then_on(
    slack: SandboxServer, connected: Connect
) -> None:
    connected()
    names = slack.hub.sockets.names
    slack.refresh_sockets()
    slack.hub.state.wait(
        lambda: len(set(slack.hub.sockets.names) - set(names)) == 2,
        timeout=PATIENCE,
        what="new lines",
    )
    rita = slack.workspace.person("rita")
    typed = [rita.command("/ops", channel="#ops") for _ in range(10)]

    assert [one.outcome for one in typed] == ["acked"] * 10
    assert not {one.connection for one in typed} & set(names)


def test_an_answer_that_finds_its_line_gone_takes_the_next(slack: SandboxServer) -> None:
    app = app_of(slack)

    def on_command(ack: Ack) -> None:
        cut = set(slack.hub.sockets.names)
        slack.drop_sockets()
        # The first may be open anew before the second is noticed to be gone.
        slack.hub.state.wait(
            lambda: not cut & set(slack.hub.sockets.names), timeout=PATIENCE, what="the cut"
        )
        ack()

    app.command("/ops")(on_command)
    sockets = sockets_of(slack, app)
    sockets.start()
    slack.wait_for_connection(2, timeout=PATIENCE)
    typed = slack.workspace.person("rita").command("/ops", channel="#ops")
    sockets.stop()

    assert typed.outcome == "acked"


def test_a_line_whose_message_cannot_be_taken_is_replaced(
    slack: SandboxServer, connected: Connect
) -> None:
    sockets = connected()
    names = slack.hub.sockets.names

    def no_text(_: str) -> None:
        b"\xff".decode()

    for one in sockets._handlers:  # noqa: SLF001 - whichever of them it comes to.
        one.client.on_message_listeners.insert(0, no_text)
    rita = slack.workspace.person("rita")
    rita.command("/ops", channel="#ops", wait=False)
    slack.hub.state.wait(
        lambda: set(slack.hub.sockets.names) - set(names), timeout=PATIENCE, what="a new line"
    )


def test_what_is_under_way_is_answered_before_the_lines_end(
    slack: SandboxServer, connected: Connect
) -> None:
    begun, may_answer = threading.Event(), threading.Event()

    def on_command(ack: Ack) -> None:
        begun.set()
        may_answer.wait(PATIENCE)
        ack()

    sockets = connected(on_command)
    typed = slack.workspace.person("rita").command("/ops", channel="#ops", wait=False)
    assert begun.wait(PATIENCE)
    stopping = threading.Thread(target=sockets.stop)
    stopping.start()
    stopping.join(0.3)  # Long enough for lines to be cut, if that came first.
    may_answer.set()
    stopping.join()
    slack.hub.state.wait(lambda: typed.settled, timeout=PATIENCE, what="the answer")

    assert typed.outcome == "acked"


def test_stopping_does_not_wait_for_the_next_message(
    caplog: pytest.LogCaptureFixture, connected: Connect
) -> None:
    sockets = connected()
    started = time.monotonic()
    sockets.stop()

    assert time.monotonic() - started < 2.5
    assert "did not close in time" not in caplog.text


def test_a_connection_that_never_closes_does_not_hold_the_bot_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, connected: Connect
) -> None:
    monkeypatch.setattr("bot.socket_mode.CLOSE_SECONDS", 0.5)
    sockets = connected()
    stuck = threading.Event()
    close = sockets._handlers[0].client.close  # noqa: SLF001 - a listener that takes long, made sure.
    monkeypatch.setattr(sockets._handlers[0].client, "close", stuck.wait)  # noqa: SLF001 - as above.
    sockets.stop()
    stuck.set()
    close()

    assert "did not close in time" in caplog.text


def test_it_says_at_once_that_no_connection_stands(slack: SandboxServer) -> None:
    sockets = sockets_of(slack, app_of(slack))
    before = sockets.unconnected()
    sockets.start()
    during = sockets.unconnected()
    sockets.stop()

    assert before == "There is no connection to Slack."
    assert during is None
