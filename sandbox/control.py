"""The control API: what the page, and processes other than the sandbox's own, may ask.

    GET  /sandbox/api/people                        who there is to be
    GET  /sandbox/api/state?person=rita             what she sees (see `picture`)
    GET  /sandbox/api/calls?method=chat.update      what the app called; `faults` beside
    POST /sandbox/api/act                           {"person", "do", "with": {...}}
    GET  /sandbox/events                            Server-Sent Events, one line per change

`act` answers `{"ok": true, "result": ...}` or, with status 409, `{"ok": false, "error",
"fields"}` when no person could do that; `fields` maps a block id to what stands beside it.
The gestures and their arguments are those of `person.Person`; a message is named by
`{"channel": "#ops", "ts": "..."}`. The `do` of a person: command, say, click, choose,
search, fill, submit, close_view, shortcut, open_home, delete. Without a person, things
happen to the workspace: join, leave, join_group, leave_group, deactivate, archive,
add_person, add_channel, add_group, run_step (a Workflow Builder workflow comes to a step of
the app's: `{"callback_id", "inputs"}`).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from sandbox.delivery.envelope import Delivery
from sandbox.errors import NotPossibleError, SlackError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.picture import picture_for
from sandbox.records import Ephemeral, Execution, Message
from sandbox.seen import SeenMessage, seen_message
from sandbox.workspace import Workspace

HEARTBEAT_SECONDS = 15.0
GESTURES = frozenset(
    {
        "choose",
        "click",
        "close_view",
        "command",
        "delete",
        "fill",
        "open_home",
        "say",
        "search",
        "shortcut",
        "submit",
    }
)
HAPPENINGS = frozenset(
    {
        "add_channel",
        "add_group",
        "add_person",
        "archive",
        "deactivate",
        "disable_group",
        "join",
        "join_group",
        "leave",
        "leave_group",
        "run_step",
    }
)


class Act(BaseModel):
    """One thing to do, as it arrives."""

    model_config = ConfigDict(extra="forbid")

    do: str
    person: str | None = None
    arguments: Json = Field(default_factory=dict, alias="with")


def control_routes(hub: Hub, workspace: Workspace) -> list[BaseRoute]:
    """Return the routes of the control API."""
    desk = _Desk(hub, workspace)
    return [
        Route("/sandbox/api/people", desk.people),
        Route("/sandbox/api/state", desk.state),
        Route("/sandbox/api/calls", desk.calls),
        Route("/sandbox/api/act", desk.act, methods=["POST"]),
        Route("/sandbox/events", desk.events),
    ]


class _Desk:
    def __init__(self, hub: Hub, workspace: Workspace) -> None:
        self._hub = hub
        self._workspace = workspace

    async def people(self, _request: Request) -> Response:
        """List who there is."""
        with self._hub.state.lock:
            found = [
                {"id": one.id, "name": one.name, "real_name": one.real_name, "bot": one.is_bot}
                for one in self._hub.state.users.values()
            ]
        return JSONResponse({"people": found})

    async def state(self, request: Request) -> Response:
        """Show what one person sees."""
        try:
            person = self._workspace.person(request.query_params.get("person", ""))
        except NotPossibleError as problem:
            return JSONResponse({"ok": False, "error": str(problem)}, status_code=404)
        return JSONResponse(picture_for(self._hub, person.user))

    async def calls(self, request: Request) -> Response:
        """Show what the app called, and what it should not have."""
        method = request.query_params.get("method")
        found = [asdict(one) for one in self._hub.recorder.calls(method)]
        faults = [asdict(one) for one in self._hub.recorder.faults]
        return JSONResponse({"calls": found, "faults": faults})

    async def act(self, request: Request) -> Response:
        """Do one thing; waiting for the app happens off the event loop."""
        try:
            act = Act.model_validate_json(await request.body())
            result = await run_in_threadpool(self._perform, act)
        except ValidationError as problem:
            return JSONResponse({"ok": False, "error": str(problem)}, status_code=400)
        except (NotPossibleError, SlackError, TypeError) as problem:
            fields = getattr(problem, "fields", {})
            refusal = {"ok": False, "error": str(problem), "fields": fields}
            return JSONResponse(refusal, status_code=409)
        return JSONResponse({"ok": True, "result": _shown(result)})

    def _perform(self, act: Act) -> Unchecked:
        arguments = dict(act.arguments)
        for name in ("message", "thread"):
            if isinstance(arguments.get(name), dict):
                arguments[name] = self._message(arguments[name])
        if act.person is None:
            if act.do not in HAPPENINGS:
                raise NotPossibleError(f"no such thing to happen: {act.do}")
            return getattr(self._workspace, act.do)(**arguments)
        if act.do not in GESTURES:
            raise NotPossibleError(f"no such gesture: {act.do}")
        return _call(getattr(self._workspace.person(act.person), act.do), arguments)

    def _message(self, named: Json) -> SeenMessage:
        state = self._hub.state
        with state.lock:
            channel = self._workspace.channel(named["channel"])
            known: list[Message | Ephemeral] = [*channel.messages.values(), *state.ephemerals]
            for one in known:
                if (one.channel, one.ts) == (channel.id, named["ts"]):
                    return seen_message(self._hub, one)
        raise NotPossibleError("no such message")

    async def events(self, request: Request) -> Response:
        """Stream a small notice for every change."""
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Json]()

        def tell(notice: Json) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, notice)

        stop = self._hub.state.watch(tell)
        try:
            yield f"data: {json.dumps({'version': self._hub.state.version, 'kind': 'hello'})}\n\n"
            while not await request.is_disconnected():
                try:
                    notice = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                    yield f"data: {json.dumps(notice)}\n\n"
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            stop()


_FIRST = {
    "command": "typed",
    "say": "typed",
    "click": "what",
    "choose": "what",
    "search": "what",
    "fill": "fields",
    "submit": "fields",
    "shortcut": "callback_id",
    "delete": "message",
}


def _call(gesture: Unchecked, arguments: Json) -> Unchecked:
    first = _FIRST.get(gesture.__name__)
    if first in arguments:
        return gesture(arguments.pop(first), **arguments)
    return gesture(**arguments)


def _shown(result: Unchecked) -> Unchecked:
    if isinstance(result, Delivery):
        return {
            "id": result.id,
            "type": result.type,
            "outcome": result.outcome,
            "ack_seconds": result.ack_seconds,
            "answer": result.answer,
        }
    if isinstance(result, SeenMessage):
        return {"channel": result.channel, "ts": result.ts, "thread_ts": result.thread_ts}
    if isinstance(result, Execution):
        return {"id": result.id, "state": result.state}
    return result if isinstance(result, list | dict | str | bool | None) else None
