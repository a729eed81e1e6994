"""Removes what was copied from payloads: rows for the search, texts of messages, thread words.

Nothing of it decides anything: a summary is read from its row, a message was delivered, words
of a thread serve the summary of their run, and the lock of a run that ended is not held.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    exists,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from storage.audit_models import AuditEntryRow, LineMember
from storage.limit_models import BudgetKeyRecord, BudgetUseRecord
from storage.message_models import OutboxRecord, SummaryRecord, ThreadMessageRecord
from storage.outbox_values import OutboxState
from storage.retention.held import holds_in, message_is_held
from storage.run_models import RunRecord

AT_ONCE = 500  # A statement takes only so many values.


def forget_copies(connection: Connection, summaries: Sequence[int]) -> None:
    """Delete the search rows of summaries that are gone, by the numbers of their entries."""
    row = SummaryRecord
    for start in range(0, len(summaries), AT_ONCE):
        some = AuditEntryRow.seq.in_(summaries[start : start + AT_ONCE])
        runs = select(LineMember("data", "by_run")).select_from(AuditEntryRow).where(some)
        entries = select(AuditEntryRow.uid).where(some)
        connection.execute(delete(row).where(row.run_id.in_(runs), row.entry_id.in_(entries)))


def forget_copies_of(connection: Connection, runs: Sequence[str]) -> None:
    """Remove the summaries of these runs, the texts told of them, and locks that they had."""
    for start in range(0, len(runs), AT_ONCE):
        some = runs[start : start + AT_ONCE]
        connection.execute(delete(SummaryRecord).where(SummaryRecord.run_id.in_(some)))
        _blank(connection, OutboxRecord.run_id.in_(some))
        forget_locks(connection, some)


def forget_words_of(connection: Connection, ref: str) -> bool:
    """Remove what a person wrote in threads and no hold keeps; say whether nothing is left."""
    theirs = ThreadMessageRecord.author == ref
    kept = message_is_held(holds_in(connection))
    goes = (
        select(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
        .join(RunRecord, RunRecord.id == ThreadMessageRecord.run_id)
        .where(theirs, not_(kept))
    )
    key = tuple_(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
    connection.execute(delete(ThreadMessageRecord).where(key.in_(goes)))
    left = select(ThreadMessageRecord.ts).where(theirs)
    return connection.execute(left.limit(1)).first() is None


def old_texts(connection: Connection, *, finished_before: datetime) -> list[int]:
    """Return the messages, delivered or given up before then, of which a text is kept."""
    told = _told_before(finished_before)
    wanted = select(OutboxRecord.id).where(told, _has_text()).order_by(OutboxRecord.id)
    return list(connection.execute(wanted).scalars())


def forget_old_words(
    connection: Connection, *, finished_before: datetime, texts: Sequence[int]
) -> int:
    """Remove words of threads whose run ended before then, and of `texts` those told before then.

    What is held back stays, and so does what waits to be delivered. Returns how many went.
    """
    held = message_is_held(holds_in(connection))
    old = (
        select(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
        .join(RunRecord, RunRecord.id == ThreadMessageRecord.run_id)
        .where(RunRecord.finished_at < finished_before, not_(held))
    )
    key = tuple_(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
    words = connection.execute(delete(ThreadMessageRecord).where(key.in_(old))).rowcount
    told = 0
    for start in range(0, len(texts), AT_ONCE):
        some = OutboxRecord.id.in_(texts[start : start + AT_ONCE])
        told += _blank(connection, some & _told_before(finished_before))
    return words + told


def _told_before(moment: datetime) -> ColumnElement[bool]:
    ended = exists(
        select(RunRecord.id).where(
            RunRecord.id == OutboxRecord.run_id, RunRecord.finished_at < moment
        )
    )
    return or_(OutboxRecord.run_id.is_(None) & (OutboxRecord.next_at < moment), ended)


def _has_text() -> ColumnElement[bool]:
    return OutboxRecord.body.is_not(None) & (OutboxRecord.state != OutboxState.PENDING)


def forget_budget_names(connection: Connection, *, unused_since: datetime) -> None:
    """Forget for whom budgets counted of which nothing was taken since then.

    Earlier than the longest window of a budget, nothing is counted for them any more.
    """
    taken = select(BudgetUseRecord.entry_id).where(
        BudgetUseRecord.budget == BudgetKeyRecord.budget,
        BudgetUseRecord.key == BudgetKeyRecord.key,
        BudgetUseRecord.taken_at >= unused_since,
    )
    connection.execute(delete(BudgetKeyRecord).where(not_(exists(taken))))


def old_locks(connection: Connection, *, finished_before: datetime) -> list[str]:
    """Return the runs that ended before then, and have the name of a lock still."""
    wanted = select(RunRecord.id).where(
        RunRecord.finished_at < finished_before, RunRecord.lock_key.is_not(None)
    )
    return list(connection.execute(wanted.order_by(RunRecord.id)).scalars())


def forget_locks(connection: Connection, runs: Sequence[str]) -> None:
    """Forget what runs that ended had locked: the name of a lock may hold words of an input."""
    for start in range(0, len(runs), AT_ONCE):
        some = RunRecord.id.in_(runs[start : start + AT_ONCE])
        ended = update(RunRecord).where(
            some, RunRecord.finished_at.is_not(None), RunRecord.lock_key.is_not(None)
        )
        connection.execute(ended.values(lock_key=None))


def _blank(connection: Connection, told: ColumnElement[bool]) -> int:
    wanted = update(OutboxRecord).where(told, _has_text())
    return connection.execute(wanted.values(body=None)).rowcount
