"""Wakes threads that wait for work. What the work is, is theirs to find."""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bell:
    """Loses no ring between two looks: note `rung`, look, then wait with what was noted."""

    rung: int = 0
    turn: threading.Condition = field(default_factory=threading.Condition)

    def ring(self, *, everybody: bool = False) -> None:
        """Wake one of those who wait, or all."""
        with self.turn:
            self.rung += 1
            if everybody:
                self.turn.notify_all()
            else:
                self.turn.notify()

    def wait(self, seen: int, timeout: float | None) -> None:
        """Sleep until the next ring, not at all if there was one since `seen`."""
        with self.turn:
            if self.rung == seen:
                self.turn.wait(timeout)
