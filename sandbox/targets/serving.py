"""An HTTP application in a thread of this process."""

import socket
import threading
import time
from typing import Self

import uvicorn
from starlette.applications import Starlette


class ThreadServer:
    """Serves an application on this machine, until `stop` or the end of a `with`."""

    def __init__(self, app: Starlette, *, name: str, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._server = server_of(app)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), daemon=True, name=name
        )

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> Self:
        """Open it and return when it answers."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Close it."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def server_of(app: Starlette) -> uvicorn.Server:
    """Return a server of `app` that leaves logging and the life of this process alone."""
    settings = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    return uvicorn.Server(settings)
