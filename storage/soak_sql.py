"""Reads how the runs of one version went: their ends, their inputs, and what stopped them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.entries_sql import entry_of
from storage.shadow_runs import MARK
from storage.trouble_figures import IS_EXCEPTION, TROUBLES, target_in
from workflows.entry import Entry, Json, RunId
from workflows.soak import Failure, Level, RunSeen, Soak
from workflows.trouble import error_class_of, is_trouble

_LEVEL = "SELECT workflow, level, changed_at FROM version_level WHERE version = ?"
# The release before made versions active without a row of their level: they are on trial.
_UNTOLD = (
    "SELECT workflow, 'trial', activated_at FROM active_definition"
    " WHERE version = ? AND retired_at IS NULL"
)
_PUBLISHED = "SELECT published_at FROM definition_version WHERE version = ?"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_SET_BACK = timedelta(days=1)  # A clock, by so much at the most, since the version was published.
# A run that was moved says little of either version; the entry it began with says so.
_RUNS = (
    "SELECT r.id, r.outcome, r.finished_at FROM run r"
    " JOIN audit_entry e ON e.run_id = r.id AND e.rseq = 0"
    " WHERE r.workflow = ? AND r.version = ? AND r.started_at > ?"
    " AND e.line LIKE ? AND e.line NOT LIKE ?"
    " ORDER BY r.started_at DESC, r.id DESC LIMIT ?"
)
_INPUTS = (
    "SELECT e.run_id, p.body FROM audit_entry e"
    " JOIN audit_part p ON p.entry_seq = e.seq AND p.name = 'input'"
    " WHERE e.rseq = 0 AND e.run_id IN ({})"
)
_STOPPED = (
    "SELECT DISTINCT run_id FROM audit_entry WHERE run_id IN ({}) AND (kind IN ({})"
    " OR (kind = 'decision.made' AND line LIKE ?))"
)
_MOVED = "SELECT DISTINCT run_id FROM audit_entry WHERE run_id IN ({}) AND kind = 'run.moved'"
_TOLD = (
    "SELECT run_id, seq, idx, line FROM audit_entry WHERE run_id IN ({}) AND kind IN ({})"
    " ORDER BY run_id, rseq"
)


Ended: TypeAlias = Mapping[str, tuple[Failure, ...]]
NOTHING: Ended = MappingProxyType({})


class SoakSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def soak(self, version: str, *, most: int, ended: Ended = NOTHING) -> Soak | None:
        """Return the newest runs of a version, None where it never was active.

        Of runs that are among `ended` it is known what stopped them: their entries, of which
        there may be thousands, are not looked through again.
        """
        found = self.run(_LEVEL, version).fetchone() or self.run(_UNTOLD, version).fetchone()
        if found is None:
            return None
        workflow, level, since = found
        since_then, told = runs_since(self, version), f'%"version":"{version}"%'
        rows = self.run(_RUNS, workflow, version, since_then, told, MARK, most).fetchall()
        moved = moved_among(self, [str(one[0]) for one in rows if str(one[0]) not in ended])
        rows = [one for one in rows if str(one[0]) not in moved]
        runs = [str(one[0]) for one in rows]
        fresh = [one for one in runs if one not in ended]
        inputs, failures = self._inputs(runs), {**ended, **self._failures(fresh)}
        return Soak(
            workflow=str(workflow),
            version=version,
            level=Level(level),
            since=read_moment(since),
            runs=[
                RunSeen(
                    run=RunId(run),
                    outcome=outcome,
                    ended_at=read_moment_or_none(ended),
                    inputs=inputs.get(run),
                    failures=tuple(failures.get(run, ())),
                )
                for run, outcome, ended in rows
            ],
        )

    def _inputs(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, Json]]:
        if not runs:
            return {}
        found = self.run(_INPUTS.format(_marks(runs)), *runs).fetchall()
        return {str(run): json.loads(bytes(body)) for run, body in found}

    def _failures(self, runs: Sequence[str]) -> Mapping[str, Sequence[Failure]]:
        """Return what stopped each run, in order, with what the step last set out to change."""
        kinds = [one for one in TROUBLES if one != "decision.made"]
        words = _STOPPED.format(_marks(runs), _marks(kinds))
        found = self.run(words, *runs, *kinds, f"%{IS_EXCEPTION}%").fetchall() if runs else ()
        stopped, kinds = [str(one[0]) for one in found], [*TROUBLES, "action.intended"]
        if not stopped:
            return {}
        entries: dict[str, list[Entry]] = defaultdict(list)
        rows = self.run(_TOLD.format(_marks(stopped), _marks(kinds)), *stopped, *kinds).fetchall()
        for run, seq, idx, line in rows:
            entries[str(run)].append(entry_of(line, seq=seq, index=idx, held={}))
        return {run: list(stopped_in(told)) for run, told in entries.items()}


def runs_since(sql: RowSql, version: str) -> datetime:
    """Return a moment before which no run of a version began, however many of others did."""
    found = sql.run(_PUBLISHED, version).fetchone()
    return _EVER if found is None else read_moment(found[0]) - _SET_BACK


def moved_among(sql: RowSql, runs: Sequence[str]) -> frozenset[str]:
    """Return which runs went by another version for a while, and maybe came back."""
    found = sql.run(_MOVED.format(_marks(runs)), *runs).fetchall() if runs else ()
    return frozenset(str(one[0]) for one in found)


def stopped_in(entries: Sequence[Entry]) -> Iterator[Failure]:
    """Yield what stopped a run, from its troubles and its intents in order."""
    targets: dict[str, str] = {}
    for one in entries:
        step = str(one.data.get("step") or "")
        if one.kind == "action.intended":
            targets[step] = target_in(one.data)
        elif is_trouble(one):
            yield Failure(
                run=RunId(one.run or ""),
                cause=error_class_of(one),
                step=step,
                target=targets.get(step, ""),
                at=one.at,
            )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
