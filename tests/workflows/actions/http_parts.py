"""What the tests of `http.request` share: an answer on the wire, the action, its calls."""

from collections.abc import Callable
from typing import Any

from workflows.actions.base import Call
from workflows.actions.http import HttpCall, HttpRequest
from workflows.services import Services

Start = Callable[..., Any]
Calls = Callable[..., Call]
MEBIBYTE = 1024 * 1024


def answer(status: int, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def an_action(url: str, **service: object) -> HttpRequest:
    declared = {"base_url": url, "private": True, **service}
    return HttpRequest(Services.model_validate({"services": {"shop": declared}}))


def get(path: str = "/orders/ord_1", **known: object) -> HttpCall:
    return HttpCall.model_validate({"service": "shop", "path": path, **known})


def post(**known: object) -> HttpCall:
    given = {"service": "shop", "method": "POST", "path": "/refunds", "json": {"amount": 5}}
    return HttpCall.model_validate({**given, **known})
