"""The sandbox's HTTP face: Web API, response URLs, uploads, permalinks, and the page.

All workspaces share the Web API; whatever else one has stands under `/t/T0ACME/`, and that of
the first one at the root too. The control API that the page and other processes use is in
`control`.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from sandbox.answers import use_response_url
from sandbox.api import Answer, answer_call
from sandbox.authorizing import authorize_routes
from sandbox.cluster import Cluster
from sandbox.errors import SlackError
from sandbox.faults import Fault
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.files import receive
from sandbox.protocol import abort

OK, BAD_REQUEST, NOT_FOUND = 200, 400, 404
PAGE = Path(__file__).parent / "page"
# What an app uploaded opens beside the sandbox's own page: it is a stranger there.
INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def build_asgi(cluster: Cluster, control: Sequence[list[BaseRoute]]) -> Starlette:
    """Build the whole application; `control` has the routes of each workspace, in order."""
    shared: list[BaseRoute] = [
        Route("/api/{method}", _WebApi(cluster).call, methods=["GET", "POST"]),
        WebSocketRoute("/link/", cluster.first.sockets.serve),
        *authorize_routes(cluster),
    ]
    pairs = list(zip(cluster.hubs, control, strict=True))
    own = [Mount(path_of(hub), routes=_routes(hub, more)) for hub, more in pairs]
    return Starlette(routes=[*shared, *own, *_routes(*pairs[0])])


def path_of(hub: Hub) -> str:
    """Return where a workspace's own addresses begin."""
    return f"/t/{hub.settings.installed_as}"


def _routes(hub: Hub, control: list[BaseRoute]) -> list[BaseRoute]:
    faces = _Faces(hub)
    routes: list[BaseRoute] = [
        Route("/actions/{team}/{token}", faces.respond, methods=["POST"]),
        Route("/upload/v1/{token}", faces.upload, methods=["POST"]),
        Route("/files/{file}/{name}", faces.download),
        Route("/archives/{channel}/{place}", faces.permalink),
        Route("/app_redirect", faces.app_home),
        *control,
    ]
    if PAGE.is_dir():
        # The page comes last: it serves what nothing else does.
        routes.append(Mount("/", app=StaticFiles(directory=PAGE, html=True)))
    return routes


class _WebApi:
    """The Web API of all workspaces."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def call(self, request: Request) -> Response:
        """Answer a Web API method, for the workspace whose token it brings."""
        arguments = await _arguments(request)
        header = request.headers.get("authorization", "")
        arguments |= _basic(header)
        token = _bearer(header) or str(arguments.get("token") or "")
        if arguments.get("token"):
            arguments["token"] = "(in the body)"  # noqa: S105 - keeps the token off the record.
        hub = self._cluster.meant(token, arguments)
        answer = answer_call(hub, request.path_params["method"], token, arguments)
        response = await _delivered(request, answer)
        # The sandbox may have been given another clock than this machine's.
        response.headers["Date"] = formatdate(hub.state.now(), usegmt=True)
        return response


def _bearer(header: str) -> str:
    return header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""


def _basic(header: str) -> Mapping[str, str]:
    """Return the id and secret by which an app proves itself."""
    if not header.startswith("Basic "):
        return {}
    try:
        said = base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return {}
    client_id, _, client_secret = said.partition(":")
    return {"client_id": client_id, "client_secret": client_secret}


class _Faces:
    """One handler per kind of address that a workspace has."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

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
        fault = self._hub.faults.take("upload", {"bytes": len(content)})
        if fault is not None:
            return PlainTextResponse(fault.error, status_code=fault.status)
        if not receive(self._hub, request.path_params["token"], content):
            return PlainTextResponse("not_found", status_code=NOT_FOUND)
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(self, request: Request) -> Response:
        """Hand out a file's bytes, for a browser to show; nothing in them runs."""
        file = self._hub.state.files.get(request.path_params["file"])
        if file is None or file.content is None:
            return PlainTextResponse("not_found", status_code=NOT_FOUND)
        kind = guess_type(file.name)[0] or "application/octet-stream"
        return Response(file.content, media_type=kind, headers=INERT)

    async def permalink(self, request: Request) -> Response:
        """Send a reader of a permalink to the message on the page."""
        place = request.path_params["place"].removeprefix("p")
        ts = f"{place[:-6]}.{place[-6:]}"
        thread = request.query_params.get("thread_ts", "")
        return RedirectResponse(
            f"{request.scope.get('root_path', '')}/#{request.path_params['channel']}/{ts}/{thread}"
        )

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
