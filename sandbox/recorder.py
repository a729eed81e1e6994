"""Keeps every call the app made and every delivery it got, for tests and for the page.

`faults` lists what a strict Slack would only grumble about: arguments it does not know, a
late acknowledgement, errors for a block that the view does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.delivery.envelope import Delivery
from sandbox.loose import Json


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a Web API method or of a response URL."""

    at: float
    method: str
    arguments: Json
    status: int = 0
    answer: Json = field(default_factory=dict)
    fault: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the method did what was asked."""
        return bool(self.answer.get("ok"))


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something the app did that Slack's documentation forbids but Slack lets pass."""

    at: float
    what: str
    where: str


class Recorder:
    """Every call and delivery since the start, oldest first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: list[Call] = []
        self._deliveries: list[Delivery] = []
        self.faults: list[Fault] = []

    def calls(self, method: str | None = None, *, ok: bool | None = None) -> list[Call]:
        """Return the calls of a method, of all methods without a name."""
        return [
            one
            for one in list(self._calls)
            if method in {None, one.method} and ok in {None, one.ok}
        ]

    def deliveries(self, kind: str | None = None) -> list[Delivery]:
        """Return the deliveries of a kind: an envelope type or a payload type."""
        return [one for one in list(self._deliveries) if kind in {None, one.kind, one.type}]

    def add_call(self, method: str, arguments: Json) -> Call:
        """Keep a call that has just begun."""
        call = Call(at=self._clock(), method=method, arguments=arguments)
        self._calls.append(call)
        return call

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery that is about to be sent."""
        self._deliveries.append(delivery)

    def blame(self, what: str, where: str) -> None:
        """Keep a fault of the app."""
        self.faults.append(Fault(at=self._clock(), what=what, where=where))

    def clear(self) -> None:
        """Forget everything so far."""
        self._calls.clear()
        self._deliveries.clear()
        self.faults.clear()
