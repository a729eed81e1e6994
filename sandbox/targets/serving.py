"""An HTTP application in a thread of this process."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Self

import uvicorn
from starlette.applications import Starlette

from sandbox.ending import hang_up, until_cancelled

STOP_SECONDS = 5.0


class ThreadServer:
    """Serves an application on this machine, until `stop` or the end of a `with`."""

    def __init__(self, app: Starlette, *, name: str, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._server = server_of(app)
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)
        self._stop: Callable[[], object] | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> Self:
        """Open it. Whoever connects from now on is answered."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close it."""
        self._ready.wait(STOP_SECONDS)
        if self._stop is not None and self._thread.is_alive():
            self._stop()
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        serving = loop.create_task(self._server.serve(sockets=[self._listener]))
        self._stop = lambda: loop.call_soon_threadsafe(serving.cancel)
        self._ready.set()
        await until_cancelled(serving)
        await hang_up(self._server, self._listener)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def server_of(app: Starlette) -> uvicorn.Server:
    """Return a server of `app` that leaves logging and the life of this process alone."""
    settings = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    return uvicorn.Server(settings)
