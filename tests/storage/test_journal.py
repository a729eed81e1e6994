"""Appending: entries get their place, runs their chain, refused drafts leave nothing."""

import pytest
from sqlalchemy import select

from storage import trail_sql
from storage.admission import built_here
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
NOTE = Draft(kind="hold.lifted", actor=INTERLOCK, data={"hold": "h", "reason": "x"})
UNPLACED = "INSERT INTO audit_entry (line, leaf) VALUES (?, ?)"
FINISHED = Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=RunId("r1"))


def places(database: Database) -> list[tuple[int, str]]:
    """Return each entry's place and kind in the order they came; the tree holds all of them."""
    with database.read() as connection:
        rows = connection.execute(
            select(AuditEntryRow.idx, AuditEntryRow.kind).order_by(AuditEntryRow.seq)
        ).all()
        size = connection.execute(select(AuditTreeRow.size)).scalar()
    assert size == len(rows)
    return [(row.idx, row.kind) for row in rows]


def test_entries_committed_together_get_consecutive_places(
    database: Database, journal: Journal
) -> None:
    with database.begin() as tx:
        first = journal.append(tx, STARTED)
        journal.append(tx, FINISHED, tail=first.tail)

    assert places(database) == [(0, "log.init"), (1, "run.started"), (2, "run.finished")]


def test_our_own_entries_are_placed_as_if_they_were_read_again(
    database: Database, journal: Journal
) -> None:
    with database.begin() as tx:
        tail = journal.append(tx, STARTED).tail
        journal.place_pending(tx)  # Amid the unit, which goes on to append.
        journal.append(tx, FINISHED, tail=tail)
        journal.append(tx, NOTE)
        sql = trail_sql.TrailSql(tx)
        read = sql.standing(lock=None)
        ours = sql.standing(lock=None, built=built_here(tx)[1:])
        too_many = sql.standing(lock=None, built=built_here(tx))

    assert read is not None
    assert ours is not None
    assert (ours.tree, ours.head) == (read.tree, read.head)
    assert [one.leaf for one in ours.pending] == [one.leaf for one in read.pending]
    assert too_many == read  # What is placed already is not placed again.
    assert [idx for idx, _ in places(database)] == [0, 1, 2, 3]


def test_what_is_taken_back_leaves_no_gap(database: Database, journal: Journal) -> None:
    def fail() -> None:
        with database.begin() as tx:
            journal.append(tx, STARTED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.begin() as tx:
        journal.append(tx, STARTED)

    assert places(database) == [(0, "log.init"), (1, "run.started")]


def test_entries_that_came_without_a_place_are_placed_before_new_ones(
    database: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere, database.begin() as tx:
        elsewhere.setattr(trail_sql, "_ENTRY_IN_PLACE", UNPLACED)
        started = journal.append(tx, STARTED)
        tx.ends.clear()  # As on a server, before anybody placed what others committed.
    with database.begin() as tx:
        journal.append(tx, FINISHED, tail=started.tail)

    assert places(database) == [(0, "log.init"), (1, "run.started"), (2, "run.finished")]
