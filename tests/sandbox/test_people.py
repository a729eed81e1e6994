"""What people can do and see beside commands and clicks on cards."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.errors import NotPossibleError, WaitTimeoutError
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.state import State
from sandbox.words import as_stored, mentioned, readable
from sandbox.workspace import Workspace

Json = dict[str, Any]
Connect = Callable[[], SocketModeHandler]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def a_menu() -> list[Json]:
    options = [{"text": plain(one.capitalize()), "value": one} for one in ("prod", "test")]
    menu = {
        "type": "static_select",
        "action_id": "where",
        "placeholder": plain("Where"),
        "options": options,
    }
    return [{"type": "section", "block_id": "b", "text": plain("Roll back"), "accessory": menu}]


def test_a_choice_from_a_menu_in_a_message_is_told_at_once(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.action("where")
    def on_choice(ack: Ack) -> None:
        ack()

    connect()
    client.chat_postMessage(channel="C0OPS", text="Where?", blocks=a_menu())
    chosen = workspace.person("rita").choose("Where", "Prod")

    assert chosen.acked
    assert chosen.payload["actions"][0]["selected_option"]["value"] == "prod"
    with pytest.raises(NotPossibleError, match="there are"):
        workspace.person("rita").choose("Where", "Mars")


def test_a_button_on_home_carries_the_view(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.action("request.approve")
    def on_click(ack: Ack) -> None:
        ack()

    connect()
    button = {"type": "button", "action_id": "request.approve", "text": plain("Approve")}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    client.views_publish(user_id="U0ANA", view=home)
    clicked = workspace.person("ana").click("Approve")

    assert clicked.acked
    assert clicked.payload["container"]["type"] == "view"
    assert clicked.payload["view"]["type"] == "home"


def test_two_buttons_of_one_name_need_their_block_to_be_told_apart(
    client: WebClient, workspace: Workspace
) -> None:
    button = {"type": "button", "action_id": "ok", "text": plain("Approve")}
    blocks = [{"type": "actions", "block_id": one, "elements": [button]} for one in ("a", "b")]
    client.chat_postMessage(channel="C0OPS", text="Two", blocks=blocks)
    ana = workspace.person("ana")

    with pytest.raises(NotPossibleError, match="2 things called 'Approve'"):
        ana.click("Approve")
    assert ana.click("Approve", block_id="b").payload["actions"][0]["block_id"] == "b"


def test_an_open_modal_hides_the_card_behind_it(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        view = {"type": "modal", "title": plain("Plan"), "blocks": a_menu()}
        client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    connect()
    button = {"type": "button", "action_id": "ok", "text": plain("Approve")}
    card = [{"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel="C0OPS", text="A card", blocks=card)
    rita = workspace.person("rita")
    rita.command("/ops plan")

    with pytest.raises(NotPossibleError):
        rita.click("Approve")
    with pytest.raises(NotPossibleError, match="nothing to submit"):
        rita.submit()


def test_a_command_in_a_direct_message_with_the_app(
    app: App, connect: Connect, workspace: Workspace
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack) -> None:
        ack("Here is what I can do")

    connect()
    rita = workspace.person("rita")
    typed = rita.command("/ops help", channel="@interlock")

    assert typed.payload["channel_name"] == "directmessage"
    assert typed.payload["channel_id"].startswith("D")
    assert rita.wait_for_ephemeral("what I can do").channel == typed.payload["channel_id"]


def test_a_stranger_clicks_with_a_team_of_her_own(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.action("ok")
    def on_click(ack: Ack) -> None:
        ack()

    connect()
    button = {"type": "button", "action_id": "ok", "text": plain("Approve")}
    card = [{"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel="C0OPS", text="A card", blocks=card)
    payload = workspace.person("connie").click("Approve").payload

    assert (payload["team"]["id"], payload["user"]["team_id"]) == ("T0ACME", "T0GLOBEX")


def test_followers_of_a_thread_and_mentioned_people_are_notified(
    client: WebClient, workspace: Workspace
) -> None:
    rita, ana, sam = (workspace.person(one) for one in ("rita", "ana", "sam"))
    root = client.chat_postMessage(channel="C0OPS", text="Run 17, asked by <@U0RITA>")
    thread = workspace.wait_for_message("Run 17")
    sam.say("looking into it", thread=thread)
    client.chat_postMessage(channel="C0OPS", text="Done", thread_ts=root["ts"])

    assert [one.text for one in rita.notifications] == [
        "Run 17, asked by @rita",
        "looking into it",
        "Done",
    ]
    assert [one.text for one in sam.notifications] == ["Done"]
    assert ana.notifications == []


def test_a_mention_in_plain_text_calls_nobody(client: WebClient, workspace: Workspace) -> None:
    words = "Hey <!channel> and <@U0ANA>"
    for kind in ("plain_text", "mrkdwn"):
        blocks = [{"type": "section", "text": {"type": kind, "text": words}}]
        client.chat_postMessage(channel="C0OPS", text=kind, blocks=blocks)

    assert [one.text for one in workspace.person("ana").notifications] == ["mrkdwn"]
    assert [one.text for one in workspace.person("sam").notifications] == ["mrkdwn"]


def test_only_the_author_or_an_admin_deletes_a_message(
    client: WebClient, workspace: Workspace
) -> None:
    client.chat_postMessage(channel="C0OPS", text="A card")
    card = workspace.wait_for_message("A card")

    with pytest.raises(NotPossibleError):
        workspace.person("rita").delete(card)
    workspace.person("ivan").delete(card)
    assert workspace.now(card) is None


def test_who_is_not_in_a_channel_sees_nothing_of_it(
    client: WebClient, workspace: Workspace
) -> None:
    client.chat_postMessage(channel="C0FINANCE", text="numbers")

    assert [one.text for one in workspace.person("ana").sees("#finance")] == ["numbers"]
    assert workspace.person("rita").sees("#finance") == []


def test_waiting_in_vain_says_for_what(workspace: Workspace) -> None:
    with pytest.raises(WaitTimeoutError, match="for a message with 'Run 17'"):
        workspace.wait_for_message("Run 17", timeout=0.05)


def test_shortcuts_of_a_manifest_are_the_only_ones(server: SandboxServer) -> None:
    manifest = {
        "display_information": {"name": "Interlock"},
        "features": {
            "slash_commands": [{"command": "/gate", "should_escape": True}],
            "shortcuts": [{"callback_id": "thread.summarise", "type": "message", "name": "x"}],
        },
        "oauth_config": {"scopes": {"bot": ["commands"], "bot_optional": ["im:history"]}},
        "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
    }
    app = AppSettings.from_manifest(manifest)
    with SandboxServer(SandboxSettings(app=app)) as other:
        other.workspace.add_person("rita")
        rita = other.workspace.person("rita")

        with pytest.raises(NotPossibleError, match="no global shortcut"):
            rita.shortcut("thread.summarise")
    assert (app.scopes, app.events) == ({"commands", "im:history"}, {"app_mention"})
    assert dict(app.commands) == {"/gate": True}
    assert server.settings.app.shortcuts is None


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("see https://acme.example/a?b=1&c=2.", "see <https://acme.example/a?b=1&amp;c=2>."),
        ("<https://acme.example>", "&lt;<https://acme.example>&gt;"),
        ("ping www.acme.com", "ping <http://www.acme.com|www.acme.com>"),
        ("file=README.md at=v1.2", "file=<http://README.md|README.md> at=v1.2"),
        ("to=rita@acme.com", "to=<mailto:rita@acme.com|rita@acme.com>"),
        ("ord_1.json 10.0.0.1", "ord_1.json 10.0.0.1"),
    ],
)
def test_what_slack_takes_for_an_address_becomes_a_link(
    server: SandboxServer, typed: str, stored: str
) -> None:
    assert as_stored(server.hub.state, typed) == stored


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("<@U0ANA> and <!subteam^S0SUPPORT>", "@ana and @support"),
        ("in <#C0OPS|ops>, see <https://acme.example|the plan>", "in #ops, see the plan"),
        ("until <!date^1767600000^{date}|5 January>", "until 5 January"),
        ("1 &lt; 2 &amp; <!channel>", "1 < 2 & @channel"),
    ],
)
def test_markup_reads_as_words(server: SandboxServer, stored: str, read: str) -> None:
    assert readable(server.hub.state, stored) == read


def test_typed_names_become_ids_and_addresses_become_links(server: SandboxServer) -> None:
    state: State = server.hub.state

    assert as_stored(state, "@ana: mail ops@acme.example, @nobody") == (
        "<@U0ANA>: mail <mailto:ops@acme.example|ops@acme.example>, @nobody"
    )
    assert mentioned(state, "<!subteam^S0FINANCELEADS> <@U0RITA|rita>") == {
        "U0ANA",
        "U0BEN",
        "U0RITA",
    }
