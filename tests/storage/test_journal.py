"""Appending: entries get their place, runs their chain, refused drafts leave nothing."""

from sqlalchemy import select

from storage.audit_models import AuditEntryRow, AuditTreeRow
from storage.database import Database
from storage.journal import Journal
from workflows.entry import INTERLOCK, Draft, RunId

STARTED = Draft(
    kind="run.started",
    actor=INTERLOCK,
    data={"workflow": "deploy", "version": "ab", "trigger": "cli"},
    run=RunId("r1"),
)
FINISHED = Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=RunId("r1"))


def test_entries_committed_together_get_consecutive_places(
    database: Database, journal: Journal
) -> None:
    with database.begin() as tx:
        first = journal.append(tx, STARTED)
        journal.append(tx, FINISHED, tail=first.tail)

    with database.read() as connection:
        rows = connection.execute(
            select(AuditEntryRow.idx, AuditEntryRow.kind).order_by(AuditEntryRow.seq)
        ).all()
        size = connection.execute(select(AuditTreeRow.size)).scalar()
    assert [tuple(row) for row in rows] == [
        (0, "log.init"),
        (1, "run.started"),
        (2, "run.finished"),
    ]
    assert size == 3
