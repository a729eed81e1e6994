"""A part of a process that works in a thread of its own until it is told to stop."""

import logging
import threading
from abc import ABC, abstractmethod

from bot.logs import attributed

AGAIN_SECONDS = 60.0  # A defect is no reason to be asked the same without end.

log = logging.getLogger(__name__)


class Threaded(ABC):
    """Has its `_work` done, which returns soon after `_stopping` was set.

    What it could not foresee is logged, and a minute later it begins again: nobody would
    notice a thread that is gone.
    """

    def __init__(self, name: str, *, stop_seconds: float) -> None:
        """`stop_seconds` is how long what is under way has to end."""
        self._stop_seconds = stop_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=attributed(self._work_on), name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing new; what is under way has the time to end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._stop_seconds)

    def _work_on(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work()
            except Exception:
                log.exception("a part stands still for a while", extra={"part": self._thread.name})
                self._stopping.wait(AGAIN_SECONDS)
            else:
                return

    @abstractmethod
    def _work(self) -> None: ...
