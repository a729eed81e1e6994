"""The routes for programs and webhooks, around `api` and `hooks`.

Whatever asks the database or Slack runs in a thread. Only waiting is left to the event loop,
so that a program that waits for a run costs no thread.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.api import Api, Caller
from bot.hooks import Hooks
from bot.http_answer import response_of
from bot.http_body import body_of
from bot.http_connections import ASKS_NO_MORE
from bot.http_threads import in_thread
from bot.polls import Polls
from bot.problems import Answer, DoorError, problem, problem_of
from workflows.entry import RunId
from workflows.errors import InterlockError
from workflows.store import RunRow

MOST_BYTES = 256 * 1024
LONGEST_WAIT = 50  # Proxies and load balancers give up an answer after a minute, and some the bot.
LOOK_EVERY = 1.0  # What other processes commit wakes nobody here.

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """What programs reach of the bot."""

    api: Api
    hooks: Hooks
    polls: Polls

    @property
    def routes(self) -> list[Route]:
        """Return the routes to serve."""
        return [
            Route("/runs", _answering(self._start), methods=["POST"]),
            Route("/runs/{run}", _answering(self._look), methods=["GET"]),
            Route("/runs/{run}/cancel", _answering(self._cancel), methods=["POST"]),
            Route("/hooks/{name}", _answering(self._deliver), methods=["POST"]),
        ]

    async def _start(self, request: Request) -> Answer:
        caller = await self._caller(request)
        body = await _json_of(request)
        key = _one_header(request, "Idempotency-Key")
        return await in_thread(self.api.start, caller, body, key=key)

    async def _look(self, request: Request) -> Answer:
        caller = await self._caller(request)
        wait, after = _number(request, "wait", most=LONGEST_WAIT), _number(request, "after")
        row = await self._row(request, caller)
        if wait and after is not None and not _has_moved(row, after):
            with self.polls.place(caller.token.name):
                row = await self._moved(request, caller, after, until=time.monotonic() + wait)
        return Answer(status=HTTPStatus.OK, data=self.api.shown(row))

    async def _moved(self, request: Request, caller: Caller, after: int, *, until: float) -> RunRow:
        """Return the run's row once it has moved on, or as it is when the time is over."""
        with self.polls.watching(_run(request)) as sleeper:
            row = await self._row(request, caller)
            while not _has_moved(row, after) and not self.polls.is_closed:
                left = until - time.monotonic()
                if left <= 0 or _asks_no_more(request) or await request.is_disconnected():
                    break
                await sleeper.nap(min(left, LOOK_EVERY))
                row = await self._row(request, caller)
        return row

    async def _cancel(self, request: Request) -> Answer:
        caller = await self._caller(request)
        body = await _json_of(request)
        return await in_thread(self.api.cancel, caller, _run(request), body)

    async def _deliver(self, request: Request) -> Answer:
        body = await _json_of(request)
        name = request.path_params["name"]
        return await in_thread(self.hooks.deliver, name, dict(request.headers), body)

    async def _caller(self, request: Request) -> Caller:
        authorization = _one_header(request, "Authorization") or ""
        return await in_thread(self.api.admit, authorization)

    async def _row(self, request: Request, caller: Caller) -> RunRow:
        return await in_thread(self.api.row, caller, _run(request))


def _has_moved(row: RunRow, after: int) -> bool:
    return row.rseq > after or row.status.is_end


def _asks_no_more(request: Request) -> bool:
    """Say whether the sender ended their side: they may be gone, and keep no place then."""
    return bool(getattr(request.state, ASKS_NO_MORE, False))


def _run(request: Request) -> RunId:
    return RunId(request.path_params["run"])


def _one_header(request: Request, name: str) -> str | None:
    """Return a header; of two, nobody could say which one counts, here and in a proxy."""
    given = request.headers.getlist(name)
    if len({*given}) > 1:
        raise DoorError(
            HTTPStatus.BAD_REQUEST,
            f"The header {name} stands there twice, and says two things.",
            hint="Send one. A proxy in between may have added one of its own.",
        )
    return given[0] if given else None


def _number(request: Request, name: str, *, most: int | None = None) -> int | None:
    """Return a number of the query, cut at `most`; None if it is not there."""
    written = request.query_params.get(name)
    if written is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,9}", written):
        raise DoorError(
            HTTPStatus.BAD_REQUEST,
            f"?{name} is no whole number of at most nine digits.",
            hint="Write ?wait=30&after=4, the revision that was told last.",
        )
    return int(written) if most is None else min(int(written), most)


async def _json_of(request: Request) -> bytes:
    """Return the body of a request that says it holds JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise DoorError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body is not marked as JSON.",
            hint="Send Content-Type: application/json.",
        )
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise DoorError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body is compressed, or encoded in another way.",
            hint="Send it as it is, without Content-Encoding.",
        )
    return await body_of(request, most=MOST_BYTES)


def _answering(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return `handler` as Starlette calls it, with refusals and defects as problem documents."""

    async def answer(request: Request) -> Response:
        try:
            return response_of(await handler(request))
        except InterlockError as refusal:
            return response_of(problem_of(refusal))
        except Exception:
            log.exception("a request failed", extra={"path": request.scope["route"].path})
            return response_of(
                problem(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    kind="defect",
                    detail="The bot failed; its log says why.",
                    hint="Send it again with the same idempotency key.",
                )
            )

    return answer
