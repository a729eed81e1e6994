"""Socket Mode: connections of the app, envelopes out, acknowledgements in."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox import limits
from sandbox.delivery.courier import Courier
from sandbox.delivery.envelope import Delivery
from sandbox.errors import SlackError
from sandbox.loose import Unchecked
from sandbox.protocol import abort
from sandbox.recorder import Recorder
from sandbox.state import State

# What an app has after a disconnect frame to finish what it is doing on that connection.
CLOSE_SECONDS = 1.0


class Sockets:
    """The app's WebSocket connections; each envelope takes one of them at random."""

    def __init__(self, state: State, recorder: Recorder, courier: Courier) -> None:
        self._state = state
        self._recorder = recorder
        self._courier = courier
        self._tickets: dict[str, float] = {}
        self._open: dict[str, WebSocket] = {}
        self._refreshed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop from now on."""
        self._loop = loop

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the open connections, oldest first, as deliveries carry them."""
        return tuple(self._open)

    def issue_url(self) -> str:
        """Return a fresh address that takes one connection within half a minute.

        Raises:
            SlackError: `too_many_websockets`, with ten connections open.
        """
        if len(self._open) >= limits.CONNECTIONS:
            raise SlackError("too_many_websockets")
        ticket = self._state.next_id("", 32).lower()
        self._tickets[ticket] = time.monotonic() + limits.TICKET_SECONDS
        place = urlsplit(self._state.base_url).netloc
        return f"ws://{place}/link/?ticket={ticket}&app_id={self._state.settings.app.id}"

    async def serve(self, socket: WebSocket) -> None:
        """Talk to one connection until it ends."""
        until = self._tickets.pop(socket.query_params.get("ticket", ""), 0.0)
        if time.monotonic() > until:
            await socket.close(code=1008)
            return
        await socket.accept()
        name = self._state.next_id("cn", 8)
        self._open[name] = socket
        try:
            await socket.send_text(json.dumps(self._hello()))
            self._state.changed("connected", connections=len(self._open))
            await self._listen(name, socket)
        except (WebSocketDisconnect, RuntimeError):
            pass  # The app went away; what it had not acknowledged runs into its deadline.
        finally:
            self._open.pop(name, None)
            self._refreshed.discard(name)
            self._state.changed("disconnected", connections=len(self._open))

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "sandbox", "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._state.settings.app.id},
        }

    async def _listen(self, name: str, socket: WebSocket) -> None:
        while True:
            raw = await socket.receive_text()
            try:
                frame = json.loads(raw)
                self._courier.acked(frame["envelope_id"], frame.get("payload"), by=name)
            except (ValueError, KeyError, TypeError):
                self._recorder.blame("a frame that is no acknowledgement", "socket mode")
                self._state.changed("fault")

    def send(self, delivery: Delivery) -> None:
        """Hand an envelope to one connection."""
        names = [one for one in self._open if one not in self._refreshed]
        if not names:
            self._courier.failed(delivery.id, "no connection")
            return
        delivery.connection = self._state.choose(names)
        self._state.changed("sent", id=delivery.id)
        self._spawn(self._open[delivery.connection], delivery.envelope())

    def _spawn(self, socket: WebSocket, frame: dict[str, Any]) -> None:
        async def write() -> None:
            # A closed line is noticed by the reader as well; the deadline tells the person.
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_text(json.dumps(frame))

        task = asyncio.get_running_loop().create_task(write())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection that it will end: `warning`, `refresh_requested`, ..."""

        def tell() -> None:
            for name, socket in list(self._open.items()):
                frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
                self._spawn(socket, frame)
                if reason != "warning":
                    self._refreshed.add(name)
                    asyncio.get_running_loop().call_later(CLOSE_SECONDS, abort, socket.scope)

        self._soon(tell)

    def drop(self) -> None:
        """Cut every connection without a word."""

        def cut() -> None:
            for socket in list(self._open.values()):
                abort(socket.scope)

        self._soon(cut)

    def _soon(self, work: Unchecked) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)
