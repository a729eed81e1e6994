"""One request over HTTP to a service that the bot itself relies on, and what may go wrong with it.

Steps go out by `workflows/actions/http`, where the policy says. What is here goes where the
settings say: to whoever vouches for a head, or keeps a secret.
"""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from bot.slack_client import tls_for
from bot.wording import clean
from workflows.errors import InterlockError

SECONDS = 15.0
MOST_BYTES = 1 << 18
CHUNK = 1 << 14
OK, NOT_FOUND = 200, 404


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
    handlers = [_NoRedirects(), urllib.request.HTTPSHandler(context=tls_for(url))]
    ends = time.monotonic() + seconds
    try:
        return _answered(urllib.request.build_opener(*handlers), request, seconds, ends)
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        raise CallError(f"{urlsplit(url).hostname} did not answer: {cause}.") from error
    except ValueError:  # Its text would show what was to be sent: a token, most likely.
        raise CallError(
            "What is to be sent along holds a line break, or another sign that no header may hold."
        ) from None


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
            raise CallError("The answer did not come in time.")
    return Answer(status, bytes(body))
