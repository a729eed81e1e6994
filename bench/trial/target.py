"""The target as a service in a process of its own, which misbehaves as each request asks.

`POST /keyed/SUBJECT` acts once per idempotency key and can be asked at `/keys/KEY`;
`POST /blind/SUBJECT` acts each time it is asked, `POST /refusing/SUBJECT` never. They take
`{"value": …, "trouble": …}`; a trouble strikes the first request for its subject only.
`GET /subjects/SUBJECT` says how often it was acted upon, and with what value last. The ledger
behind it is the judge's.
"""

import json
import os
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bench.trial.ledger import Ledger

LATE = 20.0  # Seconds after which a late target acts, whoever asked it has died long since.
SLOW = 0.6
OUT_OF_ORDER = 2  # Reads of a flaky subject that fail.
TROUBLES = (
    "before",  # Answers 500 and does nothing.
    "cut_before",  # Breaks the line and does nothing.
    "after",  # Does it and breaks the line.
    "after_500",  # Does it and answers 500.
    "garbage",  # Does it and answers what is no JSON.
    "slow",  # Does it after a while, and answers after another.
    "late",  # Does not answer; acts after twenty seconds.
)
DOES_NOTHING = frozenset({"before", "cut_before"})


class Target:
    """What the service does with a request, apart from HTTP."""

    def __init__(self, ledger: Ledger, *, struck: Event) -> None:
        self.ledger = ledger
        self._struck = struck  # Set when a request arrives, for whoever kills at that instant.
        self._reads: Counter[str] = Counter()

    def is_out_of_order(self, subject: str) -> bool:
        """Say whether a read fails: the first two of every subject that is called flaky."""
        self._reads[subject] += 1
        return subject.endswith("flaky") and self._reads[subject] <= OUT_OF_ORDER

    def ask(self, door: str, key: str, subject: str, *, value: str, trouble: str) -> str:
        """Act as asked; return the trouble that struck, or nothing."""
        arrival, is_first = self.ledger.arrive(key, subject)
        self._struck.set()
        strikes = trouble if is_first else ""
        if strikes == "late":
            args = (arrival, door, key, subject, value)
            threading.Thread(target=self._act_late, args=args, daemon=True).start()
            return strikes
        if strikes == "slow":
            time.sleep(SLOW)
        if strikes not in DOES_NOTHING:
            self._act(door, key, subject, value)
        self.ledger.settle(arrival)
        if strikes == "slow":
            time.sleep(SLOW)
        return strikes

    def _act(self, door: str, key: str, subject: str, value: str) -> None:
        self.ledger.act(door, key, subject, value=value, honours_key=door == "keyed")

    def _act_late(self, arrival: int, door: str, key: str, subject: str, value: str) -> None:
        time.sleep(LATE)
        self._act(door, key, subject, value)
        self.ledger.settle(arrival)


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the target of its server."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: "Server"

    def do_GET(self) -> None:
        ledger = self.server.target.ledger
        what, _, name = unquote(self.path).strip("/").partition("/")
        if what == "keys":
            found = ledger.knows(name)
            self._answer(200 if found else 404, {"happened": found})
            return
        if self.server.target.is_out_of_order(name):
            self._answer(503, {"error": "come back later"})
            return
        effects = ledger.effects(name)
        value = effects[-1].value if effects else ""
        self._answer(200, {"subject": name, "effects": len(effects), "value": value})

    def do_POST(self) -> None:
        door, _, subject = unquote(self.path).strip("/").partition("/")
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        if door == "refusing":
            self._answer(422, {"error": "never"})
            return
        key = self.headers.get("idempotency-key", "")
        value, trouble = str(asked.get("value", "")), str(asked.get("trouble", ""))
        struck = self.server.target.ask(door, key, subject, value=value, trouble=trouble)
        self._reply(struck, subject)

    def _reply(self, trouble: str, subject: str) -> None:
        if trouble == "late":
            time.sleep(LATE)
        if trouble in {"cut_before", "after", "late"}:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif trouble in {"before", "after_500"}:
            self._answer(500, {"error": "trouble"})
        elif trouble == "garbage":
            self._send(201, b"<<<")
        else:
            self._answer(201, {"subject": subject})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the ledger is the log."""


class Server(ThreadingHTTPServer):
    """Takes what comes; a caller that was killed in the middle is nothing to tell of."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: Target) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def serve(path: Path, tells: Connection, struck: Event) -> None:
    """Serve until whoever started us is gone; tell the address first."""
    server = Server(Target(Ledger(path), struck=struck))
    tells.send(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=_end_with, args=(tells,), daemon=True).start()
    server.serve_forever()


def _end_with(starter: Connection) -> None:
    """End when whoever started us is gone."""
    with suppress(EOFError, OSError):
        starter.recv()
    os._exit(0)
