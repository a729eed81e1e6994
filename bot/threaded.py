"""A part of a process that works in a thread of its own until it is told to stop."""

import threading
from abc import ABC, abstractmethod


class Threaded(ABC):
    """Starts its `_work` once; `_work` returns soon after `_stopping` was set."""

    def __init__(self, name: str, *, stop_seconds: float) -> None:
        """`stop_seconds` is how long what is under way has to end."""
        self._stop_seconds = stop_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing new; what is under way has the time to end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._stop_seconds)

    @abstractmethod
    def _work(self) -> None: ...
