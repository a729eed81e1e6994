"""The rows of the runs that one unit touches: read once, written back before its commit.

The moment of the unit is kept here too, since it is read together with the first row.
"""

from collections.abc import Callable
from datetime import datetime

from storage.change import CLOCK, Clock, Insert, Update, read_moment
from storage.held_run import HeldRun
from storage.home_sql import HomeSql
from storage.run_sql import RunSql
from storage.transaction import Cursor, Transaction
from workflows.entry import Entry, RunId
from workflows.errors import UnknownRunError
from workflows.store import NewRun


class HeldRuns:
    """The runs of one unit, each locked from its first look to the commit."""

    def __init__(
        self,
        tx: Transaction,
        sql: RunSql,
        homes: HomeSql,
        *,
        clock: Clock | None,
        on_moved: Callable[[RunId], None],
    ) -> None:
        self._tx = tx
        self._sql = sql
        self._homes = homes
        self._clock = clock
        self._on_moved = on_moved
        self._runs: dict[str, HeldRun] = {}
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """Return the moment of the unit, the same throughout."""
        if self._now is None:
            held_at = self._sql.held_at if self._clock is None else None
            self._now = held_at or self._sql.moment(self._clock)
        return self._now

    def add(self, run: NewRun) -> None:
        """Announce a run; its row is written once its first entry is recorded."""
        work = {
            "channel": run.channel,
            "start_key": run.start_key,
            "lock_key": run.lock_key,
            "epoch": 0,
            "ready_at": None,
            "claimed_at": None,
            "claimed_by": None,
            "segments_died": 0,
        }
        self._runs[run.id] = HeldRun(run.id, None, work, None)
        if self._clock is None and self._now is None:  # No row is locked that would tell it.
            self._sql.later(CLOCK, tell=self._note_moment)

    def _note_moment(self, found: Cursor) -> None:
        self._now = self._now or read_moment(found.fetchone()[0])

    def run(self, run: RunId) -> HeldRun:
        """Return a run, locked by now.

        Raises:
            UnknownRunError: there is none of that name.
        """
        held = self._runs.get(run) or self._sql.hold_run(run)
        if held is None:
            raise UnknownRunError(f"There is no run {run}.")
        return self.kept(held)

    def kept(self, found: HeldRun) -> HeldRun:
        """Return the run as this unit holds it, which is `found` if it held none so far."""
        return self._runs.setdefault(found.id, found)

    def workflow_of(self, entry: Entry) -> str:
        """Return the workflow that an entry is about."""
        held = self._runs.get(entry.run or "")
        facts = held.facts if held is not None else None
        return facts.workflow if facts is not None else str(entry.data.get("workflow") or "")

    def write_new(self) -> None:
        """Write rows that others are about to point to."""
        for held in self._runs.values():
            if held.stored is None:
                self._write(held)

    def write(self) -> None:
        """Write each row that is not as it should stand."""
        for held in self._runs.values():
            self._write(held)

    def _write(self, held: HeldRun) -> None:
        if held.facts is None:
            return  # Announced, and its first entry not recorded yet.
        wanted = held.columns()
        if held.stored is None:
            self._sql.apply(Insert("run", {"id": held.id, **wanted}))
        elif news := {name: one for name, one in wanted.items() if held.stored[name] != one}:
            self._sql.apply(Update("run", {"id": held.id}, news))
            self._tx.after_commit(lambda: self._on_moved(held.id))
        if held.stored is None or held.stored["status"] != wanted["status"]:
            self._homes.news_for([wanted["requester"]], now=self.now)
        held.stored = wanted
