"""The same journey over signed HTTP: Bolt behind Starlette and uvicorn, as in production."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from slack_bolt import Ack, App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.delivery.signed import sign
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
    return SandboxSettings(ack_seconds=seconds, retry_delays=(0.0, 0.05, 0.1), rate_scale=None)


@pytest.fixture
def request_url(app: App, server: SandboxServer) -> Iterator[str]:
    """Serve the app and have the sandbox deliver to it."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        answer = await run_in_threadpool(app.dispatch, to_bolt_request(request, body))
        return to_starlette_response(answer)

    listener = socket.create_server(("127.0.0.1", 0))
    routes = [Route("/slack/events", endpoint, methods=["POST"])]
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
    server.deliver_over_http(url)
    yield url
    running.should_exit = True
    thread.join(PATIENCE)


def test_a_command_a_form_and_a_click_arrive_signed(
    app: App, request_url: str, client: WebClient, workspace: Workspace
) -> None:
    submitted: list[str] = []
    text = {"type": "plain_text", "text": "Approve"}
    card = [{"type": "actions", "elements": [{"type": "button", "action_id": "ok", "text": text}]}]

    @app.command("/ops")
    def on_command(ack: Ack, body: Json) -> None:
        client.views_open(
            trigger_id=body["trigger_id"],
            view={
                "type": "modal",
                "callback_id": "run.start",
                "title": {"type": "plain_text", "text": "Refund"},
                "submit": {"type": "plain_text", "text": "Ask"},
                "blocks": [
                    {
                        "type": "input",
                        "block_id": "order",
                        "label": {"type": "plain_text", "text": "Order"},
                        "element": {"type": "plain_text_input", "action_id": "value"},
                    }
                ],
            },
        )
        ack()

    @app.view("run.start")
    def on_submit(ack: Ack, view: Json) -> None:
        submitted.append(view["state"]["values"]["order"]["value"]["value"])
        client.chat_postMessage(channel="C0OPS", text="A card", blocks=card)
        ack()

    @app.action("ok")
    def on_click(ack: Ack, body: Json) -> None:
        client.chat_update(channel="C0OPS", ts=body["message"]["ts"], text="Approved")
        ack()

    rita, ana = workspace.person("rita"), workspace.person("ana")
    typed = rita.command("/ops run refund “8841” … naïve & quick")
    rita.submit({"Order": "ord_8841"})
    clicked = ana.click("Approve", message=workspace.wait_for_message("Approve"))

    assert typed.acked
    assert typed.payload["text"] == "run refund “8841” … naïve &amp; quick"
    assert submitted == ["ord_8841"]
    assert clicked.acked
    assert clicked.connection == urlsplit(request_url).netloc
    assert workspace.messages()[-1].text == "Approved"


def test_an_event_is_retried_with_headers_until_it_is_taken(
    app: App, request_url: str, workspace: Workspace
) -> None:
    tries: list[tuple[Any, Any]] = []

    @app.event("app_mention")
    def on_mention(request: Any) -> None:  # noqa: ANN401 - Bolt's request.
        headers = request.headers
        tries.append((headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")))
        if len(tries) < 2:
            raise RuntimeError("the database is locked")

    workspace.person("rita").say("@interlock what happened?")
    workspace.wait_for(lambda: len(tries) == 2, what="the retry")

    assert request_url
    assert tries == [(None, None), (["1"], ["http_error"])]


@pytest.mark.parametrize("settings", [waiting(2)])
def test_an_answer_that_is_no_200_fails_at_once_and_a_slow_one_times_out(
    app: App, request_url: str, workspace: Workspace
) -> None:
    release = threading.Event()

    @app.command("/ops")
    def on_command(ack: Ack, command: Json) -> None:
        if command["text"] == "fail":
            raise RuntimeError("a defect")
        release.wait(PATIENCE)
        ack()

    rita = workspace.person("rita")
    failed, slow = rita.command("/ops fail"), rita.command("/ops slow")
    release.set()

    assert request_url
    assert (failed.outcome, failed.failure) == ("dispatch_failed", "HTTP 500")
    assert slow.outcome == "operation_timeout"


def test_a_request_url_that_knows_another_secret_is_not_accepted(server: SandboxServer) -> None:
    with SandboxServer() as other, pytest.raises(RuntimeError, match="challenge"):
        server.deliver_over_http(f"{other.url}/actions/T0/none")


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [("sandbox-signing-secret", 0, 200), ("another", 0, 401), ("sandbox-signing-secret", 301, 401)],
)
def test_our_signature_is_the_one_bolt_checks(
    app: App, request_url: str, secret: str, age: int, status: int
) -> None:
    @app.command("/ops")
    def on_command(ack: Ack) -> None:
        ack()

    stamp = str(int(time.time()) - age)
    body = urlencode({"command": "/ops", "team_id": "T0ACME", "user_id": "U0RITA"}).encode()
    place = urlsplit(request_url)
    line = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
    line.request(
        "POST",
        place.path,
        body=body,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(secret, stamp, body),
        },
    )
    answer = line.getresponse()
    answer.read()
    line.close()

    assert answer.status == status
