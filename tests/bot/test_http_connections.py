"""Connections that owe their next move: their time runs out, and they leave room for others."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import bot.http_connections
from bot.http import HttpServer
from bot.http_connections import Connection
from sandbox.ports import free_port

FEW = 8
PATIENT = 60.0
THOUGHT = 0.1
LONG = 1_000_000
ASK = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
THINK = ASK.replace(b"healthz", b"thoughtful")
TAKEN_UP: list[str] = []  # What `thoughtful` began to answer.


async def thoughtful(request: Request) -> Response:
    body = await request.body()
    TAKEN_UP.append(request.method)
    await asyncio.sleep(THOUGHT)
    return PlainTextResponse(body or "thought")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(autouse=True)
def server(port: int) -> Iterator[HttpServer]:
    route = Route("/thoughtful", thoughtful, methods=["GET", "POST"])
    server = HttpServer(None, host="127.0.0.1", port=port, more=[route])
    server.start()
    yield server
    server.stop()


def connect(port: int, beginning: bytes = b"", *, room: int = 0) -> socket.socket:
    """Connect, with `room` for so many bytes that were not read yet, and begin to ask."""
    opened = socket.socket()
    if room:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    opened.settimeout(PATIENT)
    opened.connect(("127.0.0.1", port))
    opened.sendall(beginning)
    return opened


def is_closed(opened: socket.socket) -> bool:
    """Say whether the other side closes it, once all that was sent has been read."""
    try:
        while opened.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST /runs HTTP/1.1\r\nHost: here\r\nX-Never: ",
        b"GET /nothing HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nbody",
    ],
    ids=["silent", "a head that never ends", "a body that never ends"],
)
def test_whoever_owes_the_rest_of_a_request_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch, port: int, beginning: bytes
) -> None:
    monkeypatch.setattr(bot.http_connections, "SECONDS", 0.3)
    with connect(port, beginning) as opened:
        assert is_closed(opened)


def test_a_byte_now_and_then_gains_no_time(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    with connect(port, ASK) as opened:
        assert read_until(opened, b"ok").startswith(b"HTTP/1.1 200 OK")
        monkeypatch.setattr(bot.http_connections, "SECONDS", 0.5)  # From its next answer on.
        opened.sendall(ASK)
        assert opened.recv(9) == b"HTTP/1.1 "
        assert is_broken_off(opened, b"X", every=0.05)


def test_whoever_reads_no_answers_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(bot.http_connections, "SECONDS", 0.5)
    with connect(port, room=4096) as opened:
        assert is_broken_off(opened, long_request())  # Few answers of its length fill all room.


def test_a_crowd_that_says_nothing_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(bot.http_connections, "most_connections", lambda: FEW)
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(port)) for _ in range(10 * FEW)]
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENT)
        left = open_ones(crowd)

    assert answer.text == "ok"
    assert len(left) == FEW - 1
    assert left == crowd[-len(left) :]  # Who came last may still be about to ask.


def test_what_comes_on_a_kept_connection_while_the_server_stops_is_answered_as_the_last(
    monkeypatch: pytest.MonkeyPatch, server: HttpServer, port: int
) -> None:
    monkeypatch.setattr(bot.http_connections, "LAST_SECONDS", 2.5)
    is_stopping = threading.Event()

    def shutdown(connection: Connection) -> None:
        earlier(connection)
        is_stopping.set()

    earlier = Connection.shutdown
    monkeypatch.setattr(Connection, "shutdown", shutdown)
    with connect(port, ASK) as opened, ThreadPoolExecutor(1) as pool:
        assert read_until(opened, b"ok").startswith(b"HTTP/1.1 200 OK")
        stopped = pool.submit(server.stop)
        assert is_stopping.wait(PATIENT)
        opened.sendall(THINK)  # As from a proxy that does not know yet.
        answer = read_until(opened, b"thought")

        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"connection: close" in answer.lower()
        assert is_closed(opened)
        stopped.result(PATIENT)


def test_a_kept_connection_on_which_nothing_comes_does_not_keep_the_server(
    server: HttpServer, port: int
) -> None:
    with connect(port, ASK) as opened:
        assert read_until(opened, b"ok").startswith(b"HTTP/1.1 200 OK")
        server.stop()

        assert is_closed(opened)
        assert server.problem() == "The HTTP server has ended."


def is_broken_off(opened: socket.socket, sent: bytes, *, every: float = 0) -> bool:
    """Say whether the other side breaks it off while `sent` is sent again and again."""
    ends = time.monotonic() + PATIENT
    try:
        while time.monotonic() < ends:
            opened.sendall(sent)
            time.sleep(every)
    except ConnectionError:
        return True
    return False


def open_ones(crowd: Sequence[socket.socket]) -> list[socket.socket]:
    found = []
    for one in crowd:
        one.settimeout(0.2)
        if not is_closed(one):
            found.append(one)
    return found


def test_what_is_being_answered_is_never_cut_off(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(bot.http_connections, "SECONDS", THOUGHT / 2)
    ends = time.monotonic() + PATIENT
    TAKEN_UP.clear()
    answer = b""
    while not TAKEN_UP and time.monotonic() < ends:
        # A machine may be so busy that the time of who has not come to ask is over.
        with suppress(ConnectionError), connect(port, THINK * 3) as opened:
            for _ in range(3):
                answer += read_until(opened, b"thought")

    assert answer.count(b"HTTP/1.1 200 OK") == len(TAKEN_UP) == 3


def read_until(opened: socket.socket, end: bytes) -> bytes:
    """Return what comes up to these bytes, or until the other side closes it."""
    read = b""
    while not read.endswith(end) and (more := opened.recv(1)):
        read += more
    return read


def half_closed(port: int, asked: bytes) -> bytes:
    """Ask, end the own side, and return all that is answered."""
    with connect(port, asked) as opened:
        opened.shutdown(socket.SHUT_WR)
        answer = b""
        while part := opened.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize("times", [1, 3])
def test_whoever_ends_their_own_side_after_asking_is_answered(port: int, times: int) -> None:
    answer = half_closed(port, THINK * times)

    assert answer.count(b"HTTP/1.1 200 OK") == times
    assert answer.endswith(b"thought")


def test_whoever_ends_their_own_side_after_a_long_body_is_answered(port: int) -> None:
    assert half_closed(port, long_request()).endswith(b"x" * LONG)


def long_request() -> bytes:
    """Return a request with a long body, which is also what it is answered with."""
    head = b"POST /thoughtful HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % LONG
    return head + b"x" * LONG


SMUGGLED = b"0\r\n\r\n" + ASK
TWO_ENDS = b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"POST /thoughtful HTTP/1.1\r\nHost: here\r\n" + TWO_ENDS


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_request_that_ends_in_two_ways_is_refused_and_what_follows_is_not_read(
    port: int, method: bytes
) -> None:
    ends = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(SMUGGLED)
    with connect(port, method + b" /thoughtful HTTP/1.1\r\nHost: here\r\n" + ends) as opened:
        opened.sendall(SMUGGLED)
        answer = read_all(opened)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()
    assert b"in two ways where the body ends" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_whoever_is_refused_while_they_still_send_reads_why(port: int) -> None:
    with connect(port, ENDLESS) as opened:
        answer = read_until(opened, b"proxy in between may have added one.")
        opened.sendall(b"X" * LONG)  # To a connection that was closed, it would be reset.
        opened.shutdown(socket.SHUT_WR)
        answer += read_all(opened)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_whoever_sends_on_after_a_refusal_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(bot.http_connections, "PARTING_SECONDS", 0.3)
    with connect(port, ENDLESS) as opened:
        assert is_broken_off(opened, b"X", every=0.05)


def test_whoever_was_refused_keeps_no_server_from_stopping(port: int, server: HttpServer) -> None:
    with connect(port, ENDLESS) as opened:
        assert read_until(opened, b"proxy in between may have added one.")
        server.stop()
        assert server.problem() == "The HTTP server has ended."


def read_all(opened: socket.socket) -> bytes:
    """Return what comes until the other side closes it."""
    read = b""
    while more := opened.recv(65536):
        read += more
    return read


def test_whoever_asks_for_another_protocol_is_answered_in_this_one(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    wish = b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with connect(port, ASK.replace(b"\r\n\r\n", b"\r\n") + wish) as opened:
        assert opened.recv(15) == b"HTTP/1.1 200 OK"

    assert "WebSocket" not in caplog.text


def test_half_a_request_is_answered_by_nobody(port: int) -> None:
    asked = b"GET /nothing HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nbody"

    assert b"200" not in half_closed(port, asked)
    assert half_closed(port, ASK[:20]) == b""
