"""Pushes JSON lines over HTTP: one POST for a batch, taken if the answer is 2xx."""

import re
from collections.abc import Sequence
from http import HTTPStatus

import httpx

from bot.push_target import PushError, PushTooLargeError, Told
from bot.tls import tls

TIMEOUT = 30.0
TYPE = "application/x-ndjson"
SECONDS = re.compile(r"[0-9]{1,9}")


class HttpTarget:
    """A system that takes JSON lines at one address. It is told nothing of redirects."""

    def __init__(self, url: str, *, authorization: str = "") -> None:
        headers = {"Content-Type": TYPE, "User-Agent": "interlock"}
        if authorization:
            headers["Authorization"] = authorization
        self._url = url
        self._headers = headers

    def send(self, events: Sequence[Told]) -> None:
        body = b"".join(one.event + b"\n" for one in events)
        try:
            # A connection for each batch: an idle one would be cut by whatever stands between.
            with httpx.stream(
                "POST",
                self._url,
                content=body,
                headers=self._headers,
                timeout=TIMEOUT,
                follow_redirects=False,
                trust_env=False,
                verify=tls(),
            ) as answer:
                # What it says beside the status is not read: it may never end.
                is_taken, status = answer.is_success, answer.status_code
                after = _seconds(answer.headers.get("Retry-After", ""))
        except httpx.HTTPError as error:
            # Its text may hold the address with all that stands in it.
            raise PushError(f"it cannot be reached ({type(error).__name__})") from None
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise PushTooLargeError(f"it answered with status {status}")
        if not is_taken:
            raise PushError(f"it answered with status {status}", after=after)


def _seconds(after: str) -> float:
    """Return the seconds that Retry-After names, 0 where it names none; a moment is not read."""
    return float(after) if SECONDS.fullmatch(after) else 0.0
