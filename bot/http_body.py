"""Reads the body of a request, no further and no longer than its route allows."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from bot.problems import DoorError

SECONDS = 10.0


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
            HTTPStatus.REQUEST_TIMEOUT, "The body did not come to its end in time."
        ) from None
    return bytes(received)


def _too_large(most: int) -> DoorError:
    return DoorError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is too large; at most {most // 1024} KiB.",
        headers={"Connection": "close"},
    )
