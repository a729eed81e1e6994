"""What those ask who watch a process: `/readyz`, and `/metrics` where a setting wants it."""

import hmac
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.http_threads import in_thread
from bot.metrics.exposition import MEDIA_TYPE
from bot.readiness import Readiness

if TYPE_CHECKING:
    from bot.metrics.collecting import Collector  # Only where figures are shown.

PRIVATE = {"Cache-Control": "no-store"}


def ready_route(readiness: Readiness) -> BaseRoute:
    """Return the route that answers 200 while every part is ready, else 503 with what is not."""

    async def ready(_: Request) -> Response:
        found = await in_thread(readiness.look)
        is_ready = all(told is None for told in found.values())
        data = {"ready": is_ready, **{name: told or "ok" for name, told in found.items()}}
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(json.dumps(data), status, PRIVATE, "application/json")

    return Route("/readyz", ready)


def metrics_route(collector: "Collector", *, token: str) -> BaseRoute:
    """Return the route that Prometheus reads; with a token it has to bring it."""

    async def metrics(request: Request) -> Response:
        if token and not _brings(request, token):
            headers = {**PRIVATE, "WWW-Authenticate": "Bearer"}
            return PlainTextResponse("A token is needed.\n", HTTPStatus.UNAUTHORIZED, headers)
        text = await in_thread(collector.text)
        return Response(text, HTTPStatus.OK, PRIVATE, MEDIA_TYPE)

    return Route("/metrics", metrics)


def _brings(request: Request, token: str) -> bool:
    brought = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    return hmac.compare_digest(brought, token.encode())


def watched_routes(
    readiness: Readiness, collector: "Collector | None", *, token: str = ""
) -> Iterator[BaseRoute]:
    """Yield what an address offers to those who watch."""
    yield ready_route(readiness)
    if collector is not None:
        yield metrics_route(collector, token=token)
