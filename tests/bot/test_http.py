"""The HTTP side: what is signed by Slack reaches the app, what is not does not."""

import socket
import subprocess
import sys
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
from bot.listening import open_listeners
from bot.settings import SettingsError
from sandbox.ports import free_port

SECRET = "a-signing-secret"
BODY = "command=%2Fops&text=slow&team_id=T0ACME&user_id=U0RITA&channel_id=C1"


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
            together.wait(timeout=50)  # Only passes if eight requests are in listeners at once.
        ack(f"{time.monotonic() - float(str(context[ARRIVED])) < 60}")

    app.command("/ops")(on_command)
    port = free_port()
    server = HttpServer(app, host="127.0.0.1", port=port, signing_secret=SECRET)
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
    ("secret", "age"), [("another-secret", 0.0), (SECRET, 301.0), (SECRET, -400.0)]
)
def test_a_wrong_or_old_signature_is_refused(address: str, secret: str, age: float) -> None:
    headers = signed(BODY, at=time.time() - age, secret=secret)
    answer = httpx.post(address + PATH, content=BODY, headers=headers, timeout=60)

    assert answer.status_code == 401


STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


@pytest.mark.trap(24)
@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (BODY.encode(), {STAMP: "soon"}),
        (BODY.encode(), {STAMP: "9" * 400}),
        (BODY.encode(), {STAMP: "٣"}),
        (BODY.encode(), {SIGNATURE: "v0=é"}),
        (BODY.encode(), {SIGNATURE: ""}),
        (b"command=\xff", {}),
        (b"{", {"content-type": "application/json"}),
        (b"[]", {"content-type": "application/json"}),
        (b"[" * 100_000, {"content-type": "application/json"}),
        (b"payload=%5B%5D", {}),
    ],
)
def test_what_slack_did_not_sign_is_read_by_nobody(
    address: str, caplog: pytest.LogCaptureFixture, body: bytes, changed: dict[str, str]
) -> None:
    told = {**signed(BODY + " of another request"), **changed}
    headers = {name: value.encode() for name, value in told.items()}
    answer = httpx.post(address + PATH, content=body, headers=headers, timeout=60)

    assert answer.status_code == 401
    assert [one.message for one in caplog.records if one.levelname in ("WARNING", "ERROR")] == []


def test_slacks_look_at_the_certificate_is_answered(address: str) -> None:
    answer = httpx.post(address + PATH, content="ssl_check=1&token=x", timeout=60)

    assert (answer.status_code, answer.text) == (200, "")


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


def no_server_at(host: str, port: int) -> str:
    """Return what is said where no server can listen."""
    app = App(signing_secret=SECRET, authorize=lambda: None)  # type: ignore[arg-type,return-value]  # Never asked.
    server = HttpServer(app, host=host, port=port, signing_secret=SECRET)
    with pytest.raises(SettingsError, match="INTERLOCK_HTTP") as refused:
        server.start()
    server.stop()
    return str(refused.value)


def test_an_address_that_is_taken_is_said_in_a_sentence(address: str) -> None:
    told = no_server_at("127.0.0.1", int(address.rpartition(":")[2]))

    assert told.endswith(
        "where nothing can listen: Address already in use. Another process holds the port."
    )


def test_an_address_of_another_machine_is_said_in_a_sentence() -> None:
    told = no_server_at("192.0.2.1", free_port())

    assert told.endswith("where nothing can listen: Cannot assign requested address.")


def test_a_name_is_listened_at_wherever_it_leads_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    stream = (socket.SOCK_STREAM, 6, "")
    here = (socket.AF_INET, *stream, ("127.0.0.1", port))
    elsewhere = (socket.AF_INET6, *stream, ("2001:db8::1", port, 0, 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [elsewhere, here])
    (listener,) = open_listeners("a-name", port)

    with listener:
        assert listener.getsockname() == ("127.0.0.1", port)


def test_a_server_told_to_stop_at_once_gives_the_port_back() -> None:
    port = free_port()
    server = HttpServer(None, host="127.0.0.1", port=port)
    server.start()
    server.stop()

    socket.create_server(("127.0.0.1", port)).close()


def test_a_call_that_hangs_keeps_no_process_from_ending() -> None:
    script = """
import threading, time
from urllib.request import urlopen
import bot.http
from bot.watched_routes import ready_route
from sandbox.ports import free_port

hangs = threading.Event()

class Hung:
    def look(self):
        hangs.set()
        time.sleep(300)

bot.http.STOP_SECONDS = 0
port = free_port()
server = bot.http.HttpServer(None, host="127.0.0.1", port=port, more=[ready_route(Hung())])
server.start()
address = f"http://127.0.0.1:{port}/readyz"
threading.Thread(target=urlopen, args=(address,), daemon=True).start()
assert hangs.wait(30)
server.stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
