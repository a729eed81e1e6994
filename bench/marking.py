"""The target of the clicks' steps: a program of its own, which notes when each step began.

It shares no interpreter with the pretend Slack and the people who click, so neither is what the
other waits for. A step has begun, at the latest, when its connection is accepted; that moment is
taken of the clock that all programs of a machine share (`CLOCK_MONOTONIC`).
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any

PATIENCE = 180.0


class Marks:
    """When each step began, by the number in its path, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._changed = threading.Condition()

    def made(self, number: int, at: float) -> None:
        """Note that the step of that number began; a repeated one began with the first."""
        with self._changed:
            self._began.setdefault(number, at)
            self._changed.notify_all()

    def wait(self, number: int) -> float:
        """Return when the step of that number began, once it has.

        Raises:
            KeyError: it did not within three minutes.
        """
        with self._changed:
            self._changed.wait_for(lambda: number in self._began, timeout=PATIENCE)
            return self._began[number]


@contextmanager
def serving(marks: Marks) -> Iterator[str]:
    """Start the target, which tells `marks`; give its address."""
    target = subprocess.Popen(
        [sys.executable, "-m", "bench.marking"], stdout=subprocess.PIPE, text=True
    )
    told: IO[str] = target.stdout  # type: ignore[assignment]  # It was asked for.
    listener = threading.Thread(target=_listen, args=(told, marks), daemon=True)
    try:
        port = int(told.readline())
        listener.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        target.terminate()
        target.wait()
        if listener.ident is not None:
            listener.join()
        told.close()


def _listen(told: IO[str], marks: Marks) -> None:
    for line in told:
        number, at = line.split()
        marks.made(int(number), float(at))


class _Target(ThreadingHTTPServer):
    """Remembers of each connection when it was accepted."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.accepted: dict[Any, float] = {}
        self.made: set[int] = set()
        self._out = threading.Lock()

    def tell(self, number: int, at: float) -> None:
        """Print one whole line: steps of a burst begin on several threads at once."""
        with self._out:
            print(number, at, flush=True)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, and note when."""
        found = super().get_request()
        self.accepted[found[1]] = time.monotonic()
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Target

    def do_POST(self) -> None:
        number = self._number()
        self.server.made.add(number)
        self.server.tell(number, self.server.accepted[self.client_address])
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def finish(self) -> None:
        super().finish()
        del self.server.accepted[self.client_address]

    def _number(self) -> int:
        return int(self.path.rpartition("/")[2])

    def _answer(self) -> None:
        body = json.dumps({"made": self._number() in self.server.made}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a line of log would cost more than the answer."""


def main() -> None:
    """Print the port, then a line for each step: its number and when it began."""
    with _Target() as target:
        print(target.server_port, flush=True)
        target.serve_forever()


if __name__ == "__main__":
    main()
