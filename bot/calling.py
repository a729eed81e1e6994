"""One request over HTTP to a service that the bot itself relies on, and what may go wrong with it.

Steps go out by `workflows/actions/http`, where the policy says. What is here goes where the
settings say: to whoever vouches for a head, or keeps a secret.
"""

import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from bot.tls import tls_for
from bot.wording import clean
from workflows.errors import InterlockError

SECONDS = 15.0
GRACE_SECONDS = 0.5
MOST_BYTES = 1 << 18
CHUNK = 1 << 14
OK, NOT_FOUND = 200, 404
LATE = "The answer did not come in time."


class CallError(InterlockError):
    """Nobody answered, or with what cannot be an answer; the next try may go better."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status says. It prints no body: there may be a secret in it."""

    status: int
    body: bytes

    @property
    def words(self) -> str:
        """Return the beginning of the answer, for a message to operators."""
        return clean(" ".join(self.body[:200].decode(errors="replace").split()))

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


class _Readable(Protocol):
    def read1(self, amount: int, /) -> bytes: ...


class _Watch:
    """Cuts the connection of one request once its time is over: a head may drip, too."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._connection: http.client.HTTPConnection | None = None
        # Who says nothing at all is given up by the connection itself, in words of its own.
        self._timer = threading.Timer(seconds + GRACE_SECONDS, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._timer.cancel()

    def over(self, kind: Callable[..., http.client.HTTPConnection]) -> Callable[..., Any]:
        """Return what makes a connection of that kind, and has it watched."""

        def made(*args: Any, **more: Any) -> http.client.HTTPConnection:  # noqa: ANN401  as the library has it
            self._connection = kind(*args, **more)
            return self._connection

        return made

    def _cut(self) -> None:
        self.is_over = True
        held = None if self._connection is None else self._connection.sock
        if held is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._watch.over(http.client.HTTPConnection), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, watch: _Watch, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._watch, self._tls = watch, context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        kind = self._watch.over(http.client.HTTPSConnection)
        return self.do_open(kind, req, context=self._tls)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_asked: object, **_more: object) -> None:
        """Follow none: what is sent along would go to somebody else."""


def call(
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    seconds: float = SECONDS,
) -> Answer:
    """Ask for `url`, or send `body` there, and return the answer.

    Raises:
        CallError: nobody answered in time, or with more than such an answer can hold.
    """
    method = "GET" if body is None else "POST"
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310  the settings take http and https alone
    ends = time.monotonic() + seconds
    watch = _Watch(seconds)
    opener = urllib.request.build_opener(_NoRedirects(), _Http(watch), _Https(watch, tls_for(url)))
    try:
        with watch:
            answer = _answered(opener, request, seconds, ends)
    except (OSError, http.client.HTTPException) as error:
        if watch.is_over:
            raise CallError(LATE) from error
        cause = getattr(error, "reason", None) or error
        raise CallError(f"{urlsplit(url).hostname} did not answer: {cause}.") from error
    except ValueError:  # Its text would show what was to be sent: a token, most likely.
        raise CallError(
            "What is to be sent along holds a line break, or another sign that no header may hold."
        ) from None
    if watch.is_over:  # What was cut off may look like a whole answer.
        raise CallError(LATE)
    return answer


def _answered(
    opener: urllib.request.OpenerDirector,
    request: urllib.request.Request,
    seconds: float,
    ends: float,
) -> Answer:
    try:
        with opener.open(request, timeout=seconds) as answer:
            return _read(answer.status, answer, ends)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _read(refusal.code, refusal, ends)


def _read(status: int, answer: _Readable, ends: float) -> Answer:
    body = bytearray()
    # What is there now: waiting for a whole chunk, byte after byte, would have no end.
    while chunk := answer.read1(CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise CallError("The answer is longer than any such answer.")
        if time.monotonic() > ends:
            raise CallError(LATE)
    return Answer(status, bytes(body))
