"""Whether a process can do its work now: for whoever sends people or programs to it.

Alive (`/healthz`) is whoever answers; ready (`/readyz`) is whoever reaches the database and
Slack, and has compared its log with what Slack remembers of it.
"""

from collections.abc import Callable, Mapping

from storage.transaction import Database
from workflows.errors import StorageError

Problem = Callable[[], str | None]


class Readiness:
    """The parts that have to be ready, each with what is wrong with it, if anything is."""

    def __init__(self, database: Database, *, head: Problem = lambda: None) -> None:
        """`head` says why effects have to wait, if they do."""
        self._database = database
        self._parts: dict[str, Problem] = {"database": self._unreached, "head": head}

    def watch(self, part: str, problem: Problem) -> None:
        """Have one more part be ready before the whole is."""
        self._parts[part] = problem

    def look(self) -> Mapping[str, str | None]:
        """Return each part with what is wrong with it now; None where nothing is."""
        return {name: problem() for name, problem in self._parts.items()}

    def _unreached(self) -> str | None:
        try:
            with self._database.glance() as tx:
                tx.run("SELECT 1").fetchall()
        except StorageError as error:
            return error.message
        return None
