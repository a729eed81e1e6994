"""How a run is continued, as a port. `storage/dispatch/` fills it."""

from collections.abc import Callable
from typing import Protocol

from workflows.entry import RunId
from workflows.store import Unit

Handler = Callable[[RunId], None]


class Dispatcher(Protocol):
    """Continues runs: each soon, none by two segments at once, none forgotten."""

    def enqueue(self, unit: Unit, run: RunId) -> None:
        """Have the run looked at once `unit` is committed. The caller holds the run's lock."""

    def hint(self, run: RunId) -> None:
        """Have the run looked at soon; a lost hint costs time, never the run."""

    def serve(self, handler: Handler) -> None:
        """Continue runs until `stop`."""

    def stop(self) -> None:
        """Take no new run, and wait for those under way."""
