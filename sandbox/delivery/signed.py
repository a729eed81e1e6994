"""Signed HTTP: the same deliveries as POST requests with Slack's signature."""

import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urlencode, urlsplit

from sandbox.delivery.courier import Courier
from sandbox.delivery.envelope import Delivery
from sandbox.loose import Json
from sandbox.state import State

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
OK = 200
AT_ONCE = 32


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's `v0` signature of a request."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encode(delivery: Delivery) -> tuple[str, bytes]:
    """Return content type and body: a flat form, a form with `payload`, or JSON."""
    if delivery.kind == "events_api":
        return JSON, json.dumps(delivery.payload).encode()
    if delivery.kind == "slash_commands":
        return FORM, urlencode(delivery.payload).encode()
    return FORM, urlencode({"payload": json.dumps(delivery.payload)}).encode()


class SignedHttp:
    """Posts deliveries to the app's request URL."""

    def __init__(self, state: State, courier: Courier, *, request_url: str) -> None:
        self._state = state
        self._courier = courier
        self._url = urlsplit(request_url)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slack-delivery")

    def send(self, delivery: Delivery) -> None:
        """Post it from a thread of the pool."""
        delivery.connection = self._url.netloc
        self._pool.submit(self._post, delivery)

    def verify(self) -> bool:
        """Send the `url_verification` challenge and tell whether it came back."""
        challenge = self._state.next_id("", 40)
        body = {
            "token": self._state.settings.app.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        status, _, answer = self._request(JSON, json.dumps(body).encode(), {})
        return status == OK and challenge in answer.decode(errors="replace")

    def close(self) -> None:
        """Let the pool go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _post(self, delivery: Delivery) -> None:
        kind, body = encode(delivery)
        retry: dict[str, str] = {}
        if delivery.attempt:
            retry["X-Slack-Retry-Num"] = str(delivery.attempt)
            retry["X-Slack-Retry-Reason"] = delivery.retry_reason or "http_error"
        try:
            status, headers, answer = self._request(kind, body, retry)
        except (OSError, http.client.HTTPException) as problem:
            self._courier.failed(delivery.id, f"{type(problem).__name__}: {problem}")
            return
        if status != OK:
            again = headers.get("x-slack-no-retry") != "1"
            self._courier.failed(delivery.id, f"HTTP {status}", retry=again)
            return
        self._courier.acked(delivery.id, _read(headers, answer), by=self._url.netloc)

    def _request(
        self, kind: str, body: bytes, more: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        stamp = str(int(self._state.now()))
        line = _connect(self._url, timeout=self._state.settings.ack_seconds + 60)
        try:
            line.request(
                "POST",
                self._url.path or "/",
                body=body,
                headers={
                    "Content-Type": kind,
                    "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                    "X-Slack-Request-Timestamp": stamp,
                    "X-Slack-Signature": sign(self._state.settings.app.signing_secret, stamp, body),
                    **more,
                },
            )
            response = line.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read()
        finally:
            line.close()


def _connect(url: SplitResult, *, timeout: float) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port, timeout=timeout)


def _read(headers: Mapping[str, str], answer: bytes) -> Json | None:
    if not answer:
        return None
    if headers.get("content-type", "").startswith(JSON):
        read = json.loads(answer)
        return read if isinstance(read, dict) else None
    return {"text": answer.decode()}
