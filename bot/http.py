"""Receives over signed HTTP: Starlette and uvicorn around the same Bolt app.

Bolt checks signatures and their age. Every request runs in a thread, since the app is
synchronous and would otherwise stop the event loop.
"""

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.arrival import ARRIVED, take_up
from bot.settings import SettingsError

PATH = "/slack/events"
THREADS = 40
MOST_BYTES = 1024 * 1024
STOP_SECONDS = 3
START_SECONDS = 10.0


def web_app(app: App) -> Starlette:
    """Return the ASGI app that hands what arrives to `app`."""

    async def slack(request: Request) -> Response:
        arrived = time.monotonic()
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return PlainTextResponse("too large", status_code=413)
        bolt_request = to_bolt_request(request, await request.body(), {ARRIVED: arrived})
        return to_starlette_response(await run_in_threadpool(take_up, app, bolt_request))

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route(PATH, slack, methods=["POST"]), Route("/healthz", health)]
    return Starlette(routes=routes, lifespan=_with_threads)


@asynccontextmanager
async def _with_threads(_: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


class HttpServer:
    """The listening side, in a thread of its own. `problem` says why it no longer listens."""

    def __init__(self, app: App, *, host: str, port: int) -> None:
        self._address = f"{host}:{port}"
        config = uvicorn.Config(
            web_app(app),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: the address cannot be had.
        """
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise SettingsError(
                    f"INTERLOCK_HTTP names {self._address}, where nothing can listen.",
                    hint="Another process may hold the port.",
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer what has arrived, then stop listening."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS + 1)

    def problem(self) -> str | None:
        """Return what is wrong if the server has ended by itself."""
        return None if self._thread.is_alive() else "The HTTP server has ended."

    def _serve(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # uvicorn's way to say that it cannot bind; `start` reports it.
            return
