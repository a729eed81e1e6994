"""Makes a large log quickly: copies of one run, appended through the real journal.

Each copy is what the engine wrote for the run it is copied from: the same entries with their
parts, signed and chained as a run of its own, its projections, due-rows and messages. Many
stand in one transaction, which is what makes it quick. The messages are then marked as
delivered, as if Slack had taken them long ago.
"""

import json
import secrets
from collections.abc import Sequence

from bench.progress import Progress
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import Draft, Entry, Part, RequestId, RunId
from workflows.moments import moment
from workflows.recorder import record
from workflows.store import Due, DueKind, NewRun

IN_ONE = 200  # Runs in one transaction.


class Copies:
    """Copies of one run of a store."""

    def __init__(self, store: SqlStore, run: RunId) -> None:
        self._store = store
        self._row, self._entries = store.history(run)

    @property
    def entries(self) -> int:
        """How many entries a copy adds to the log."""
        return len(self._entries)

    def make(self, count: int) -> list[RunId]:
        """Append that many copies; return their runs."""
        made: list[RunId] = []
        progress = Progress("copies", count)
        while len(made) < count:
            some = [RunId(secrets.token_hex(16)) for _ in range(min(IN_ONE, count - len(made)))]
            with self._store.begin() as unit:
                for run in some:
                    self._copy(unit, run)
            made.extend(some)
            progress.at(len(made))
        mark_delivered(self._store)
        return made

    def _copy(self, unit: SqlUnit, run: RunId) -> None:
        unit.add_run(
            NewRun(
                id=run,
                workflow=self._row.workflow,
                version=self._row.version,
                channel=self._row.channel,
            )
        )
        names = {self._row.id: run, **_fresh_requests(self._entries)}
        for entry in self._entries:
            draft = _renamed(entry, run, names)
            record(unit, draft)
            if entry.kind == "approval.requested" and not self._row.status.is_end:
                unit.set_due(_expiry(draft, run))


def mark_delivered(store: SqlStore) -> None:
    """Mark every message that waits as delivered, each at a place of its own."""
    with store.database.begin() as tx:
        tx.run(
            "UPDATE outbox SET state = 'delivered', done = wanted, place_channel = 'C0COPIES',"
            " place_ts = CAST(id AS TEXT) WHERE state = 'pending'"
        )


def _fresh_requests(entries: Sequence[Entry]) -> dict[str, str]:
    asked = (one for one in entries if one.kind == "approval.requested")
    return {str(one.data["request"]): secrets.token_hex(16) for one in asked}


def _renamed(entry: Entry, run: RunId, names: dict[str, str]) -> Draft:
    text = json.dumps(entry.data)
    for before, after in names.items():
        text = text.replace(before, after)
    parts = {
        name: Part(value=one.value, cls=one.cls, salt=one.salt)
        for name, one in entry.parts.items()
        if one.value is not None and one.salt is not None
    }
    return Draft(kind=entry.kind, actor=entry.actor, data=json.loads(text), parts=parts, run=run)


def _expiry(draft: Draft, run: RunId) -> Due:
    request = RequestId(str(draft.data["request"]))
    return Due(kind=DueKind.EXPIRE, key=request, run=run, at=moment(str(draft.data["expires"])))
