"""uvicorn's protocols with one addition: a handler may cut the line it speaks on.

Losing an answer is the fault that matters most to a bot that must not act twice, and no
ASGI message can express it. So each connection leaves its transport in the scope.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sandbox.loose import Unchecked

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
_TRANSPORT = "sandbox.transport"


def _leaving_transport(app: Unchecked, protocol: Unchecked) -> App:
    async def wrapped(scope: Unchecked, receive: Unchecked, send: Unchecked) -> None:
        scope[_TRANSPORT] = protocol.transport
        # Only the end of the whole server cancels a request, and there nobody is left to tell.
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return wrapped


class CuttableHttp(H11Protocol):
    """HTTP whose handler can reset the connection."""

    def __init__(self, *args: Unchecked, **kwargs: Unchecked) -> None:
        super().__init__(*args, **kwargs)
        self.app = _leaving_transport(self.app, self)


class CuttableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be dropped without a closing handshake."""

    def __init__(self, *args: Unchecked, **kwargs: Unchecked) -> None:
        super().__init__(*args, **kwargs)
        self.app = _leaving_transport(self.app, self)


def abort(scope: Scope) -> None:
    """Reset the connection of this request at once."""
    transport: asyncio.Transport = scope[_TRANSPORT]
    if transport.is_closing():
        return  # The app was quicker.
    raw = transport.get_extra_info("socket")
    if raw is not None:
        # Lingering for zero seconds makes the kernel send a reset rather than a goodbye.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
