"""A small shop over HTTP: orders to read, refunds to make.

    GET /orders/{id}     POST /refunds {"order", "amount"}, with an Idempotency-Key
    GET /refunds/{key}   GET /health      PUT /faults/{fault}?times=1&seconds=0

`python -m sandbox.targets.shop --port 0 --data DIR` prints its address as JSON and serves.
Its data is for `shop_store`, its ways to fail for `shop_faults`.
"""

import argparse
import json
import socket
from collections.abc import AsyncIterator
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.targets.own_database import RefusedError
from sandbox.targets.serving import ThreadServer, server_of
from sandbox.targets.shop_faults import Fault, Faults
from sandbox.targets.shop_store import Moved, ShopStore

LONGEST_KEY = 512


class BrokenOffError(Exception):
    """The shop stops in the middle of something."""


class Shop:
    """The shop's answers, over its store and its faults."""

    def __init__(self, store: ShopStore, faults: Faults) -> None:
        self.store = store
        self.faults = faults
        self.app = Starlette(
            routes=[
                Route("/health", self.health),
                Route("/orders/{order}", self.order),
                Route("/refunds", self.pay_back, methods=["POST"]),
                Route("/refunds/{key:path}", self.refund),
                Route("/faults/{fault}", self.switch, methods=["PUT"]),
            ]
        )

    def health(self, _: Request) -> Response:
        """Answer that the shop is open."""
        return JSONResponse({"ok": True})

    def order(self, request: Request) -> Response:
        """Answer with one order."""
        return self._shown(self.store.order(request.path_params["order"]), "order")

    def refund(self, request: Request) -> Response:
        """Answer with the refund under one key: whether it happened."""
        return self._shown(self.store.refund(request.path_params["key"]), "refund")

    async def pay_back(self, request: Request) -> Response:
        """Refund once per key."""
        try:
            asked = await request.json()
        except (JSONDecodeError, UnicodeDecodeError):
            return _refusal(400, "The body is no JSON.")
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= LONGEST_KEY:
            return _refusal(400, "Send an Idempotency-Key.")
        if not _is_refund(asked):
            return _refusal(422, "Send order and amount; the amount is a whole number above 0.")
        return await run_in_threadpool(self._paid_back, key, asked["order"], asked["amount"])

    def switch(self, request: Request) -> Response:
        """Switch a fault on."""
        try:
            fault = Fault(request.path_params["fault"])
            times = int(request.query_params.get("times", "1"))
            seconds = float(request.query_params.get("seconds", "0"))
        except ValueError as wrong:
            return _refusal(422, str(wrong))
        self.faults.switch_on(fault, times=times, seconds=seconds)
        return JSONResponse({"fault": fault, "times": times})

    def _shown(self, found: dict[str, Any] | None, what: str) -> Response:
        self.faults.dawdle()
        if self.faults.strikes(Fault.ERROR):
            return _refusal(500, "Something is wrong here.")
        if self.faults.strikes(Fault.GARBAGE):
            return PlainTextResponse("<<<", media_type="application/json")
        return JSONResponse(found) if found else _refusal(404, f"There is no such {what}.")

    def _paid_back(self, key: str, order: str, amount: int) -> Response:
        if self.faults.strikes(Fault.BEFORE):
            return _refusal(500, "Something is wrong here.")
        try:
            made, is_new = self.store.pay_back(key, order, amount, meanwhile=self._maybe_break)
        except RefusedError as refused:
            return _refusal(refused.status, str(refused))
        except BrokenOffError:
            return _broken_off()
        self.faults.dawdle()
        if self.faults.strikes(Fault.AFTER):
            return _broken_off()
        if self.faults.strikes(Fault.AFTER_500):
            return _refusal(500, "Something went wrong.")
        if self.faults.strikes(Fault.GARBAGE):
            return PlainTextResponse("<<<", status_code=201, media_type="application/json")
        return JSONResponse(made, status_code=201 if is_new else 200)

    def _maybe_break(self) -> None:
        if self.faults.strikes(Fault.DURING):
            raise BrokenOffError


def _is_refund(asked: object) -> bool:
    if not isinstance(asked, dict) or set(asked) != {"order", "amount"}:
        return False
    amount = asked["amount"]
    is_whole = isinstance(amount, int) and not isinstance(amount, bool)
    return isinstance(asked["order"], str) and is_whole and amount > 0


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


def _broken_off() -> Response:
    """Return an answer that stops before it is whole, as when a server dies."""

    async def stop() -> AsyncIterator[bytes]:
        yield b'{"ref'
        raise BrokenOffError

    return StreamingResponse(
        stop(), media_type="application/json", headers={"content-length": "99"}
    )


class ShopServer(ThreadServer):
    """The shop in a thread of this process, until `stop` or the end of a `with`."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.store = ShopStore(folder)
        self.faults = Faults()
        super().__init__(Shop(self.store, self.faults).app, name="sandbox-shop", port=port)

    def effects(self, order: str | None = None) -> list[Moved]:
        """Return the money that really moved."""
        return self.store.effects(order)


def serve_in_thread(folder: Path, *, port: int = 0) -> ShopServer:
    """Return an open shop whose data lies in `folder`."""
    return ShopServer(folder, port=port).start()


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description="A small shop to try refunds on.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", chosen.port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    print(json.dumps({"url": url}), flush=True)  # noqa: T201  whoever started us reads it
    server_of(Shop(ShopStore(chosen.data), Faults()).app).run([listener])


if __name__ == "__main__":
    main()
