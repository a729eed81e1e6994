"""Pushes JSON lines over HTTP: one POST for a batch, taken if the answer is 2xx."""

from collections.abc import Sequence

import httpx

from bot.push_target import PushError, Told

TIMEOUT = 30.0
TYPE = "application/x-ndjson"


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
            ) as answer:
                # What it says beside the status is not read: it may never end.
                is_taken, status = answer.is_success, answer.status_code
        except httpx.HTTPError as error:
            # Its text may hold the address with all that stands in it.
            raise PushError(f"it cannot be reached ({type(error).__name__})") from None
        if not is_taken:
            raise PushError(f"it answered with status {status}")
