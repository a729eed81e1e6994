"""The thread that has the stories of ended runs told by a language model, one after the other.

Nobody waits for it: the summary that restates the entries stands until then, and after it where
no answer is to be had. What a process leaves undone is due again in another.
"""

import logging
import queue

from bot.model_stories import ModelStories
from bot.threaded import Threaded
from workflows.engine import Engine
from workflows.errors import InterlockError
from workflows.store import Due

STOP_SECONDS = 45.0  # Longer than a question may take.

log = logging.getLogger(__name__)


class Retelling(Threaded):
    """A part of each process that handles due-rows, where there is a model."""

    def __init__(
        self, engine: Engine, stories: ModelStories, orders: "queue.SimpleQueue[Due | None]"
    ) -> None:
        """`orders` are runs that were handed to this process; None ends it."""
        self._engine = engine
        self._stories = stories
        self._orders = orders
        super().__init__("retelling", stop_seconds=STOP_SECONDS)

    def stop(self) -> None:
        """Ask no more; a question that is under way is waited for."""
        self._orders.put(None)
        super().stop()

    def _work(self) -> None:
        while (due := self._orders.get()) is not None and not self._stopping.is_set():
            try:
                is_told = self._engine.retell(due, self._stories.tell)
                log.info(
                    "a story was handed to the model", extra={"run": due.run, "is_told": is_told}
                )
            except InterlockError:
                # It is due again in a while, and the summary that restates entries stands.
                log.warning("a story was not told anew", extra={"run": due.run}, exc_info=True)
            except Exception:
                # A defect with one story must not keep the others from being told.
                log.exception("a story was not told anew", extra={"run": due.run})
