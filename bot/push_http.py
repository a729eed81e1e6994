"""Pushes JSON lines over HTTP: one POST for a batch, taken if the answer is 2xx."""

import re
import ssl
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
            raise PushError(_why(error)) from None
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise PushTooLargeError(f"it answered with status {status}")
        if not is_taken:
            raise PushError(f"it answered with status {status}", after=after)


def _why(error: httpx.HTTPError) -> str:
    """Say what went wrong; the error's text may hold the address with all that stands in it."""
    name = type(error).__name__
    if _is_untrusted(error):
        return "it cannot be reached: this machine does not trust its certificate"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"it cannot be reached ({name})"
    if isinstance(error, httpx.TimeoutException):
        return f"it did not answer in time ({name})"
    return f"it broke off ({name})"


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _seconds(after: str) -> float:
    """Return the seconds that Retry-After names, 0 where it names none; a moment is not read."""
    return float(after) if SECONDS.fullmatch(after) else 0.0
