"""The end of a server in a thread of this process: at once.

uvicorn's own end takes a fifth of a second, which tests pay hundreds of times, and waits for
people of whom nobody is left.
"""

import asyncio
import socket
from contextlib import suppress

import uvicorn


async def until_cancelled(serving: "asyncio.Task[None]") -> None:
    """Wait until the server's task is cancelled."""
    with suppress(asyncio.CancelledError):
        await serving


async def hang_up(server: uvicorn.Server, listener: socket.socket) -> None:
    """Cut every line of a server whose task was cancelled, and have its requests notice it."""
    for one in getattr(server, "servers", []):
        one.close()
    listener.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if server.server_state.tasks:
        await asyncio.wait(server.server_state.tasks, timeout=1)
