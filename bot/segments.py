"""The threads that continue runs and place entries, as parts of a serving process."""

import logging
import threading

from bot.core import Core
from bot.logs import about_run, about_workspace, attributed
from bot.threaded import Threaded
from storage.sequencing import sequence_pending
from workflows.entry import RunId
from workflows.errors import StorageError

SEQUENCE_SECONDS = 1.0
STOP_SECONDS = 35.0  # The dispatcher itself waits thirty for segments under way.

log = logging.getLogger(__name__)


class Segments:
    """Continues runs until it is stopped."""

    def __init__(self, core: Core) -> None:
        self._dispatcher = core.dispatcher
        self._engine = core.engine
        self._thread = threading.Thread(
            target=attributed(core.dispatcher.serve), args=(self._advance,), name="dispatcher"
        )
        self._workspace = core.settings.workspace

    def start(self) -> None:
        """Begin with what stands from before."""
        self._thread.start()

    def stop(self) -> None:
        """Take no new run, and wait for the segments under way."""
        self._dispatcher.stop()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def problem(self) -> str | None:
        """Return what is wrong if nothing continues runs any more."""
        return None if self._thread.is_alive() else "The dispatcher has ended."

    def _advance(self, run: RunId) -> None:
        # The threads that the dispatcher starts know nothing of it.
        with about_workspace(self._workspace), about_run(run):
            self._engine.advance(run)


class Sequencing(Threaded):
    """Places entries that a commit on Postgres left pending, a second later at most."""

    def __init__(self, core: Core) -> None:
        self._core = core
        super().__init__("sequencing", stop_seconds=STOP_SECONDS)

    def _work(self) -> None:
        memory = self._core.memory
        while not self._stopping.wait(SEQUENCE_SECONDS):
            try:
                sequence_pending(memory.database, memory.journal.sequencer)
            except StorageError:
                log.warning("entries stay pending for now", exc_info=True)
