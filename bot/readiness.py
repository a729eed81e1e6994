"""Whether a process can do its work now: for whoever sends people or programs to it.

Alive (`/healthz`) is whoever answers; ready (`/readyz`) is whoever reaches the database and
Slack, has compared its log with what Slack remembers of it, and was not told to end. A full disk
is read from and written to no more, so it is looked at as well.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from storage.transaction import Database
from workflows.errors import StorageError

Problem = Callable[[], str | None]
FULL = 2**20  # Bytes. With fewer than these the next commit may not fit.


def free_bytes(database: Database) -> int | None:
    """Return how much room a file has on its disk, None for a server, which sees to its own."""
    if database.dialect != "sqlite":
        return None
    disk = os.statvfs(Path(str(database.engine.url.database)).absolute().parent)
    return disk.f_bavail * disk.f_frsize


class Readiness:
    """The parts that have to be ready, each with what is wrong with it, if anything is."""

    def __init__(
        self,
        database: Database,
        *,
        head: Problem = lambda: None,
        free: Callable[[Database], int | None] = free_bytes,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`head` says why effects have to wait, if they do."""
        self._database, self._free = database, free
        self._is_stopping = is_stopping
        self._parts: dict[str, Problem] = {"database": self._unusable, "head": head}

    def watch(self, part: str, problem: Problem) -> None:
        """Have one more part be ready before the whole is."""
        self._parts[part] = problem

    def look(self) -> Mapping[str, str | None]:
        """Return each part with what is wrong with it now; None where nothing is.

        The process is among them only once it was told to end.
        """
        ending = {"process": "It is about to stop."} if self._is_stopping() else {}
        return {name: problem() for name, problem in self._parts.items()} | ending

    def room(self) -> int | None:
        """Return how many bytes are free where the database lies, None if only its server knows."""
        return self._free(self._database)

    def _unusable(self) -> str | None:
        try:
            with self._database.glance() as tx:
                tx.run("SELECT 1").fetchall()
        except StorageError as error:
            return error.message
        room = self.room()
        return "The disk is full." if room is not None and room < FULL else None
