"""A sandbox that listens: for tests as a context manager, for the demo as a process.

    with SandboxServer() as server:            # a free port, a thread of its own
        client = WebClient(token=server.bot_token, base_url=server.api_url)

The bot is pointed at it with `SLACK_API_URL=server.api_url` and the tokens. Several workspaces
share that address: `SandboxServer(acme, others=[globex])`, `server.workspaces["T0GLOBEX"]`.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import uvicorn

from sandbox.cluster import Cluster
from sandbox.control import control_routes
from sandbox.delivery.signed import SignedHttp
from sandbox.ending import hang_up, until_cancelled
from sandbox.errors import PortError
from sandbox.faults import Faults
from sandbox.http import build_asgi, path_of
from sandbox.hub import Hub, build_hub
from sandbox.protocol import CuttableHttp, CuttableWebSocket
from sandbox.recorder import Recorder
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace

LAST_PORT = 65_535
START_SECONDS = 10.0


class SandboxServer:
    """One sandbox on one port of the loopback interface."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        others: Sequence[SandboxSettings] = (),
        port: int = 0,
    ) -> None:
        """`others` are further workspaces in which the same app may be installed."""
        self.settings = settings or SandboxSettings()
        self._cluster = Cluster()
        self._hubs = [build_hub(one, self._cluster) for one in (self.settings, *others)]
        self._hub = self._hubs[0]
        self.workspaces = {one.settings.installed_as: Workspace(one) for one in self._hubs}
        self.workspace = self.workspaces[self.settings.installed_as]
        self._port = port
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._signed: list[SignedHttp] = []

    @property
    def hub(self) -> Hub:
        """The parts, for those who need one that has no name here."""
        return self._hub

    @property
    def url(self) -> str:
        """Where the page is served."""
        return self._hub.state.base_url

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` is set to."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        """The app's bot token."""
        return self.settings.app.bot_token

    @property
    def app_token(self) -> str:
        """The app-level token that opens sockets."""
        return self.settings.app.app_token

    @property
    def signing_secret(self) -> str:
        """The secret that signs deliveries over HTTP."""
        return self.settings.app.signing_secret

    @property
    def recorder(self) -> Recorder:
        """Every call and delivery so far."""
        return self._hub.recorder

    @property
    def faults(self) -> Faults:
        """Where faults are ordered."""
        return self._hub.faults

    @property
    def connections(self) -> int:
        """How many Socket Mode connections the app holds."""
        return self._hub.sockets.connected

    def _listener(self) -> socket.socket:
        if not 0 <= self._port <= LAST_PORT:
            raise PortError(f"There is no port {self._port}. They go up to {LAST_PORT}.")
        try:
            return socket.create_server(("127.0.0.1", self._port))
        except OSError as error:
            # Python adds the address to what the system says, which stands in our own words.
            why = os.strerror(error.errno or 0)
            raise PortError(f"Port {self._port} cannot be used: {why}. Choose another.") from error

    def start(self) -> Self:
        """Listen, and return once requests are answered.

        Raises:
            PortError: the port is taken, or is none.
        """
        listener = self._listener()
        root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for hub in self._hubs:
            hub.state.base_url = root if hub is self._hub else f"{root}{path_of(hub)}"
        pairs = zip(self._hubs, self.workspaces.values(), strict=True)
        config = uvicorn.Config(
            build_asgi(self._cluster, [control_routes(hub, one) for hub, one in pairs]),
            http=CuttableHttp,
            ws=CuttableWebSocket,
            ws_ping_interval=10,
            log_config=None,
            access_log=False,
            date_header=False,
            lifespan="off",
        )
        self._thread = threading.Thread(
            target=self._run, args=(uvicorn.Server(config), listener), name="sandbox", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError("the sandbox did not start")
        return self

    def _run(self, server: uvicorn.Server, listener: socket.socket) -> None:
        asyncio.run(self._serve(server, listener))

    async def _serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        for hub in self._hubs:
            hub.courier.attach(self._loop)
            hub.sockets.attach(self._loop)
        self._serving = self._loop.create_task(server.serve(sockets=[listener]))
        # The listener queues connections from its creation on, so nobody can come too early.
        self._ready.set()
        await until_cancelled(self._serving)
        for hub in self._hubs:
            hub.courier.detach()
            # Wakes whoever streams changes, so that it notices the end.
            hub.state.changed("stopped")
        await hang_up(server, listener)

    def stop(self) -> None:
        """Stop listening; everything that still waits has failed."""
        if self._loop is not None and self._serving is not None and self._thread is not None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._serving.cancel)
            self._thread.join(START_SECONDS)
        self._hang_up_http()

    def _hang_up_http(self) -> None:
        for one in self._signed:
            one.close()
        self._signed = []

    def deliver_over_http(self, request_url: str) -> None:
        """Deliver to this request URL from now on, once it answered the challenge.

        Raises:
            RuntimeError: it did not answer `url_verification`.
        """
        signed = [SignedHttp(hub.state, hub.courier, request_url=request_url) for hub in self._hubs]
        if not signed[0].verify():
            for one in signed:
                one.close()
            raise RuntimeError(f"{request_url} did not answer the challenge")
        self._hang_up_http()
        self._signed = signed
        for hub, one in zip(self._hubs, signed, strict=True):
            hub.courier.transport = one

    def deliver_over_sockets(self) -> None:
        """Deliver over Socket Mode, as at the start."""
        for hub in self._hubs:
            hub.courier.transport = hub.sockets

    def wait_for_connection(self, count: int = 1, *, timeout: float = 10.0) -> None:
        """Return once the app holds `count` Socket Mode connections."""
        self._hub.state.wait(
            lambda: self.connections >= count, timeout=timeout, what=f"{count} connections"
        )

    def drop_sockets(self) -> None:
        """Cut every connection without a word."""
        self._hub.sockets.drop()

    def refresh_sockets(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew, as Slack does every few hours."""
        self._hub.sockets.disconnect(reason)

    def revoke_token(self, error: str = "token_revoked") -> None:
        """Refuse the bot token with `error` from now on."""
        self._hub.state.revoked[self.bot_token] = error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
