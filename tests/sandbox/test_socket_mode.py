"""A real Bolt app on a real WebSocket: gestures arrive, acknowledgements do what they say."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.limits import ACK_SECONDS
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace

Connect = Callable[[], SocketModeHandler]


def a_card(text: str = "Refund order 8841") -> list[dict[str, Any]]:
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {
            "type": "actions",
            "block_id": "decide.1",
            "elements": [
                {
                    "type": "button",
                    "action_id": "request.approve",
                    "value": "req_1.1",
                    "text": {"type": "plain_text", "text": "Approve"},
                    "style": "primary",
                },
                {
                    "type": "button",
                    "action_id": "request.deny",
                    "value": "req_1.1",
                    "text": {"type": "plain_text", "text": "Reject"},
                },
            ],
        },
    ]


def a_form() -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "run.start",
        "title": {"type": "plain_text", "text": "Refund a customer"},
        "submit": {"type": "plain_text", "text": "Ask"},
        "blocks": [
            {
                "type": "input",
                "block_id": "order",
                "label": {"type": "plain_text", "text": "Order"},
                "element": {"type": "plain_text_input", "action_id": "value", "max_length": 20},
            }
        ],
    }


def test_a_command_opens_a_form_whose_submission_reaches_the_app(
    app: App, connect: Connect, workspace: Workspace
) -> None:
    submitted: list[str] = []

    @app.command("/ops")
    def on_command(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=a_form())
        ack()

    @app.view("run.start")
    def on_submit(ack: Ack, view: dict[str, Any]) -> None:
        submitted.append(view["state"]["values"]["order"]["value"]["value"])
        ack()

    connect()
    rita = workspace.person("rita")
    typed = rita.command("/ops run refund-customer")
    form = rita.wait_for_view("Refund a customer")
    sent = rita.submit({"Order": "ord_8841"})

    assert typed.acked
    assert form.fields == ["Order"]
    assert sent.acked
    assert submitted == ["ord_8841"]
    assert rita.view is None


def test_a_click_reaches_the_app_and_the_card_changes(
    app: App, connect: Connect, workspace: Workspace, client: WebClient
) -> None:
    @app.action("request.approve")
    def on_click(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text=f"{action['value']} approved by {body['user']['name']}",
        )
        ack()

    connect()
    client.chat_postMessage(channel="C0OPS", text="Rita asks for a refund", blocks=a_card())
    card = workspace.wait_for_message("Refund order 8841")
    clicked = workspace.person("ana").click("Approve", message=card)

    assert clicked.acked
    assert clicked.payload["user"]["team_id"] == "T0ACME"
    assert workspace.wait_for_change(card, "approved by ana").buttons == []


def test_a_mention_arrives_with_ids_in_place_of_names(
    app: App, connect: Connect, workspace: Workspace
) -> None:
    """Of a private channel, such as #finance, the id alone."""
    texts: list[str] = []

    @app.command("/ops")
    def on_command(ack: Ack, command: dict[str, Any]) -> None:
        texts.append(command["text"])
        ack(text="<@U0ANA> is asked")

    connect()
    rita = workspace.person("rita")
    rita.command("/ops ask @ana in #ops or #finance & @finance-leads")

    asked = "ask <@U0ANA|ana> in <#C0OPS|ops> or <#C0FINANCE|>"
    assert texts == [f"{asked} &amp; <!subteam^S0FINANCELEADS|@finance-leads>"]
    assert rita.wait_for_ephemeral("@ana is asked").ephemeral


@pytest.mark.parametrize("settings", [SandboxSettings()])
def test_an_unanswered_command_shows_slacks_own_error(
    connect: Connect, workspace: Workspace
) -> None:
    connect()
    rita = workspace.person("rita")
    typed = rita.command("/ops anything")

    assert typed.outcome == "operation_timeout"
    assert rita.complaints[0].text == '/ops failed with the error "operation_timeout"'
    # A busy machine notices it late, and this one waits for nobody twice as long.
    assert ACK_SECONDS <= (typed.ack_seconds or 0) < 2 * ACK_SECONDS
