"""Writes the request of `http.request` and has it sent.

It is imported with the first request: an HTTP client and what it brings along are much of
what a bot could hold in memory while nothing happens.
"""

import json
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from workflows.actions.base import Call
from workflows.actions.http import HttpCall
from workflows.actions.http_answer import HttpAnswer
from workflows.actions.http_exchange import Exchange
from workflows.errors import ActionFailedError
from workflows.services import Service


def send(arguments: HttpCall, service: Service, call: Call, *, is_read: bool) -> HttpAnswer:
    """Send the request and return its answer; an effect goes under its idempotency key.

    Raises:
        ActionError: one of its four kinds.
    """
    request = _request(arguments, service, key=None if is_read else call.key)
    return Exchange(service, call, is_read=is_read).run(request, accept=arguments.accept)


def look(service: Service, path: str, call: Call, *, accept: tuple[int, ...]) -> HttpAnswer:
    """Return what stands at `path` of the service.

    Raises:
        ActionError: one of its four kinds.
    """
    request = httpx.Request("GET", service.base_url + path, headers=_headers({}))
    return Exchange(service, call, is_read=True).run(request, accept=accept)


def _request(arguments: HttpCall, service: Service, *, key: str | None) -> httpx.Request:
    """Return the request, without its secret; `key` is None for a read."""
    headers = _headers(arguments.headers)
    if key is not None:
        headers[service.idempotency_header] = key
    content: bytes | None = None
    if arguments.body is not None:
        content = json.dumps(arguments.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    return httpx.Request(
        arguments.method, _url(arguments, service), headers=headers, content=content
    )


def _url(arguments: HttpCall, service: Service) -> httpx.URL:
    path = quote(arguments.path, safe="/%:@!$&'()*+,;=")
    try:
        url = httpx.URL(service.base_url + path)
        return url.copy_with(params=arguments.query) if arguments.query else url
    except httpx.InvalidURL as fault:
        raise ActionFailedError(
            f"This is no address: {fault}.", error_class="request_refused"
        ) from fault


def _headers(chosen: Mapping[str, str]) -> httpx.Headers:
    headers = httpx.Headers({"Accept": "application/json, */*;q=0.5", "User-Agent": "interlock"})
    headers.update(chosen)
    # An answer is asked for as it is: a compressed one could be endless once unpacked.
    headers["Accept-Encoding"] = "identity"
    return headers
