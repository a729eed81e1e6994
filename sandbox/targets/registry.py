"""A registry over HTTP of what operations change: credentials, access, hosts, customers, money.

    GET /{kind}     GET /{kind}/{name}     GET /effects/{key}     GET /health
    PUT /{kind}/{name}?version=N {fields}  DELETE /{kind}/{name}?version=N

Changes need an Idempotency-Key, and the version that whoever asks has seen. Its data is for
`registry_store`.
"""

from collections.abc import Callable
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.targets.own_database import RefusedError
from sandbox.targets.registry_store import Change, RegistryStore
from sandbox.targets.serving import ThreadServer

LONGEST_KEY = 512


class Registry:
    """The registry's answers, over its store."""

    def __init__(self, store: RegistryStore) -> None:
        self._store = store
        self.app = Starlette(
            routes=[
                Route("/health", self.health),
                Route("/effects/{key:path}", self.effect),
                Route("/{kind}", self.things),
                Route("/{kind}/{name}", self.thing),
                Route("/{kind}/{name}", self.put, methods=["PUT"]),
                Route("/{kind}/{name}", self.remove, methods=["DELETE"]),
            ]
        )

    def health(self, _: Request) -> Response:
        """Answer that the registry is there."""
        return JSONResponse({"ok": True})

    def effect(self, request: Request) -> Response:
        """Answer with what a change under one key gave: whether it happened."""
        return _shown(self._store.answered(request.path_params["key"]))

    def things(self, request: Request) -> Response:
        """Answer with all things of a kind."""
        return JSONResponse({"items": self._store.things(request.path_params["kind"])})

    def thing(self, request: Request) -> Response:
        """Answer with one thing."""
        return _shown(self._store.thing(request.path_params["kind"], request.path_params["name"]))

    async def put(self, request: Request) -> Response:
        """Change some fields of a thing, once per key."""
        try:
            fields = await request.json()
        except (JSONDecodeError, UnicodeDecodeError):
            return _refusal(400, "The body is no JSON.")
        if not isinstance(fields, dict):
            return _refusal(422, "Send the fields to change.")
        return await self._changed(
            request, lambda *which, **how: self._store.put(*which, **how, fields=fields)
        )

    async def remove(self, request: Request) -> Response:
        """Remove a thing, once per key."""
        return await self._changed(request, self._store.remove)

    async def _changed(self, request: Request, change: Callable[..., dict[str, Any]]) -> Response:
        key = request.headers.get("idempotency-key", "")
        version = request.query_params.get("version", "")
        if not 0 < len(key) <= LONGEST_KEY:
            return _refusal(400, "Send an Idempotency-Key.")
        if not version.isdigit():
            return _refusal(400, "Send the version that you have seen.")
        kind, name = request.path_params["kind"], request.path_params["name"]
        try:
            made = await run_in_threadpool(change, key, kind, name, version=int(version))
        except RefusedError as refused:
            return _refusal(refused.status, str(refused))
        return JSONResponse(made)


def _shown(found: dict[str, Any] | None) -> Response:
    return JSONResponse(found) if found is not None else _refusal(404, "There is no such thing.")


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


class RegistryServer(ThreadServer):
    """The registry in a thread of this process, until `stop` or the end of a `with`."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.store = RegistryStore(folder)
        super().__init__(Registry(self.store).app, name="sandbox-registry", port=port)

    def effects(self) -> list[Change]:
        """Return everything that was really changed."""
        return self.store.effects()
