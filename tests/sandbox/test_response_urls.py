"""Response URLs: five answers within half an hour, and the only way to change an ephemeral."""

from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.hand_clock import Clock
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]


@pytest.fixture
def settings(clock: Clock) -> SandboxSettings:
    return SandboxSettings(clock=clock, ack_seconds=PATIENCE, rate_scale=None)


def a_button() -> list[Json]:
    text = {"type": "plain_text", "text": "Why?"}
    return [{"type": "actions", "elements": [{"type": "button", "action_id": "why", "text": text}]}]


@pytest.fixture
def urls(app: App, connect: Any) -> list[str]:  # noqa: ANN401 - the fixture of conftest.
    """Return the response URLs the app was given so far, newest last."""
    seen: list[str] = []

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        seen.append(body["response_url"])
        ack()

    @app.action("why")
    def on_click(ack: Ack, body: Json) -> None:
        seen.append(body["response_url"])
        ack()

    connect()
    return seen


def test_an_answer_is_private_unless_it_says_otherwise(
    urls: list[str], workspace: Workspace
) -> None:
    rita = workspace.person("rita")
    rita.command("/ops help")
    private = WebhookClient(urls[0]).send(text="Only for you")
    public = WebhookClient(urls[0]).send(text="For everybody", response_type="in_channel")

    assert (private.status_code, private.body) == (200, "ok")
    assert public.status_code == 200
    assert [one.text for one in rita.ephemerals] == ["Only for you"]
    assert workspace.person("ana").ephemerals == []
    assert [one.text for one in workspace.messages()] == ["For everybody"]


def test_an_answer_stands_in_a_thread_where_it_names_one_that_has_replies(
    urls: list[str], client: WebClient, workspace: Workspace
) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")["ts"]
    client.chat_postMessage(channel="C0OPS", text="Card", blocks=a_button(), thread_ts=root)
    rita = workspace.person("rita")
    rita.click("Why?")
    lone = client.chat_postMessage(channel="C0OPS", text="Run 18")["ts"]
    answering = WebhookClient(urls[0])
    for text, more in (
        ("above", {}),
        ("there", {"thread_ts": root}),
        ("lost", {"thread_ts": lone}),
    ):
        answering.send_dict({"text": text, "replace_original": False, **more})

    assert [(one.text, one.thread_ts) for one in rita.ephemerals] == [
        ("above", None),
        ("there", root),
    ]


def test_a_sixth_use_is_refused(urls: list[str], workspace: Workspace) -> None:
    workspace.person("rita").command("/ops help")
    client = WebhookClient(urls[0])
    answers = [client.send(text=str(number)).status_code for number in range(6)]

    assert answers == [200] * 5 + [404]
    assert "used_url" in client.send(text="again").body


def test_after_half_an_hour_nothing_is_taken(
    urls: list[str], workspace: Workspace, clock: Clock
) -> None:
    workspace.person("rita").command("/ops help")
    clock.at += 1_801
    answer = WebhookClient(urls[0]).send(text="too late")

    assert answer.status_code == 404
    assert "expired_url" in answer.body


@pytest.mark.trap(29)
def test_only_the_response_url_changes_an_ephemeral(
    urls: list[str], workspace: Workspace, client: WebClient
) -> None:
    whispered = client.chat_postEphemeral(
        channel="C0OPS", user="U0RITA", text="Not you", blocks=a_button()
    )
    rita = workspace.person("rita")
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.chat_update(channel="C0OPS", ts=whispered["message_ts"], text="x")
    click = rita.click("Why?")
    WebhookClient(urls[0]).send(text="Because you asked for it", replace_original=True)
    replaced = [one.words for one in rita.ephemerals]
    WebhookClient(urls[0]).send(delete_original=True)

    assert click.payload["container"]["is_ephemeral"]
    assert "message" not in click.payload
    assert click.payload["container"]["message_ts"] == whispered["message_ts"]
    assert replaced == ["Because you asked for it"]
    assert rita.ephemerals == []


def test_a_message_can_be_replaced_and_deleted_through_its_click(
    urls: list[str], workspace: Workspace, client: WebClient
) -> None:
    client.chat_postMessage(channel="C0OPS", text="A card", blocks=a_button())
    workspace.person("rita").click("Why?")
    WebhookClient(urls[0]).send(text="Answered", replace_original=True)
    replaced = [one.words for one in workspace.messages()]
    WebhookClient(urls[0]).send(delete_original=True)

    assert replaced == ["Answered"]
    assert workspace.messages() == []


def test_bad_blocks_are_refused_here_too(urls: list[str], workspace: Workspace) -> None:
    workspace.person("rita").command("/ops help")
    answer = WebhookClient(urls[0]).send(text="x", blocks=[{"type": "confetti"}])

    assert answer.status_code == 400
    assert "invalid_blocks" in answer.body
