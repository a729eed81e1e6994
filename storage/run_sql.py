"""The statements of the runs' hot path, spoken straight to the driver, in one place.

Each reads or writes rows by an index; none grows with the log. What people read at leisure
goes through SQLAlchemy in `listing`, `search` and `figures`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.held_run import RUN_COLUMNS, HeldRun, read_held
from storage.request_rows import read_requests
from storage.transaction import Question, Transaction
from workflows.entry import Ref, RunId
from workflows.gate import ApprovalRequest, Decision, Verdict
from workflows.holders import line_of_lock
from workflows.store import Due, DueKind

JUST = timedelta(minutes=1)  # A claim that is older says nothing of what is looked at now.

Take: TypeAlias = Callable[[list[Any]], None]

_RUN_LIST = ", ".join(f"run.{name}" for name in RUN_COLUMNS)
# The release before had no line of its own for a lock by the name of places.
_BOTH_LINES = (
    "key = ? OR key = ? AND NOT EXISTS (SELECT 1 FROM run_place WHERE run_place.key = ?)"
    " AND EXISTS (SELECT 1 FROM run WHERE run.id = run_id AND run.lock_key = ?)"
)
_SELECT_RUN = f"SELECT run.id, {_RUN_LIST} FROM run"  # noqa: S608  our own column names
_SELECT_REQUESTS = (
    "SELECT r.id, r.run_id, r.step, r.binding, r.policy, r.stages, r.excluded, run.requester,"
    " r.needs_reason, r.raised_at, r.expires_at, r.outcome, r.settled_at, r.consumed_attempt,"
    " r.terms, r.batch, e.people, e.named, e.stages"
    " FROM approval_request r JOIN run ON run.id = r.run_id"
    " LEFT JOIN escalation e ON e.request_id = r.id"
)
_SELECT_DECISIONS = (
    "SELECT approver, stage, verdict, decided_at, stands_for"
    " FROM decision WHERE request_id = ? ORDER BY seq"
)


def run_question(run: str) -> Question:
    """Return what to ask for a run's row; `read_held` reads the answer."""
    return f"{_SELECT_RUN} WHERE run.id = ?", (run,)


def known_run_question(run: str) -> Question:
    """Return the same with one column more, which tells who asked for the run."""
    known = f"SELECT run.id, {_RUN_LIST}, s.external_id FROM run"  # noqa: S608  our own column names
    return f"{known} LEFT JOIN audit_subject s ON s.ref = run.requester WHERE run.id = ?", (run,)


def request_question(request: str) -> Question:
    """Return what to ask for a request; `read_requests` reads the answer."""
    return f"{_SELECT_REQUESTS} WHERE r.id = ? ORDER BY e.n", (request,)


class RunSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ("_along", "held_at")

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        self._along: list[tuple[Question, Take]] = []
        self.held_at: datetime | None = None  # Postgres' moment when a row was locked.

    def ask_along(self, question: Question, take: Take) -> None:
        """Have `take` given the answer to `question`, asked right after the next lock of a run.

        It sees what whoever held that run before us left, and costs no journey of its own.
        """
        self._along.append((question, take))

    def hold_run(self, run: str) -> HeldRun | None:
        """Return the run's row, locked until the transaction ends."""
        (found,) = self._hold("run.id = ?", run)
        return self._read(found[0]) if found else None

    def run_now(self, run: str) -> HeldRun | None:
        """Return the run's row without locking it."""
        (found,) = self.ask(run_question(run))
        return read_held(found[0]) if found else None

    def hold_run_of(self, request: str) -> tuple[HeldRun, ApprovalRequest, list[Decision]] | None:
        """Return the request, its decisions, and the row of its run, locked until the end.

        They are read after the lock, so they are what the one before us left.
        """
        its_run = "run.id = (SELECT run_id FROM approval_request WHERE id = ?)"
        run, asked, decided = self._hold(
            its_run, request, request_question(request), (_SELECT_DECISIONS, (request,))
        )
        if not run or not asked:
            return None
        (found,) = read_requests(asked)
        return self._read(run[0]), found, [_decision(one) for one in decided]

    def _hold(self, where: str, value: str, *more: Question) -> list[list[Any]]:
        """Lock a run's row, then ask `more` and what goes along, in the same journey."""
        along, self._along = self._along, []
        held, *found = self.ask((self._held(where), (value,)), *more, *(one for one, _ in along))
        for (_, take), rows in zip(along, found[len(more) :], strict=True):
            take(rows)
        return [held, *found[: len(more)]]

    def _held(self, where: str) -> str:
        """Return what locks a run's row; on Postgres it tells the moment after the wait too."""
        if self._is_sqlite:
            return f"{_SELECT_RUN} WHERE {where}"
        # Rows that point to the run may still be written by others, so its key is not locked.
        held = f"{_SELECT_RUN} WHERE {where} FOR NO KEY UPDATE OF run"
        return f"WITH held AS MATERIALIZED ({held}) SELECT *, clock_timestamp() FROM held"  # noqa: S608  fixed texts

    def _read(self, found: Sequence[Any]) -> HeldRun:
        if self._is_sqlite:
            return read_held(found)
        *row, moment = found
        self.held_at = read_moment(moment)
        return read_held(row)

    def hold_start(self, start_key: str) -> RunId | None:
        """Return the run of that start; two starts of one key wait for each other."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", start_key)
        found = self.run("SELECT id FROM run WHERE start_key = ?", start_key).fetchone()
        return None if found is None else RunId(found[0])

    def started_as(self, start_key: str) -> HeldRun | None:
        """Return the row of the run of that start without locking anything."""
        found = self.run(f"{_SELECT_RUN} WHERE run.start_key = ?", start_key).fetchone()
        return None if found is None else read_held(found)

    def request(self, request: str) -> ApprovalRequest | None:
        """Return a request as it is now."""
        (asked,) = self.ask(request_question(request))
        return next(iter(read_requests(asked)), None)

    def requests_of_batch(self, batch: str) -> list[ApprovalRequest]:
        """Return the requests that are put to people together, in the order they were raised."""
        where = "WHERE r.batch = ? ORDER BY r.raised_at, r.id, e.n"
        return read_requests(self.run(f"{_SELECT_REQUESTS} {where}", batch))

    def standing_request(self, run: str) -> ApprovalRequest | None:
        """Return the run's newest request that is open, or approved and not used."""
        newest = (
            "SELECT n.id FROM approval_request n WHERE n.run_id = ? AND n.consumed_attempt IS NULL"
            " AND n.outcome IN ('open', 'approved') ORDER BY n.raised_at DESC, n.id LIMIT 1"
        )
        found = self.run(f"{_SELECT_REQUESTS} WHERE r.id = ({newest}) ORDER BY e.n", run)
        return next(iter(read_requests(found)), None)

    def open_requests_of(self, external_id: str, limit: int) -> list[str]:
        """Return the ids of open requests in which a person was asked, the nearest end first."""
        asked = "? || s.ref || ?"
        found = self.run(
            "SELECT r.id FROM approval_request r JOIN audit_subject s ON s.external_id = ?"  # noqa: S608  fixed texts
            f" WHERE r.outcome = 'open' AND (r.stages LIKE {asked} OR EXISTS (SELECT 1"
            f" FROM escalation e WHERE e.request_id = r.id AND e.people LIKE {asked}))"
            " ORDER BY r.expires_at, r.id LIMIT ?",
            *(external_id, *('%"', '"%') * 2, limit),
        )
        return [str(one[0]) for one in found.fetchall()]

    def decisions(self, request: str) -> list[Decision]:
        """Return the decisions of a request in the order they were given."""
        return [_decision(one) for one in self.run(_SELECT_DECISIONS, request).fetchall()]

    def is_new_delivery(self, team: str, kind: str, key: str, *, at: datetime) -> bool:
        """Remember a delivery of Slack's; False if it was there already."""
        added = self.run(
            "INSERT INTO delivery (team, kind, key, seen_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            *(team, kind, key, at),
        )
        return bool(added.rowcount)

    def forget_deliveries(self, *, seen_before: datetime, limit: int) -> int:
        """Remove some of the oldest deliveries; return how many."""
        removed = self.run(
            "DELETE FROM delivery WHERE (team, kind, key) IN (SELECT team, kind, key"
            " FROM delivery WHERE seen_at < ? ORDER BY seen_at LIMIT ?)",
            *(seen_before, limit),
        )
        return int(removed.rowcount)

    def set_due(self, due: Due) -> None:
        """Store a due-row, in place of the one of that kind and key."""
        self.later(
            "INSERT INTO due (kind, key, run_id, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET run_id = excluded.run_id, at = excluded.at",
            *(due.kind, due.key, due.run, due.at),
        )

    def take_due(self, due: Due) -> bool:
        """Remove a due-row that still stands at that moment."""
        taken = self.run(
            "DELETE FROM due WHERE kind = ? AND key = ? AND at = ?", due.kind, due.key, due.at
        )
        return bool(taken.rowcount)

    def clear_due(self, run: str) -> None:
        """Remove the due-rows of a run; a review is due after its end too."""
        self.later("DELETE FROM due WHERE run_id = ? AND kind <> ?", run, DueKind.REVIEW)

    def due(self, *, until: datetime, limit: int) -> list[Due]:
        """Return due-rows up to that moment, oldest first."""
        found = self.run(
            "SELECT kind, key, run_id, at FROM due WHERE at <= ? ORDER BY at, kind, key LIMIT ?",
            *(until, limit),
        ).fetchall()
        return _read_due(found)

    def due_of(self, kind: str, *, after: datetime) -> list[Due]:
        """Return the due-rows of a kind whose moment lies after that, the earliest first."""
        found = self.run(
            "SELECT kind, key, run_id, at FROM due WHERE kind = ? AND at > ? ORDER BY at, key",
            *(kind, after),
        ).fetchall()
        return _read_due(found)

    def dues_of(self, key: str, kinds: Sequence[str]) -> list[Due]:
        """Return the due-rows of a key that are of these kinds."""
        of_them = f"kind IN ({', '.join('?' * len(kinds))}) AND key = ?"
        found = self.run(
            f"SELECT kind, key, run_id, at FROM due WHERE {of_them} ORDER BY at",  # noqa: S608  marks alone
            *(*kinds, key),
        )
        return _read_due(found.fetchall())

    def is_looked_at(self, run: str, *, now: datetime) -> bool:
        """Say whether a run is ready, was claimed within a minute, or is to be woken by now."""
        found = self.run(
            "SELECT 1 FROM run WHERE id = ? AND (ready_at IS NOT NULL OR claimed_at > ?)"
            " UNION ALL SELECT 1 FROM due WHERE run_id = ? AND kind = ? AND at <= ?",
            *(run, now - JUST, run, DueKind.WAKE, now),
        )
        return found.fetchone() is not None

    def next_due(self) -> datetime | None:
        """Return the earliest moment in the table."""
        return read_moment_or_none(self.run("SELECT min(at) FROM due").fetchone()[0])

    def standing(self, *, claimed_before: datetime, limit: int) -> list[RunId]:
        """Return runs that are ready, then those claimed before that moment."""
        ready = self.run(
            "SELECT id FROM run WHERE ready_at IS NOT NULL ORDER BY ready_at, id LIMIT ?", limit
        ).fetchall()
        claimed = self.run(
            "SELECT id FROM run WHERE claimed_at IS NOT NULL AND claimed_at < ?"
            " ORDER BY claimed_at, id LIMIT ?",
            *(claimed_before, limit),
        ).fetchall()
        return [RunId(run) for run in dict.fromkeys(one[0] for one in (*ready, *claimed))][:limit]

    def take_lock(self, key: str, run: str) -> RunId:
        """Take a named lock if it is free; return who holds it. Its row is locked."""
        # The update changes nothing, and makes the row ours until the end: a holder that gives
        # the lock back at this moment is waited for, and then seen to be gone.
        found = self.run(
            "INSERT INTO run_lock (key, run_id) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING run_id",
            *(key, run),
        ).fetchone()
        return RunId(found[0])

    def queue_for_lock(self, key: str, run: str) -> None:
        """Stand in line for a lock, once."""
        self.later(
            "INSERT INTO lock_queue (key, run_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            *(line_of_lock(key), run),
        )

    def leave_lock_queue(self, key: str, run: str) -> None:
        """Leave the line of a lock."""
        self.later(
            "DELETE FROM lock_queue WHERE key IN (?, ?) AND run_id = ?",
            *(line_of_lock(key), key, run),
        )

    def lock_holder(self, key: str) -> str | None:
        """Return who holds a lock; its row is locked."""
        tail = "" if self._is_sqlite else " FOR UPDATE"
        found = self.run(f"SELECT run_id FROM run_lock WHERE key = ?{tail}", key).fetchone()  # noqa: S608  two fixed texts
        return None if found is None else found[0]

    def lock_queue(self, key: str, *, most: int) -> list[str]:
        """Return who stands in the line of a lock, the first ones in order."""
        line = line_of_lock(key)
        where, names = ("key = ?", (line,)) if line == key else (_BOTH_LINES, (line, key, key, key))
        found = self.run(
            f"SELECT run_id FROM lock_queue WHERE {where} ORDER BY seq LIMIT ?",  # noqa: S608  fixed texts
            *(*names, most),
        )
        return [one[0] for one in found.fetchall()]

    def hand_lock(self, key: str, to: str | None) -> None:
        """Give a lock to another run, or to nobody."""
        if to is None:
            self.later("DELETE FROM run_lock WHERE key = ?", key)
        else:
            self.later("UPDATE run_lock SET run_id = ? WHERE key = ?", to, key)

    def person(self, ref: str) -> tuple[str, str | None] | None:
        """Return the external id and the name behind a pseudonym."""
        found = self.run(
            "SELECT external_id, display FROM audit_subject WHERE ref = ?", ref
        ).fetchone()
        return None if found is None else (found[0], found[1])


def _read_due(found: Sequence[Sequence[Any]]) -> list[Due]:
    return [
        Due(kind=DueKind(kind), key=key, run=RunId(run), at=read_moment(at))
        for kind, key, run, at in found
    ]


def _decision(found: Sequence[Any]) -> Decision:
    who, stage, said, at, stands_for = found
    return Decision(
        approver=Ref(who),
        stage=stage,
        verdict=Verdict(said),
        at=read_moment(at),
        stands_for=None if stands_for is None else Ref(stands_for),
    )
