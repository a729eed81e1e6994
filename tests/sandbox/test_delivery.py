"""Deliveries that go wrong: silence, retries, lost sockets, duplicates, and old cards."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import faults as fault
from sandbox.errors import NotPossibleError
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]
Connect = Callable[[], SocketModeHandler]


def waiting(seconds: float) -> SandboxSettings:
    """Return the settings of a Slack that waits so long for an answer."""
    return SandboxSettings(ack_seconds=seconds, retry_delays=(0.0, 0.05, 0.1), rate_scale=None)


@pytest.fixture
def settings() -> SandboxSettings:
    return waiting(PATIENCE)


in_vain = pytest.mark.parametrize("settings", [waiting(0.6)])
not_for_long = pytest.mark.parametrize("settings", [waiting(2)])


def a_button(**more: object) -> Json:
    text = {"type": "plain_text", "text": "Approve"}
    button = {"type": "button", "action_id": "request.approve", "text": text, "value": "req_1.1"}
    return {"type": "actions", "elements": [{**button, **more}]}


def a_card(client: WebClient, **more: object) -> None:
    client.chat_postMessage(channel="C0OPS", text="A card", blocks=[a_button(**more)])


def test_nobody_connected_means_the_command_fails_at_once(workspace: Workspace) -> None:
    rita = workspace.person("rita")
    typed = rita.command("/ops help")

    assert typed.outcome == "dispatch_failed"
    assert rita.complaints[0].text == '/ops failed with the error "dispatch_failed"'


@in_vain
def test_an_unanswered_click_leaves_a_warning_beside_the_button_and_is_never_retried(
    connect: Connect, client: WebClient, workspace: Workspace, server: SandboxServer
) -> None:
    connect()
    a_card(client)
    ana = workspace.person("ana")
    clicked = ana.click("Approve")

    assert clicked.outcome == "operation_timeout"
    assert (ana.complaints[0].kind, ana.complaints[0].action_id) == ("click", "request.approve")
    assert len(server.recorder.deliveries("block_actions")) == 1


@in_vain
def test_a_late_acknowledgement_counts_for_nothing_and_is_noted(
    app: App, connect: Connect, workspace: Workspace, server: SandboxServer
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack) -> None:
        workspace.wait_for(lambda: workspace.person("rita").complaints, what="the error")
        ack("too late")

    connect()
    rita = workspace.person("rita")
    typed = rita.command("/ops help")
    workspace.wait_for(lambda: typed.late_seconds, what="the late acknowledgement")

    assert typed.outcome == "operation_timeout"
    assert rita.ephemerals == []
    assert "acknowledged after" in server.recorder.faults[0].what


@not_for_long
def test_a_failed_event_is_sent_again_with_the_same_event_id(
    app: App, connect: Connect, workspace: Workspace, server: SandboxServer
) -> None:
    tries: list[Json] = []

    @app.event("app_mention")
    def on_mention(body: Json, request: Any) -> None:  # noqa: ANN401 - Bolt's request.
        tries.append({"id": body["event_id"], "retry": request.headers.get("x-slack-retry-num")})
        if len(tries) < 3:
            raise RuntimeError("the database is locked")

    connect()
    workspace.person("rita").say("@interlock what happened?")
    workspace.wait_for(lambda: len(tries) == 3, what="the second retry")

    assert len({one["id"] for one in tries}) == 1
    assert [one["retry"] for one in tries] == [["0"], ["1"], ["2"]]
    assert [one.attempt for one in server.recorder.deliveries("app_mention")] == [0, 1, 2]


@in_vain
def test_an_event_is_given_up_after_three_retries(
    app: App, connect: Connect, workspace: Workspace, server: SandboxServer
) -> None:
    @app.event("app_mention")
    def on_mention() -> None:
        raise RuntimeError("never works")

    connect()
    workspace.person("rita").say("@interlock what happened?")
    sent = server.recorder.deliveries
    workspace.wait_for(
        lambda: len(sent("app_mention")) == 4 and sent("app_mention")[-1].settled,
        what="the last retry",
    )

    assert [one.outcome for one in sent("app_mention")] == ["operation_timeout"] * 4


def test_two_connections_share_the_work_and_one_survives_the_loss_of_the_other(
    app: App, connect: Connect, workspace: Workspace, server: SandboxServer
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack) -> None:
        ack()

    connect()
    connect()
    rita = workspace.person("rita")
    used = {rita.command("/ops help").connection for _ in range(12)}
    server.drop_sockets()
    workspace.wait_for(lambda: server.connections == 0, what="the drop")
    server.wait_for_connection(2, timeout=15)

    assert len(used) == 2
    assert rita.command("/ops help").acked


def test_a_refresh_moves_the_app_to_a_new_connection(
    app: App, connect: Connect, workspace: Workspace, server: SandboxServer
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack) -> None:
        ack()

    connect()
    rita = workspace.person("rita")
    before = rita.command("/ops help").connection
    server.refresh_sockets()
    workspace.wait_for(
        lambda: len(server.recorder.calls("apps.connections.open")) == 2, what="a new address"
    )
    workspace.wait_for(lambda: rita.command("/ops help").acked, what="the new connection")

    assert server.recorder.deliveries("slash_commands")[-1].connection != before


def test_a_duplicate_delivery_runs_the_listener_twice(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, server: SandboxServer
) -> None:
    clicks: list[str] = []

    @app.action("request.approve")
    def on_click(ack: Ack, body: Json) -> None:
        clicks.append(body["trigger_id"])
        ack()

    connect()
    a_card(client)
    server.faults.next("block_actions", fault.duplicate())
    workspace.person("ana").click("Approve")
    workspace.wait_for(lambda: len(clicks) == 2, what="the second run")

    assert len(set(clicks)) == 1


def test_two_clicks_at_one_instant_are_two_deliveries(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.action("request.approve")
    def on_click(ack: Ack) -> None:
        ack()

    connect()
    a_card(client)
    clicks = [workspace.person(one).click("Approve", wait=False) for one in ("ana", "ben")]
    workspace.wait_for(lambda: all(one.settled for one in clicks), what="both")

    assert [one.outcome for one in clicks] == ["acked", "acked"]
    assert clicks[0].payload["trigger_id"] != clicks[1].payload["trigger_id"]


def test_a_button_that_is_gone_can_only_be_clicked_by_a_client_that_is_behind(
    app: App, connect: Connect, client: WebClient, workspace: Workspace
) -> None:
    @app.action("request.approve")
    def on_click(ack: Ack) -> None:
        ack()

    connect()
    a_card(client)
    card = workspace.wait_for_message("Approve")
    client.chat_update(channel="C0OPS", ts=card.ts, text="Expired")
    ana = workspace.person("ana")
    with pytest.raises(NotPossibleError):
        ana.click("Approve", message=card)
    behind = ana.click("Approve", message=card, stale=True)

    assert behind.acked
    assert behind.payload["actions"][0]["value"] == "req_1.1"


def test_a_confirm_dialog_can_be_backed_out_of(
    app: App, connect: Connect, client: WebClient, workspace: Workspace, server: SandboxServer
) -> None:
    @app.action("request.approve")
    def on_click(ack: Ack) -> None:
        ack()

    words = {"type": "plain_text", "text": "Sure?"}
    connect()
    a_card(client, confirm={"title": words, "text": words, "confirm": words, "deny": words})
    ana = workspace.person("ana")
    backed_out = ana.click("Approve", confirm=False)

    assert backed_out.outcome == "cancelled"
    assert server.recorder.deliveries("block_actions") == []
    assert ana.click("Approve").acked


@pytest.mark.parametrize(
    ("spoil", "posted"),
    [(fault.lose_answer(), 1), (fault.reset(), 0)],
)
def test_a_cut_line_looks_the_same_whether_the_post_happened_or_not(
    client: WebClient,
    workspace: Workspace,
    server: SandboxServer,
    spoil: fault.Fault,
    posted: int,
) -> None:
    server.faults.next("chat.postMessage", spoil)
    with pytest.raises(OSError):  # noqa: PT011 - a reset or a line closed early, as the kernel likes.
        client.chat_postMessage(channel="C0OPS", text="Refund")

    assert len(workspace.messages()) == posted
    assert client.chat_postMessage(channel="C0OPS", text="Refund")["ok"]


@pytest.mark.parametrize(
    ("spoil", "status", "error"),
    [
        (fault.server_error(503), 503, "internal_error"),
        (fault.rate_limited(7), 429, "ratelimited"),
        (fault.refuse("fatal_error"), 200, "fatal_error"),
    ],
)
def test_an_ordered_refusal_strikes_once_and_does_nothing(
    client: WebClient,
    workspace: Workspace,
    server: SandboxServer,
    spoil: fault.Fault,
    status: int,
    error: str,
) -> None:
    server.faults.next("chat.postMessage", spoil, when=lambda args: args["text"] == "Refund")
    client.chat_postMessage(channel="C0OPS", text="Something else")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0OPS", text="Refund")
    client.chat_postMessage(channel="C0OPS", text="Refund")

    assert caught.value.response.status_code == status
    assert caught.value.response["error"] == error
    assert len(workspace.messages()) == 2
    assert server.recorder.calls("chat.postMessage")[1].fault == spoil.kind


def test_random_faults_are_the_same_for_the_same_seed(
    client: WebClient, server: SandboxServer
) -> None:
    def answers() -> list[bool]:
        server.faults.randomly({"users.info": [fault.refuse("fatal_error")]}, rate=0.5, seed=3)
        server.recorder.clear()
        for _ in range(12):
            try:
                client.users_info(user="U0RITA")
            except SlackApiError:
                continue
        return [one.ok for one in server.recorder.calls("users.info")]

    first, second = answers(), answers()

    assert first == second
    assert {True, False} == set(first)


def test_what_nobody_could_do_is_refused(workspace: Workspace) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: workspace.person("dex").command("/ops help"),
        lambda: workspace.person("connie").command("/ops help"),
        lambda: workspace.person("rita").command("/deploy now"),
        lambda: workspace.person("rita").command("/ops help", channel="#finance"),
        lambda: workspace.person("rita").say("hello", channel="#archive"),
        lambda: workspace.person("rita").say("/ops help"),
        lambda: workspace.person("rita").click("Approve"),
        lambda: workspace.person("rita").submit({}),
        lambda: workspace.person("nobody"),
    ]
    for attempt in attempts:
        with pytest.raises(NotPossibleError):
            attempt()
