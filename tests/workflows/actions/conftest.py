"""What the tests of actions share: a call, its secrets, and servers that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from workflows.actions.base import Call
from workflows.errors import SecretError

Behave = Callable[[socket.socket, bytes], None]


class FixedSecrets:
    """Secrets that are simply known."""

    def __init__(self, **known: str) -> None:
        self._known = known

    def reveal(self, name: str) -> str:
        if name not in self._known:
            raise SecretError(f"There is no secret named {name}.")
        return self._known[name]


@pytest.fixture
def a_call() -> Callable[..., Call]:
    def build(*, secrets: dict[str, str] | None = None, **known: object) -> Call:
        chosen = {"key": "run-1/refund", "timeout": 5.0, **known}
        return Call(secrets=FixedSecrets(**(secrets or {})), **chosen)

    return build


class RawServer:
    """A server that does with each connection exactly what the test says."""

    def __init__(self, behave: Behave) -> None:
        self.requests: list[bytes] = []
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()
        self._thread.join(2)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            request = _whole_request(connection)
            self.requests.append(request)
            self._behave(connection, request)
            connection.shutdown(socket.SHUT_RDWR)


def _whole_request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        chunk = connection.recv(65536)
        if not chunk:
            return got
        got += chunk
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    return head + b"\r\n\r\n" + body


@pytest.fixture
def raw_server() -> Iterator[Callable[[Behave | bytes], RawServer]]:
    servers: list[RawServer] = []

    def start(behave: Behave | bytes) -> RawServer:
        chosen = behave if callable(behave) else (lambda c, _: c.sendall(behave))
        servers.append(RawServer(chosen))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
