"""Reads the body of a request, no further and no longer than its route allows."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.http_answer import response_of
from bot.problems import DoorError, problem

SECONDS = 10.0
ENDS = frozenset({b"content-length", b"transfer-encoding"})


class OneEnd:
    """Refuses requests that say in two ways where they end, and the connection with them.

    A proxy that goes by the one, before a server that goes by the other, takes what somebody
    wrote into a body for the next person's request (RFC 9112, section 6.3).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not {name for name, _ in scope["headers"]} >= ENDS:
            return await self._app(scope, receive, send)
        refusal = problem(
            HTTPStatus.BAD_REQUEST,
            kind="bad-request",
            detail="The headers say in two ways where the body ends.",
            hint="Send Content-Length or Transfer-Encoding. A proxy in between may have added one.",
            headers={"Connection": "close"},
        )
        return await response_of(refusal)(scope, receive, send)


async def body_of(request: Request, *, most: int) -> bytes:
    """Return the body, whatever its headers say of its length.

    Raises:
        DoorError: it has more than `most` bytes, or does not come to its end.
    """
    if int(request.headers.get("content-length") or 0) > most:
        raise _too_large(most)
    received = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > most:
                    raise _too_large(most)
    except (TimeoutError, ClientDisconnect):
        raise DoorError(
            HTTPStatus.REQUEST_TIMEOUT,
            "The body did not come to its end in time.",
            hint="Send it again, all at once.",
        ) from None
    return bytes(received)


def _too_large(most: int) -> DoorError:
    return DoorError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is too large; at most {most // 1024} KiB.",
        hint="Send less in it; what is large belongs elsewhere, and its address in here.",
        headers={"Connection": "close"},
    )
