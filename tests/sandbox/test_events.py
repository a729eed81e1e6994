"""Events go where they are subscribed and visible; payloads please somebody else's types."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_events.validation import payload_type_for, validate_payload
from slack_sdk import WebClient

from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]


@pytest.fixture
def settings() -> SandboxSettings:
    return SandboxSettings(ack_seconds=PATIENCE, retry_delays=(), rate_scale=None)


@pytest.fixture
def told(server: SandboxServer) -> Callable[[], list[str]]:
    """Return the event types sent so far, a message's subtype behind a colon."""

    def look() -> list[str]:
        found = [one.payload["event"] for one in server.recorder.deliveries("events_api")]
        return [":".join(filter(None, (one["type"], one.get("subtype")))) for one in found]

    return look


def test_a_mention_arrives_as_a_message_and_as_a_mention(
    workspace: Workspace, told: Callable[[], list[str]], server: SandboxServer
) -> None:
    workspace.person("rita").say("@interlock summarise this")
    event = server.recorder.deliveries("app_mention")[0].payload["event"]

    assert told() == ["message", "app_mention"]
    assert event["text"] == "<@U0INTERLOCK> summarise this"
    assert (event["channel"], event["user"]) == ("C0OPS", "U0RITA")


def test_what_the_bot_cannot_see_is_not_told(
    workspace: Workspace, told: Callable[[], list[str]]
) -> None:
    workspace.person("rita").say("not for bots", channel="#general")

    assert told() == []


def test_messages_are_told_as_they_come_change_and_go(
    client: WebClient, told: Callable[[], list[str]]
) -> None:
    posted = client.chat_postMessage(channel="C0OPS", text="one")
    client.chat_update(channel="C0OPS", ts=posted["ts"], text="two")
    client.chat_delete(channel="C0OPS", ts=posted["ts"])

    assert told() == ["message", "message:message_changed", "message:message_deleted"]


def test_group_changes_name_who_came_and_who_left(
    workspace: Workspace, server: SandboxServer, client: WebClient
) -> None:
    workspace.join_group("omar", "finance-leads")
    workspace.leave_group("ana", "finance-leads")
    changes = [
        (one.payload["event"]["added_users"], one.payload["event"]["removed_users"])
        for one in server.recorder.deliveries("subteam_members_changed")
    ]

    assert changes == [(["U0OMAR"], []), ([], ["U0ANA"])]
    assert client.usergroups_users_list(usergroup="S0FINANCELEADS")["users"] == ["U0BEN", "U0OMAR"]


def test_joining_leaving_and_deactivation_are_told(
    workspace: Workspace, told: Callable[[], list[str]], client: WebClient
) -> None:
    workspace.leave("rita", "#ops")
    workspace.join("rita", "#ops")
    workspace.deactivate("sam")

    assert told() == [
        "member_left_channel",
        "member_joined_channel",
        "subteam_members_changed",
        "subteam_updated",
        "subteam_members_changed",
        "subteam_updated",
        "user_change",
    ]
    assert client.users_info(user="U0SAM")["user"]["deleted"]


def test_the_bots_removal_from_a_channel_ends_its_posts_there(
    workspace: Workspace, client: WebClient
) -> None:
    workspace.leave("interlock", "#ops")
    answer = client.conversations_info(channel="C0OPS")["channel"]

    assert answer["is_member"] is False


class TestWithFewSubscriptions:
    """An app that asked for mentions alone."""

    @pytest.fixture
    def settings(self) -> SandboxSettings:
        app = AppSettings(events=frozenset({"app_mention"}))
        return SandboxSettings(app=app, retry_delays=())

    def test_only_those_are_sent(self, workspace: Workspace, told: Callable[[], list[str]]) -> None:
        workspace.person("rita").say("@interlock hello")
        workspace.join_group("omar", "finance-leads")

        assert told() == ["app_mention"]


def test_every_payload_fits_the_types_of_another_author(
    app: App,
    connect: Callable[[], SocketModeHandler],
    client: WebClient,
    workspace: Workspace,
    server: SandboxServer,
) -> None:
    text = {"type": "plain_text", "text": "Approve"}
    card = [{"type": "actions", "elements": [{"type": "button", "action_id": "ok", "text": text}]}]
    view = {
        "type": "modal",
        "callback_id": "form",
        "title": text,
        "submit": text,
        "notify_on_close": True,
        "blocks": [
            {
                "type": "input",
                "block_id": "order",
                "label": text,
                "element": {"type": "plain_text_input", "action_id": "value"},
            }
        ],
    }

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    @app.action("ok")
    def on_click(ack: Ack) -> None:
        ack()

    app.view("form")(_acknowledge)
    app.view_closed("form")(_acknowledge)
    app.shortcut("find")(_acknowledge)
    connect()
    rita = workspace.person("rita")
    rita.command("/ops run")
    rita.submit({"order": "ord_1"})
    rita.command("/ops run")
    rita.close_view()
    client.chat_postMessage(channel="C0OPS", text="A card", blocks=card)
    rita.click("Approve")
    rita.shortcut("find")
    rita.shortcut("find", message=workspace.messages()[-1])
    rita.open_home()
    rita.say("@interlock hello")
    workspace.join_group("omar", "finance-leads")

    unseen: list[str] = []
    for one in server.recorder.deliveries():
        name, subtype, data = _as_named(one.kind, one.type, one.payload)
        if payload_type_for(name, subtype) is None:
            unseen.append(one.type)
        else:
            validate_payload(name, subtype, data)
    assert set(unseen) <= {"shortcut", "message_action"}
    assert {one.type for one in server.recorder.deliveries()} == {
        "slash_commands",
        "view_submission",
        "view_closed",
        "block_actions",
        "shortcut",
        "message_action",
        "app_home_opened",
        "app_mention",
        "message",
        "subteam_members_changed",
        "subteam_updated",
    }


def _acknowledge(ack: Ack) -> None:
    ack()


def _as_named(kind: str, type_: str, payload: Json) -> tuple[str, str | None, Json]:
    if kind == "events_api":
        return type_, payload["event"].get("subtype"), payload["event"]
    return (type_ if kind == "interactive" else "slash_command"), None, payload
