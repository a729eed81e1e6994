"""Whether the files that SQLite has open still are those by the database's name.

SQLite goes on writing into a file that somebody took away, or put another one in the place of.
All that was committed there is gone once the process is.
"""

import os
import time
from pathlib import Path

from workflows.errors import UnusableDatabaseError

# A look takes 5 µs and makes the writes after it slower by 40, a tenth of a commit (measured), so
# of the commits of a burst not each one is looked at.
LOOK_SECONDS = 0.01


class HeldFile:
    """A database file, and the WAL beside it, as they were when they were first written to."""

    def __init__(self, path: Path) -> None:
        self._files = (str(path), f"{path}-wal")
        self._held: tuple[tuple[int, int] | None, ...] | None = None
        self._looked = float("-inf")

    def require(self) -> None:
        """Return if what is about to be committed will be found where it is looked for.

        Called first inside a transaction, when both files are there and open. What was looked at
        a hundredth of a second ago is believed.

        Raises:
            UnusableDatabaseError: it would be lost.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        found = self._found()
        if self._held is None and None not in found:
            self._held = found
        told = self._lost(found)
        if told is not None:
            raise UnusableDatabaseError(
                f"{told} Nothing was recorded.",
                hint="The bot ends by itself and wants to be started again;"
                " docs/operations says what to look at.",
            )
        self._looked = now

    def problem(self) -> str | None:
        """Return why nothing can be recorded any more, if so."""
        return self._lost(self._found())

    def _lost(self, found: tuple[tuple[int, int] | None, ...]) -> str | None:
        for name, held, stands in zip(self._files, self._held or found, found, strict=True):
            if held != stands:
                what = "was taken away" if stands is None else "was replaced"
                return f"{Path(name).name} {what} while the bot had it open."
        return None

    def _found(self) -> tuple[tuple[int, int] | None, ...]:
        return _stamp(self._files[0]), _stamp(self._files[1])


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  a Path would take ten times as long, for each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino
