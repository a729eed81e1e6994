"""Reads how runs in shadow of one version ended, and what people said they did by hand."""

from collections import defaultdict

from storage.change import RowSql, read_moment
from storage.entries_sql import entry_of
from storage.shadow_runs import MARK
from storage.soak_sql import moved_among, runs_since
from workflows.entry import Entry, RunId
from workflows.run import UNTOLD
from workflows.shadow_question import Did
from workflows.soak import ShadowSeen

_RUNS = (
    "SELECT r.id, r.finished_at FROM run r"
    " JOIN audit_entry e ON e.run_id = r.id AND e.rseq = 0"
    " WHERE r.workflow = ? AND r.version = ? AND r.finished_at IS NOT NULL"
    " AND r.started_at > ?"
    " AND e.line LIKE ? AND e.line LIKE ?"
    " ORDER BY r.finished_at DESC, r.id DESC LIMIT ?"
)
_SAID = (
    "SELECT run_id, seq, idx, line FROM audit_entry WHERE run_id IN ({})"
    " AND kind IN ('question.answered', 'decision.made') ORDER BY run_id, rseq"
)


class ShadowSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def ended(self, workflow: str, version: str, *, most: int) -> list[ShadowSeen]:
        """Return the runs in shadow that ended and went by one version only, the newest first."""
        since, told_by = runs_since(self, version), f'%"version":"{version}"%'
        rows = self.run(_RUNS, workflow, version, since, told_by, MARK, most).fetchall()
        moved = moved_among(self, [str(one[0]) for one in rows])
        rows = [one for one in rows if str(one[0]) not in moved]
        if not rows:
            return []
        told: dict[str, list[Entry]] = defaultdict(list)
        marks = ", ".join("?" * len(rows))
        for run, seq, idx, line in self.run(_SAID.format(marks), *(one[0] for one in rows)):
            told[str(run)].append(entry_of(line, seq=seq, index=idx, held={}))
        return [_seen(str(run), ended, told[str(run)]) for run, ended in rows]


def _seen(run: str, ended: object, entries: list[Entry]) -> ShadowSeen:
    said: dict[str, list[str]] = defaultdict(list)
    for one in entries:
        is_untold = one.kind == "decision.made" and one.data["rule"] == UNTOLD
        how = UNTOLD if is_untold else one.data.get("shadow")
        said[str(how)].append(str(one.data["step"]))
    return ShadowSeen(
        run=RunId(run),
        at=read_moment(ended),
        same=tuple(said[Did.SAME]),
        differs=tuple(said[Did.DIFFERS]),
        untold=tuple(said[UNTOLD]),
    )
