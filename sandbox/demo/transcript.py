"""What the played demo prints: who did what, what was seen, and whether it was right."""

import sys
from typing import TextIO

from sandbox.demo.errors import DemoError


class Transcript:
    """Prints the journey as it happens and counts what was checked."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.checked = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._print(f"\n== {title}")

    def tell(self, who: str, what: str) -> None:
        """Say what somebody did or saw."""
        for number, line in enumerate(what.strip().splitlines()):
            self._print(f"  {who if number == 0 else '':>10}  {line}")

    def check(self, what: str, is_right: bool, *, seen: object = "") -> None:  # noqa: FBT001 - reads as a sentence.
        """Say that something was looked at and is right.

        Raises:
            DemoError: it is not.
        """
        if not is_right:
            raise DemoError(f"Not so: {what}. Seen instead: {seen}")
        self.checked += 1
        self._print(f"  {'checked':>10}  {what}")

    def _print(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()
