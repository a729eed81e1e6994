"""The control API: what the page and other processes use, over HTTP alone."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.patience import PATIENCE

Json = dict[str, Any]


@pytest.fixture
def settings() -> SandboxSettings:
    nothing: Json = {"properties": {}}
    step: Json = {
        "title": "Request approval",
        "description": "Asks somebody",
        "input_parameters": nothing,
        "output_parameters": nothing,
    }
    app = AppSettings(functions={"request_approval": step})
    return SandboxSettings(app=app, ack_seconds=PATIENCE, retry_delays=())


@pytest.fixture
def desk(server: SandboxServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def act(desk: httpx.Client, do: str, person: str | None = "rita", **more: object) -> httpx.Response:
    return desk.post("/sandbox/api/act", json={"do": do, "person": person, "with": more})


def state(desk: httpx.Client, person: str = "rita") -> Json:
    found: Json = desk.get("/sandbox/api/state", params={"person": person}).json()
    return found


def test_a_whole_journey_needs_nothing_but_http(
    app: App, connect: Callable[[], SocketModeHandler], client: WebClient, desk: httpx.Client
) -> None:
    plain = {"type": "plain_text", "text": "Order"}
    element = {"type": "plain_text_input", "action_id": "value", "max_length": 8}
    form = {
        "type": "modal",
        "callback_id": "form",
        "title": plain,
        "submit": plain,
        "blocks": [{"type": "input", "block_id": "order", "label": plain, "element": element}],
    }
    text = {"type": "plain_text", "text": "Approve"}
    card = [{"type": "actions", "elements": [{"type": "button", "action_id": "ok", "text": text}]}]

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=form)
        ack()

    @app.view("form")
    def on_submit(ack: Ack) -> None:
        client.chat_postMessage(channel="C0OPS", text="A card", blocks=card)
        ack()

    @app.action("ok")
    def on_click(ack: Ack, body: Json) -> None:
        client.chat_update(channel="C0OPS", ts=body["message"]["ts"], text="Approved")
        client.chat_postEphemeral(channel="C0OPS", user=body["user"]["id"], text="Thank you")
        ack()

    connect()
    typed = act(desk, "command", typed="/ops run").json()
    opened = state(desk)["view"]
    held = act(desk, "submit", fields={"Order": "much too long"})
    sent = act(desk, "submit", fields={"Order": "ord_1"}).json()
    shown = state(desk, "ana")["messages"]["C0OPS"][-1]
    named = {"channel": "C0OPS", "ts": shown["ts"]}
    clicked = act(desk, "click", "ana", what="Approve", message=named).json()
    after = state(desk, "ana")

    assert typed["result"]["outcome"] == "acked"
    assert (opened["title"], opened["submit"], opened["depth"]) == ("Order", "Order", 1)
    assert held.status_code == 409
    assert held.json()["fields"] == {"order": "Please enter at most 8 characters."}
    assert sent["ok"]
    assert clicked["result"]["type"] == "block_actions"
    assert [one["words"] for one in after["messages"]["C0OPS"]] == ["Approved", "Thank you"]
    assert [one["ephemeral"] for one in after["messages"]["C0OPS"]] == [False, True]
    assert len(state(desk, "ben")["messages"]["C0OPS"]) == 1


def test_each_person_has_a_picture_of_their_own(desk: httpx.Client) -> None:
    act(desk, "say", "ana", typed="only finance", channel="#finance")
    rita, ana, gil = state(desk), state(desk, "ana"), state(desk, "gil")

    def names(picture: Json) -> list[str]:
        return [one["name"] for one in picture["channels"]]

    assert names(rita) == ["ops", "archive", "general"]
    assert names(ana) == ["ops", "finance", "archive", "general"]
    assert names(gil) == ["ops"]
    assert ana["messages"]["C0FINANCE"][0]["words"] == "only finance"
    assert "C0FINANCE" not in rita["messages"]
    assert gil["me"]["guest"]


def test_threads_and_complaints_are_in_the_picture(desk: httpx.Client, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="Run 17")
    client.chat_postMessage(channel="C0OPS", text="step 1", thread_ts=root["ts"])
    act(desk, "command", typed="/ops help")
    picture = state(desk)

    assert picture["messages"]["C0OPS"][0]["replies"] == 1
    assert [one["words"] for one in picture["threads"]["C0OPS"][root["ts"]]] == ["step 1"]
    assert picture["complaints"][0]["error"] == "dispatch_failed"
    assert picture["connections"] == 0


def test_what_nobody_could_do_is_answered_with_the_reason(desk: httpx.Client) -> None:
    refused = act(desk, "command", typed="/deploy")
    unknown = act(desk, "fly")
    empty = desk.post("/sandbox/api/act", content=b"{}")
    nobody = desk.get("/sandbox/api/state", params={"person": "zoe"})

    assert (refused.status_code, refused.json()["error"]) == (
        409,
        "/deploy is not a valid command.",
    )
    assert unknown.json()["error"] == "no such gesture: fly"
    assert empty.status_code == 400
    assert nobody.status_code == 404


def test_things_can_happen_to_the_workspace(desk: httpx.Client, workspace: Workspace) -> None:
    happened = act(desk, "join_group", None, name="rita", handle="finance-leads")

    assert happened.json()["ok"]
    assert "U0RITA" in workspace.group("finance-leads").members


def test_a_workflow_builder_step_can_be_run_over_http(
    desk: httpx.Client, server: SandboxServer
) -> None:
    told = act(desk, "run_step", None, callback_id="request_approval", inputs={}).json()
    event = server.recorder.deliveries("function_executed")[0].payload["event"]

    assert told["result"] == {"id": event["function_execution_id"], "state": "running"}


def test_changes_are_streamed_to_the_page(desk: httpx.Client, workspace: Workspace) -> None:
    notices: list[Json] = []
    begun, seen = threading.Event(), threading.Event()

    def listen() -> None:
        with desk.stream("GET", "/sandbox/events") as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    notices.append(json.loads(line.removeprefix("data: ")))
                    begun.set()
                if any(one["kind"] == "message" for one in notices):
                    seen.set()
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert begun.wait(5)
    workspace.person("rita").say("hello")

    assert seen.wait(5)
    thread.join(5)
    message = next(one for one in notices if one["kind"] == "message")
    assert message["channel"] == "C0OPS"
    assert message["version"] > notices[0]["version"]


def test_the_recorder_can_be_read(desk: httpx.Client, client: WebClient) -> None:
    client.api_call("chat.postMessage", json={"channel": "C0OPS", "text": "x", "colour": "red"})
    found = desk.get("/sandbox/api/calls", params={"method": "chat.postMessage"}).json()

    assert found["calls"][0]["arguments"]["channel"] == "C0OPS"
    assert found["calls"][0]["answer"]["ok"]
    assert found["faults"][0]["what"] == "unknown argument colour"


def test_a_permalink_leads_to_the_page(desk: httpx.Client, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="C0OPS", text="Run 17")
    link = client.chat_getPermalink(channel="C0OPS", message_ts=posted["ts"])["permalink"]
    answer = desk.get(link)

    assert answer.status_code == 307
    assert answer.headers["location"] == f"/#C0OPS/{posted['ts']}/"


def test_the_sandbox_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            client = WebClient(token=line["bot_token"], base_url=line["api_url"])
            answer = client.auth_test()
        finally:
            process.terminate()
        process.wait(10)

    assert answer["team_id"] == "T0ACME"
    assert json.loads((tmp_path / "sandbox.json").read_text()) == line
    assert process.returncode == 0
