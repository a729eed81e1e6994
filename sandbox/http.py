"""The sandbox's HTTP face: Web API, response URLs, uploads, permalinks, and the page.

The control API that the page and other processes use is in `control`.
"""

import asyncio
import json
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from sandbox.answers import use_response_url
from sandbox.api import Answer, answer_call
from sandbox.errors import SlackError
from sandbox.faults import Fault
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.files import receive
from sandbox.protocol import abort

OK, BAD_REQUEST, NOT_FOUND = 200, 400, 404
PAGE = Path(__file__).parent / "page"


def slack_routes(hub: Hub) -> list[BaseRoute]:
    """Return the routes that Slack itself would serve."""
    faces = _Faces(hub)
    return [
        Route("/api/{method}", faces.call, methods=["GET", "POST"]),
        Route("/actions/{team}/{token}", faces.respond, methods=["POST"]),
        Route("/upload/v1/{token}", faces.upload, methods=["POST"]),
        Route("/files/{file}/{name}", faces.download),
        Route("/archives/{channel}/{place}", faces.permalink),
        Route("/app_redirect", faces.app_home),
        WebSocketRoute("/link/", hub.sockets.serve),
    ]


def build_asgi(hub: Hub, control: list[BaseRoute]) -> Starlette:
    """Build the whole application; the page comes last, it serves what nothing else does."""
    routes = [*slack_routes(hub), *control]
    if PAGE.is_dir():
        routes.append(Mount("/", app=StaticFiles(directory=PAGE, html=True)))
    return Starlette(routes=routes)


class _Faces:
    """One handler per kind of address."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def call(self, request: Request) -> Response:
        """Answer a Web API method."""
        arguments = await _arguments(request)
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ").strip() or str(arguments.get("token") or "")
        if arguments.get("token"):
            arguments["token"] = "(in the body)"  # noqa: S105 - keeps the token off the record.
        answer = answer_call(self._hub, request.path_params["method"], token, arguments)
        return await _delivered(request, answer)

    async def respond(self, request: Request) -> Response:
        """Answer at a response URL."""
        arguments = await _arguments(request)
        call = self._hub.recorder.add_call("response_url", arguments)
        fault = self._hub.faults.take("response_url", arguments)
        if fault is not None:
            return await _delivered(request, _as_answer(fault))
        try:
            use_response_url(self._hub, request.path_params["token"], arguments)
        except SlackError as refusal:
            gone = refusal.error in {"expired_url", "used_url"}
            call.answer, call.status = refusal.body(), NOT_FOUND if gone else BAD_REQUEST
            return JSONResponse(call.answer, status_code=call.status)
        call.answer, call.status = {"ok": True}, OK
        return PlainTextResponse("ok")

    async def upload(self, request: Request) -> Response:
        """Take the bytes of a file."""
        content = await request.body()
        if not receive(self._hub, request.path_params["token"], content):
            return PlainTextResponse("not_found", status_code=NOT_FOUND)
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(self, request: Request) -> Response:
        """Hand out a file's bytes."""
        file = self._hub.state.files.get(request.path_params["file"])
        if file is None or file.content is None:
            return PlainTextResponse("not_found", status_code=NOT_FOUND)
        return Response(file.content, media_type="application/octet-stream")

    async def permalink(self, request: Request) -> Response:
        """Send a reader of a permalink to the message on the page."""
        place = request.path_params["place"].removeprefix("p")
        ts = f"{place[:-6]}.{place[-6:]}"
        thread = request.query_params.get("thread_ts", "")
        return RedirectResponse(f"/#{request.path_params['channel']}/{ts}/{thread}")

    async def app_home(self, request: Request) -> Response:
        """Send a reader of the app's address to its Home on the page."""
        if request.query_params.get("app") != self._hub.app.id:
            return PlainTextResponse("not_found", status_code=NOT_FOUND)
        return RedirectResponse("/#home")


async def _arguments(request: Request) -> Json:
    raw = await request.body()
    found: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        try:
            read = json.loads(raw or b"{}")
        except ValueError:
            read = {}
        return found | (read if isinstance(read, dict) else {})
    return found | dict(parse_qsl(raw.decode(), keep_blank_values=True))


def _as_answer(fault: Fault) -> Answer:
    body = {"ok": False, "error": fault.error or "internal_error"}
    if fault.kind in {"reset", "lose_answer"}:
        return Answer(body=body, cut=True)
    return Answer(body=body, status=fault.status if fault.status != OK else NOT_FOUND)


async def _delivered(request: Request, answer: Answer) -> Response:
    if answer.seconds:
        await asyncio.sleep(answer.seconds)
    if answer.cut:
        abort(request.scope)
    return JSONResponse(answer.body, status_code=answer.status, headers=dict(answer.headers))
