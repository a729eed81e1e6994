"""When a request came in, so that a start that Slack has given up on is not begun.

Slack shows the person an error after three seconds. A command that waited in a queue for
longer would then run although its author was told it did not, and typed it again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol

from slack_bolt import BoltRequest, BoltResponse

from bot.hurry import asking_at_most
from storage.patience import in_a_hurry
from workflows.errors import InterlockError

ARRIVED = "arrived_at"  # The name in Bolt's context, on both ways of receiving.
PATIENCE = 2.5
MOST_STAMPS = 10_000

# Waiting for others' commits and for Slack's answers stay below three seconds together.
LOCK_MILLISECONDS = 1_250
ASKING_SECONDS = 1.25

Clock = Callable[[], float]


class Takes(Protocol):
    """What takes up requests of Slack: Bolt's app, or whoever knows which of many it is for."""

    def dispatch(self, request: BoltRequest, /) -> BoltResponse:
        """Return the answer to a request."""


class Timed:
    """Takes up requests for another, and tells how long each took from the wire to its answer."""

    def __init__(
        self, app: Takes, tell: Callable[[float], None], *, clock: Clock = time.monotonic
    ) -> None:
        self._app, self._tell, self._clock = app, tell, clock

    def dispatch(self, request: BoltRequest, /) -> BoltResponse:
        """Return the answer of the other."""
        arrived = request.context.get(ARRIVED, self._clock())
        try:
            return self._app.dispatch(request)
        finally:
            self._tell(self._clock() - arrived)


class TooLateError(InterlockError):
    """Slack has already told the person that this failed."""


class Stamps:
    """Remembers when each envelope came off the wire, until its listener asks."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._arrived: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def stamp(self, envelope: str) -> None:
        """Remember that the envelope came now."""
        with self._lock:
            self._arrived[envelope] = self._clock()
            if len(self._arrived) > MOST_STAMPS:
                self._arrived.popitem(last=False)

    def take(self, envelope: str) -> float:
        """Return when the envelope came; one without a stamp has only just come."""
        with self._lock:
            return self._arrived.pop(envelope, self._clock())


def take_up(app: Takes, request: BoltRequest) -> BoltResponse:
    """Have `app` answer a request, and let neither commits nor Slack keep the person waiting.

    However many commits an answer takes, all of them wait no longer than Slack does.
    """
    until = request.context.get(ARRIVED, time.monotonic()) + PATIENCE
    with in_a_hurry(LOCK_MILLISECONDS, until=until), asking_at_most(ASKING_SECONDS):
        return app.dispatch(request)


def refuse_late(context: Mapping[str, Any], *, clock: Clock = time.monotonic) -> None:
    """Return if the person is still waiting for an answer.

    Raises:
        TooLateError: Slack has shown an error by now.
    """
    arrived = context.get(ARRIVED)
    if arrived is not None and clock() - arrived > PATIENCE:
        raise TooLateError(
            "This waited too long and Slack gave up on it, so nothing was started.",
            hint="Type it again.",
        )
