"""A system that watches is told nothing before its certificate was checked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.push_http import HttpTarget
from bot.push_target import PushError, Told
from bot.tls import tls
from tests.bot.anchors.test_mail import certified

EVENT = Told(kind="run.started", ts="2026-03-02T09:00:00.000Z", event=b"{}")


@contextmanager
def watching(folder: Path, heard: list[bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = certified(folder).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/in"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    tls.cache_clear()
    yield
    tls.cache_clear()


def test_a_certificate_is_one_that_this_machine_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    with watching(tmp_path, heard) as address:
        with pytest.raises(PushError, match="not trust its certificate"):
            HttpTarget(address).send([EVENT])
        assert heard == []

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        tls.cache_clear()
        HttpTarget(address).send([EVENT])

    assert heard == [b"{}\n"]
