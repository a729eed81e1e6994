"""The HTTP side: what is signed by Slack reaches the app, what is not does not."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.arrival import ARRIVED
from bot.http import PATH, HttpServer
from bot.settings import SettingsError

SECRET = "a-signing-secret"
BODY = "command=%2Fops&text=slow&team_id=T0ACME&user_id=U0RITA&channel_id=C1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address() -> Iterator[str]:
    app = App(
        signing_secret=SECRET,
        process_before_response=True,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T0ACME", bot_token="xoxb-1"),
    )
    together = threading.Barrier(8)

    def on_command(ack: Ack, body: dict[str, str], context: dict[str, object]) -> None:
        if body["text"] == "slow":
            together.wait(timeout=5)  # Only passes if eight requests are in listeners at once.
        ack(f"{time.monotonic() - float(str(context[ARRIVED])) < 60}")

    app.command("/ops")(on_command)
    port = free_port()
    server = HttpServer(app, host="127.0.0.1", port=port)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


def signed(body: str, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=moment, body=body)
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": moment,
        "x-slack-signature": str(signature),
    }


def test_requests_that_wait_do_not_hold_up_each_other(address: str) -> None:
    def send(_: int) -> httpx.Response:
        return httpx.post(address + PATH, content=BODY, headers=signed(BODY), timeout=60)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))

    assert [one.status_code for one in answers] == [200] * 8
    assert {one.text for one in answers} == {"True"}


@pytest.mark.trap(24)
@pytest.mark.parametrize(
    ("secret", "age"), [("another-secret", 0.0), (SECRET, 301.0), (SECRET, -301.0)]
)
def test_a_wrong_or_old_signature_is_refused(address: str, secret: str, age: float) -> None:
    headers = signed(BODY, at=time.time() - age, secret=secret)
    answer = httpx.post(address + PATH, content=BODY, headers=headers, timeout=60)

    assert answer.status_code == 401


@pytest.mark.trap(24)
def test_a_changed_body_is_refused(address: str) -> None:
    answer = httpx.post(address + PATH, content=BODY + "x", headers=signed(BODY), timeout=60)

    assert answer.status_code == 401


def test_a_body_that_slack_never_sends_is_refused_unread(address: str) -> None:
    huge = "x" * (1024 * 1024 + 1)
    answer = httpx.post(address + PATH, content=huge, headers=signed(huge), timeout=60)

    assert answer.status_code == 413


def test_health_is_told_without_a_signature(address: str) -> None:
    assert httpx.get(f"{address}/healthz", timeout=60).text == "ok"


def test_an_address_that_is_taken_is_said_in_a_sentence(address: str) -> None:
    port = int(address.rpartition(":")[2])
    app = App(signing_secret=SECRET, authorize=lambda: None)  # type: ignore[arg-type,return-value]  # Never asked.

    with pytest.raises(SettingsError, match="INTERLOCK_HTTP"):
        HttpServer(app, host="127.0.0.1", port=port).start()
