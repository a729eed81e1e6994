"""One request on the wire, and what it means when that fails.

What was certainly not sent did not happen; what was sent and not answered is in doubt.
"""

import re
import ssl
from functools import cache
from typing import NoReturn

import httpcore
import httpx

from workflows.actions.base import Call
from workflows.actions.calls import reveal
from workflows.actions.egress import Deadline, GuardedNetwork
from workflows.actions.http_answer import (
    HttpAnswer,
    answer_to_effect,
    answer_to_read,
    kept,
    read_within,
)
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.services import Service

MOVED = frozenset({301, 302, 303, 307, 308})
HOPS = 3


class Exchange:
    """Carries one call of a service, until its deadline."""

    def __init__(self, service: Service, call: Call, *, is_read: bool) -> None:
        self._service = service
        self._call = call
        self._is_read = is_read
        self._deadline = Deadline(call.timeout)
        self._network = GuardedNetwork(private=service.private, deadline=self._deadline)

    def run(self, request: httpx.Request, *, accept: tuple[int, ...] = ()) -> HttpAnswer:
        """Send `request` and return the answer; a read follows to the service's own hosts.

        Raises:
            ActionError: one of its four kinds.
        """
        for _ in range(HOPS + 1):
            answer = self._tried(self._with_secret(request), accept)
            location = answer.headers.get("location")
            if not self._is_read or answer.status not in MOVED or location is None:
                return answer
            request = self._moved(request, location)
        raise ActionFailedError("The service sends us in circles.", error_class="redirected")

    def _tried(self, request: httpx.Request, accept: tuple[int, ...]) -> HttpAnswer:
        try:
            return self._send(request, accept)
        except httpcore.TimeoutException as fault:
            self._fail("timeout", f"The service took longer than {self._call.timeout:g} s.", fault)
        except httpcore.ConnectError as fault:
            self._fail("unreachable", f"The service cannot be reached: {fault}.", fault)
        except httpcore.LocalProtocolError as fault:
            raise ActionFailedError(
                "The request cannot be written as HTTP; look at its headers and secrets.",
                error_class="request_refused",
            ) from fault
        except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
            self._fail("reply_lost", "The connection broke before the answer was whole.", fault)

    def _send(self, request: httpx.Request, accept: tuple[int, ...]) -> HttpAnswer:
        pool = httpcore.ConnectionPool(
            ssl_context=_tls() if request.url.scheme == "https" else None,
            network_backend=self._network,
            max_connections=1,
        )
        with (
            pool,
            pool.stream(
                request.method,
                str(request.url),
                headers=request.headers.raw,
                content=request.read(),
            ) as response,
        ):
            if self._is_read and response.status in MOVED:
                return HttpAnswer(status=response.status, headers=kept(response.headers))
            limit, redact = self._service.max_bytes, self._call.redact
            content = read_within(response.iter_stream(), limit, redact)
            read = answer_to_read if self._is_read else answer_to_effect
            return read(response.status, response.headers, content, accept=accept)

    def _fail(self, error_class: str, message: str, fault: Exception) -> NoReturn:
        if self._is_read:
            raise TransientReadError(message, error_class=error_class) from fault
        if not self._network.has_sent:
            raise NotPerformedError(message, error_class=error_class) from fault
        cause = "timeout" if error_class == "timeout" else "reply_lost"
        raise InDoubtError(message, error_class=cause) from fault

    def _with_secret(self, request: httpx.Request) -> httpx.Request:
        """Return the request with its secret, which never leaves the service's own origin."""
        header = self._service.secret_header
        if header is None or _origin(request.url) != _origin(httpx.URL(self._service.base_url)):
            return request
        value = header.prefix + reveal(self._call, header.secret)
        if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value):
            raise ActionFailedError(
                f"The secret {header.secret} cannot stand in a header.",
                error_class="secret_unusable",
                hint="Store it again, without line breaks and with plain characters only.",
            )
        headers = request.headers.copy()
        headers[header.name] = value
        return httpx.Request(request.method, request.url, headers=headers, content=request.read())

    def _moved(self, request: httpx.Request, location: str) -> httpx.Request:
        try:
            url = request.url.join(location)
        except httpx.InvalidURL as fault:
            raise TransientReadError(
                "The service sends us to no address at all.", error_class="garbage"
            ) from fault
        if not is_within(self._service, url):
            raise ActionFailedError(
                f"The service sends us to {url.host}{url.path}, where this step may not go.",
                error_class="redirected",
                hint="If that belongs to the service, list its host or path in policy.yaml.",
            )
        headers = request.headers.copy()
        del headers["host"]
        return httpx.Request(request.method, url, headers=headers)


def is_within(service: Service, url: httpx.URL) -> bool:
    """Say whether `url` is at the service itself, or at a host it lists, no less secure."""
    base = httpx.URL(service.base_url)
    if _origin(url) == _origin(base):
        path = url.path.removeprefix(base.path.rstrip("/"))
        return service.allows_path(path)
    if url.scheme not in {base.scheme, "https"} or url.userinfo:
        return False
    return url.host.lower() in service.allowed_hosts - {base.host}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificate store takes longer than most requests, so it is read once.
    return httpx.create_ssl_context()
