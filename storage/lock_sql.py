"""Who holds locks and places: statements that lock no row."""

from collections.abc import Mapping, Sequence

from storage.change import RowSql
from workflows.entry import RunId
from workflows.holders import Going


class HolderSql(RowSql):
    """The statements, on one transaction: the `Holders` of `workflows.holders`."""

    __slots__ = ()

    def look_alone(self) -> None:
        if not self._is_sqlite:
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 5))", "circles")

    def of_lock(self, key: str) -> RunId | None:
        found = self.run("SELECT run_id FROM run_lock WHERE key = ?", key).fetchone()
        return None if found is None else RunId(found[0])

    def of_places(self, key: str) -> Mapping[RunId, int]:
        found = self.run("SELECT run_id, most FROM run_place WHERE key = ? ORDER BY run_id", key)
        return {RunId(run): int(most) for run, most in found.fetchall()}

    def has_place(self, run: RunId) -> bool:
        found = self.run("SELECT 1 FROM run_place WHERE run_id = ? LIMIT 1", run)
        return found.fetchone() is not None

    def is_in_line(self, key: str, run: RunId) -> bool:
        found = self.run("SELECT 1 FROM lock_queue WHERE key = ? AND run_id = ?", key, run)
        return found.fetchone() is not None

    def before(self, key: str, run: RunId) -> Sequence[RunId]:
        found = self.run(
            "SELECT q.run_id FROM lock_queue q JOIN run r ON r.id = q.run_id"
            " WHERE q.key = ? AND r.lock_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lock_queue o"
            " WHERE o.key = q.key AND o.run_id = ? AND o.seq <= q.seq) ORDER BY q.seq",
            *(key, run),
        )
        return [RunId(one[0]) for one in found.fetchall()]

    def going(self, run: RunId) -> Going | None:
        found = self.run(
            "SELECT workflow, lock_key FROM run WHERE id = ? AND finished_at IS NULL", run
        ).fetchone()
        return None if found is None else Going(workflow=found[0], lock=found[1])
