"""The sandbox against others' types: what it takes they take, what they refuse it refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.server import SandboxServer
from sandbox.workspace import Workspace
from tests.sandbox.payload_checks import (
    complaints_about,
    complaints_about_blocks,
    complaints_about_view,
)
from tests.sandbox.test_block_rules import REFUSED, TAKEN, a_modal, an_input, plain, section

Json = dict[str, Any]


@pytest.mark.parametrize("name", TAKEN)
def test_what_we_take_slacks_types_take(name: str) -> None:
    assert complaints_about_blocks(TAKEN[name]) == []


def test_their_refusals_are_a_part_of_ours() -> None:
    objects = {name: blocks for name, (blocks, _) in REFUSED.items() if isinstance(blocks[0], dict)}
    theirs = [name for name, blocks in objects.items() if complaints_about_blocks(blocks)]

    assert len(theirs) >= 20
    assert {"an unknown field", "markup on a button", "a section of 3,001"} <= set(theirs)


def test_they_look_at_modals_too() -> None:
    assert complaints_about_view(a_modal(an_input(), section())) == []
    assert complaints_about_view(a_modal(title=plain("x" * 25)))
    assert complaints_about_view(a_modal(colour="red"))


def test_a_whole_exchange_leaves_nobody_with_a_complaint(
    app: App,
    connect: Callable[[], SocketModeHandler],
    client: WebClient,
    workspace: Workspace,
    server: SandboxServer,
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=a_modal(an_input()))
        ack()

    app.event("message")(lambda: None)
    connect()
    rita = workspace.person("rita")
    rita.command("/ops run")
    client.chat_postMessage(channel="C0OPS", text="Run 17", blocks=[section()])

    assert complaints_about(server.recorder) == []
    client.api_call("chat.postMessage", json={"channel": "C0OPS", "text": "x", "colour": "red"})
    assert complaints_about(server.recorder) == ["chat.postMessage: unknown argument colour"]
