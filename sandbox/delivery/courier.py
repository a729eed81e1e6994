"""Carries deliveries to the app: the three-second rule, retries of events, ordered faults.

Which wire is used is the transport's matter (`sockets`, `signed`); what an answer does is
told by the delivery's own `after`. The courier lives on the server's event loop; every
other thread hands work to that loop.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sandbox.delivery.envelope import Delivery
from sandbox.faults import Faults
from sandbox.loose import Json, Unchecked
from sandbox.recorder import Recorder
from sandbox.state import State


class Transport(Protocol):
    """A wire to the app."""

    def send(self, delivery: Delivery) -> None:
        """Send it; call `courier.acked` or `courier.failed` when that is known."""


class Courier:
    """Sends deliveries and settles each of them exactly once."""

    def __init__(self, state: State, recorder: Recorder, faults: Faults) -> None:
        self._state = state
        self._recorder = recorder
        self._faults = faults
        self._waiting: dict[str, Delivery] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._late: dict[str, Delivery] = {}
        self._retries: set[asyncio.TimerHandle] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.transport: Transport | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop from now on."""
        self._loop = loop

    def detach(self) -> None:
        """Stop: whatever still waits has failed, and nothing is sent again."""
        self._loop = None
        for handle in [*self._timers.values(), *self._retries]:
            handle.cancel()
        for delivery in list(self._waiting.values()):
            self._settle(delivery, "dispatch_failed", failure="the sandbox stopped")

    def deliver(self, delivery: Delivery) -> Delivery:
        """Send it as soon as the loop gets to it, and return it at once."""
        self._recorder.add_delivery(delivery)
        self._waiting[delivery.id] = delivery
        self._on_loop(lambda: self._begin(delivery), otherwise=delivery)
        return delivery

    def acked(self, delivery_id: str, answer: Json | None, *, by: str) -> None:
        """Take the app's acknowledgement, from whatever connection it came."""
        self._on_loop(lambda: self._acked(delivery_id, answer, by))

    def failed(self, delivery_id: str, why: str, *, retry: bool = True) -> None:
        """Take the news that the app could not be reached or did not answer 200."""

        def settle() -> None:
            if delivery := self._waiting.get(delivery_id):
                self._fail(delivery, "dispatch_failed", why=why, retry=retry)

        self._on_loop(settle)

    def _on_loop(self, work: Callable[[], None], otherwise: Delivery | None = None) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(work)
        elif otherwise is not None:
            self._settle(otherwise, "dispatch_failed", failure="no server")

    def _begin(self, delivery: Delivery) -> None:
        delivery.begun = time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers[delivery.id] = loop.call_later(
            self._state.settings.ack_seconds, self._overdue, delivery
        )
        fault = self._faults.take(delivery.type, delivery.payload)
        if fault is None:
            self._send(delivery)
        elif fault.kind == "slow":
            loop.call_later(fault.seconds, self._send, delivery)
        elif fault.kind == "duplicate":
            self._send(delivery)
            self._send(delivery)

    def _send(self, delivery: Delivery) -> None:
        if self.transport is None:
            self._fail(delivery, "dispatch_failed", why="no request URL", retry=True)
        else:
            self.transport.send(delivery)

    def _overdue(self, delivery: Delivery) -> None:
        if not delivery.settled:
            self._late[delivery.id] = delivery
            self._fail(delivery, "operation_timeout", why="timeout", retry=True)

    def _acked(self, delivery_id: str, answer: Json | None, by: str) -> None:
        delivery = self._waiting.get(delivery_id)
        if delivery is None:
            self._came_late(delivery_id)
            return
        delivery.answer = answer
        if answer and not delivery.takes_answer:
            self._recorder.blame("nobody looks at what is answered to it", delivery.type)
        if delivery.connection != by:
            delivery.connection = f"{delivery.connection} acked by {by}"
        self._settle(delivery, "acked")

    def _came_late(self, delivery_id: str) -> None:
        delivery = self._late.pop(delivery_id, None)
        if delivery is not None:
            late = time.monotonic() - delivery.begun
            self._recorder.blame(f"acknowledged after {late:.1f} s", delivery.type)
            delivery.late_seconds = late  # Whoever waits for it finds the fault noted.
            self._state.changed("late", id=delivery.id)

    def _fail(self, delivery: Delivery, outcome: Unchecked, *, why: str, retry: bool) -> None:
        if delivery.settled:
            return
        self._settle(delivery, outcome, failure=why)
        delays = self._state.settings.retry_delays
        if delivery.kind == "events_api" and retry and delivery.attempt < len(delays):
            self._retry_later(delivery, delays[delivery.attempt], why)

    def _retry_later(self, delivery: Delivery, seconds: float, why: str) -> None:
        again = replace(
            delivery,
            attempt=delivery.attempt + 1,
            retry_reason="http_timeout" if why == "timeout" else "http_error",
            id=self._state.next_id("", 24).lower(),
            outcome="waiting",
            answer=None,
            failure=None,
            connection=None,
        )

        def send() -> None:
            self._retries.discard(handle)
            self.deliver(replace(again, at=self._state.now()))

        handle = asyncio.get_running_loop().call_later(seconds, send)
        self._retries.add(handle)

    def _settle(self, delivery: Delivery, outcome: Unchecked, failure: str | None = None) -> None:
        self._waiting.pop(delivery.id, None)
        if timer := self._timers.pop(delivery.id, None):
            timer.cancel()
        with self._state.lock:
            delivery.outcome, delivery.failure = outcome, failure
            delivery.ack_seconds = time.monotonic() - delivery.begun if delivery.begun else 0.0
            if delivery.after is not None:
                delivery.after(delivery)
        self._state.changed("delivery", id=delivery.id, outcome=outcome, user=delivery.user)
