"""Receives over HTTP: Starlette and uvicorn around the same Bolt app, programs and webhooks.

Slack signs, and programs show a token. Every request runs in a thread, since the app is
synchronous and would otherwise stop the event loop.
"""

import errno
import socket
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import uvicorn
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.arrival import ARRIVED, Takes, take_up
from bot.http_answer import response_of
from bot.http_body import OneEnd, body_of
from bot.http_connections import BACKLOG, Connection
from bot.http_threads import in_thread, threads
from bot.listening import open_listeners, reason_of
from bot.problems import DoorError, kind_of, problem
from bot.settings import SettingsError
from bot.slack_signature import SlackSignature, only_looks

if TYPE_CHECKING:
    from bot.http_routes import Programs  # Only where programs are let in; see `doors`.

PATH = "/slack/events"
THREADS = 40
MOST_BYTES = 1024 * 1024
STOP_SECONDS = 3
_TAKEN = "Another process holds the port."


def web_app(
    app: Takes | None,
    programs: "Programs | None" = None,
    more: Sequence[BaseRoute] = (),
    *,
    signing_secret: str = "",
) -> Starlette:
    """Return the ASGI app that hands what arrives to `app` and to `programs`.

    What goes to `app` is signed by Slack with `signing_secret`.
    """

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [
        Route("/healthz", health),
        *([_slack_route(app, SlackSignature(signing_secret))] if app is not None else []),
        *(programs.routes if programs is not None else []),
        *more,
    ]
    served = Starlette(
        routes=routes,
        middleware=[Middleware(OneEnd)],
        lifespan=_with_threads,
        exception_handlers={HTTPException: _no_route},
    )
    # Behind a proxy it would lead whoever adds a slash from https to http, with their token.
    served.router.redirect_slashes = False
    return served


def _slack_route(app: Takes, signature: SlackSignature) -> Route:
    async def slack(request: Request) -> Response:
        arrived = time.monotonic()
        try:
            body = await body_of(request, most=MOST_BYTES)
        except DoorError as refusal:
            return PlainTextResponse(refusal.message, refusal.status)
        if only_looks(body):
            return Response()
        if not signature.is_on(request.headers, body):
            return PlainTextResponse("This is not signed by Slack.", HTTPStatus.UNAUTHORIZED)
        bolt_request = to_bolt_request(request, body, {ARRIVED: arrived})
        return to_starlette_response(await in_thread(take_up, app, bolt_request))

    return Route(PATH, slack, methods=["POST"])


async def _no_route(_: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    headers = error.headers if isinstance(error, HTTPException) else None
    return response_of(
        problem(
            status,
            kind=kind_of(status),
            detail=f"{status.description}.",
            hint=_instead(status, headers or {}),
            headers=headers,
        )
    )


def _instead(status: HTTPStatus, headers: Mapping[str, str]) -> str:
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address takes {headers.get('Allow', 'other methods')}."
    return "Check the address: POST /runs, GET /runs/RUN, POST /runs/RUN/cancel, POST /hooks/NAME."


@asynccontextmanager
async def _with_threads(_: Starlette) -> AsyncIterator[None]:
    with threads(THREADS):
        yield


class HttpServer:
    """The listening side, in a thread of its own. `problem` says why it no longer listens.

    `setting` is the one that names the address, for whoever has to correct it.
    """

    def __init__(
        self,
        app: Takes | None,
        *,
        host: str,
        port: int,
        signing_secret: str = "",
        programs: "Programs | None" = None,
        more: Sequence[BaseRoute] = (),
        setting: str = "INTERLOCK_HTTP",
    ) -> None:
        self._host, self._port = host, port
        self._setting = setting
        self.programs = programs
        config = uvicorn.Config(
            web_app(app, programs, more, signing_secret=signing_secret),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            # Named, so that no other server is looked for and none for WebSockets is loaded.
            http=Connection,
            ws="none",
            backlog=BACKLOG,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._listeners: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Listen: whoever connects from now on is answered, however slowly the thread begins.

        Raises:
            SettingsError: the address cannot be had; it says why.
        """
        try:
            self._listeners = open_listeners(self._host, self._port)
        except OSError as error:
            raise SettingsError(
                f"{self._setting} names {self._host}:{self._port}, where nothing can listen: "
                f"{reason_of(error)}.",
                hint=_TAKEN if error.errno == errno.EADDRINUSE else "",
            ) from error
        self._thread.start()

    def stop(self) -> None:
        """Answer what has arrived, then stop listening."""
        self._server.should_exit = True
        if self.programs is not None:
            self.programs.polls.close()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS + 1)

    def unconnected(self) -> str | None:
        """Return what is wrong while nothing can arrive."""
        return self.problem()

    def problem(self) -> str | None:
        """Return what is wrong if the server has ended by itself."""
        return None if self._thread.is_alive() else "The HTTP server has ended."

    def _serve(self) -> None:
        self._server.run(sockets=self._listeners)
