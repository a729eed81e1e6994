"""A request to a service that the bot relies on ends in time, whatever the service does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.calling import Answer, CallError, call

HEAD = b"HTTP/1.1 %d Well\r\nContent-Length: 100000\r\n"


@contextmanager
def dripping(said: bytes) -> Iterator[str]:
    """Say that, then byte after byte, quicker than any single wait would notice, and no end."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(said)
            try:
                while not stop.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "said", [HEAD % 200 + b"\r\n", HEAD % 409 + b"\r\n", HEAD % 200 + b"X-Long: ", b""]
)
def test_an_answer_that_drips_is_given_up_in_time(said: bytes) -> None:
    with dripping(said) as url:
        began = time.monotonic()
        with pytest.raises(CallError, match="did not come in time"):
            call(url, {}, b"", seconds=0.2)
        took = time.monotonic() - began

    assert took < 10.0


def test_what_a_service_says_moves_nothing_on_a_terminal() -> None:
    said = Answer(403, b"\x1b[2Jno\r\nsuch \xe2\x80\xaelog").words

    assert said == "\ufffd[2Jno such \ufffdlog"
