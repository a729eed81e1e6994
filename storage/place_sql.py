"""The statements of places: how many runs may go on at once, and who is next in line.

A place is one of as many as a workflow, or the whole house, allows. Whoever waits for one
stands in the same queue as for a lock, under the name of the places.
"""

from storage.change import RowSql
from storage.transaction import Question
from workflows.entry import RunId


def wants_question(run: str) -> Question:
    """Return what to ask for the places that a run holds, and for the queues it stands in.

    Of a locked run that has neither, both stay so: others give places to those in a queue alone.
    """
    held = "SELECT key FROM run_place WHERE run_id = ?"
    return f"{held} UNION ALL SELECT key FROM lock_queue WHERE run_id = ?", (run, run)  # noqa: S608  fixed texts


class PlaceSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def take(self, key: str, run: str, *, most: int) -> RunId:
        """Take a place if one is free and nobody stands before; return who holds one."""
        self._hold(key)
        if self._is_held(key, run):
            return RunId(run)
        first = self._first(key)
        if self._count(key) < most and first in (None, run):
            self._give(key, run, most)
            return RunId(run)
        self.run(
            "INSERT INTO lock_queue (key, run_id) VALUES (?, ?) ON CONFLICT DO NOTHING", key, run
        )
        found = self.run(
            "SELECT run_id FROM run_place WHERE key = ? ORDER BY run_id LIMIT 1", key
        ).fetchone()
        return RunId(found[0] if found is not None else first or run)

    def give_back(self, run: str) -> list[RunId]:
        """Give every place of a run back; return the runs that have them now."""
        self.later("DELETE FROM lock_queue WHERE run_id = ?", run)
        held = self.run(
            "SELECT key, most FROM run_place WHERE run_id = ? ORDER BY key", run
        ).fetchall()
        return [heir for key, most in held for heir in self._hand_on(key, run, most)]

    def _hand_on(self, key: str, run: str, most: int) -> list[RunId]:
        self._hold(key)
        self.run("DELETE FROM run_place WHERE key = ? AND run_id = ?", key, run)
        heirs: list[RunId] = []
        free = most - self._count(key)
        while len(heirs) < free and (heir := self._first(key)) is not None:
            self._give(key, heir, most)
            heirs.append(RunId(heir))
        return heirs

    def _hold(self, key: str) -> None:
        """Keep other transactions from counting these places until this one ends."""
        if not self._is_sqlite:
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 2))", key)

    def _is_held(self, key: str, run: str) -> bool:
        found = self.run("SELECT 1 FROM run_place WHERE key = ? AND run_id = ?", key, run)
        return found.fetchone() is not None

    def _count(self, key: str) -> int:
        return int(self.run("SELECT count(*) FROM run_place WHERE key = ?", key).fetchone()[0])

    def _first(self, key: str) -> str | None:
        found = self.run(
            "SELECT run_id FROM lock_queue WHERE key = ? ORDER BY seq LIMIT 1", key
        ).fetchone()
        return None if found is None else str(found[0])

    def _give(self, key: str, run: str, most: int) -> None:
        self.run("INSERT INTO run_place (key, run_id, most) VALUES (?, ?, ?)", key, run, most)
        self.run("DELETE FROM lock_queue WHERE key = ? AND run_id = ?", key, run)
