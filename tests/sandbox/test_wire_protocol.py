"""Socket Mode frame by frame, with a plain WebSocket in place of the SDK."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sandbox import faults as fault
from sandbox.delivery.envelope import Delivery
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]


@pytest.fixture
def settings() -> SandboxSettings:
    return waiting(PATIENCE)


def waiting(seconds: float) -> SandboxSettings:
    """Return the settings of a Slack that waits so long for an answer."""
    return SandboxSettings(ack_seconds=seconds, retry_delays=(0.0,), rate_scale=None)


@pytest.fixture
def address(client: WebClient, server: SandboxServer) -> str:
    return str(client.apps_connections_open(app_token=server.app_token)["url"])


@pytest.fixture
def line(address: str) -> Iterator[ClientConnection]:
    with connect(address) as opened:
        yield opened


def frame(line: ClientConnection) -> Json:
    found: Json = json.loads(line.recv(timeout=PATIENCE))
    return found


def test_hello_comes_first(line: ClientConnection) -> None:
    hello = frame(line)

    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert hello["connection_info"] == {"app_id": "A0INTERLOCK"}
    assert hello["debug_info"]["approximate_connection_time"] == 18_060


def test_an_address_takes_one_connection(address: str, line: ClientConnection) -> None:
    assert frame(line)["type"] == "hello"
    with pytest.raises((InvalidStatus, ConnectionClosed)), connect(address) as second:
        second.recv(timeout=PATIENCE)


def test_ten_connections_are_the_most(client: WebClient, server: SandboxServer) -> None:
    with ExitStack() as lines:
        for _ in range(10):
            url = client.apps_connections_open(app_token=server.app_token)["url"]
            frame(lines.enter_context(connect(url)))

        with pytest.raises(SlackApiError, match="too_many_websockets"):
            client.apps_connections_open(app_token=server.app_token)


def test_an_envelope_is_acknowledged_from_whatever_connection(
    client: WebClient, server: SandboxServer, line: ClientConnection, workspace: Workspace
) -> None:
    frame(line)
    url = client.apps_connections_open(app_token=server.app_token)["url"]
    with connect(url) as other:
        frame(other)
        typed = workspace.person("rita").command("/ops help", wait=False)
        carrier, answerer = _who_got_it(server, typed, line, other)
        envelope = frame(carrier)
        answer = {"envelope_id": envelope["envelope_id"], "payload": {"text": "Hello"}}
        answerer.send(json.dumps(answer))
        workspace.wait_for(lambda: typed.settled, what="the acknowledgement")

    assert envelope["type"] == "slash_commands"
    assert envelope["accepts_response_payload"]
    assert typed.acked
    assert workspace.person("rita").ephemerals[0].text == "Hello"


def _who_got_it(
    server: SandboxServer,
    typed: Delivery,
    line: ClientConnection,
    other: ClientConnection,
) -> tuple[ClientConnection, ClientConnection]:
    server.workspace.wait_for(lambda: typed.connection, what="the choice")
    names = list(server.hub.sockets.names)
    return (line, other) if typed.connection == names[0] else (other, line)


@pytest.mark.parametrize("settings", [waiting(0.6)])
def test_events_carry_their_attempt_and_want_no_payload(
    line: ClientConnection, workspace: Workspace
) -> None:
    frame(line)
    workspace.person("rita").say("hello")
    first = frame(line)
    again = frame(line)

    assert (first["type"], first["accepts_response_payload"]) == ("events_api", False)
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "http_timeout")
    assert first["payload"]["event_id"] == again["payload"]["event_id"]


def test_what_is_answered_to_a_shortcut_nobody_looks_at(
    server: SandboxServer, line: ClientConnection, workspace: Workspace
) -> None:
    frame(line)
    used = workspace.person("rita").shortcut("run.start", wait=False)
    envelope = frame(line)
    answer = {"envelope_id": envelope["envelope_id"], "payload": {"text": "Hello"}}
    line.send(json.dumps(answer))
    workspace.wait_for(lambda: used.settled, what="the acknowledgement")

    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
    assert [one.where for one in server.recorder.faults] == ["shortcut"]


def test_a_disconnect_frame_names_its_reason_and_the_line_ends(
    line: ClientConnection, server: SandboxServer
) -> None:
    frame(line)
    server.refresh_sockets("warning")
    warning = frame(line)
    server.refresh_sockets("link_disabled")
    last = frame(line)

    assert (warning["type"], warning["reason"]) == ("disconnect", "warning")
    assert last["reason"] == "link_disabled"
    with pytest.raises(ConnectionClosed):
        line.recv(timeout=PATIENCE)


def test_a_frame_that_is_no_acknowledgement_is_held_against_the_app(
    line: ClientConnection, server: SandboxServer, workspace: Workspace
) -> None:
    frame(line)
    line.send("hello?")
    workspace.wait_for(lambda: server.recorder.faults, what="the fault")

    assert server.recorder.faults[0].where == "socket mode"


@pytest.mark.parametrize("settings", [waiting(3)])
def test_a_delivery_can_be_lost_and_another_come_late(
    line: ClientConnection, server: SandboxServer, workspace: Workspace
) -> None:
    frame(line)
    rita = workspace.person("rita")
    server.faults.next("slash_commands", fault.drop())
    server.faults.next("slash_commands", fault.slow(0.3))
    lost = rita.command("/ops one")
    late = rita.command("/ops two", wait=False)
    envelope = frame(line)
    line.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
    workspace.wait_for(lambda: late.settled, what="the late one")

    assert lost.outcome == "operation_timeout"
    assert envelope["payload"]["text"] == "two"
    assert late.acked
    assert (late.ack_seconds or 0) >= 0.3
