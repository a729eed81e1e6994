"""Removes what was copied from payloads: rows for the search, texts of messages, thread words.

Nothing of it decides anything: a summary is read from its row, a message was delivered, and
words of a thread served the summary of its run.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, not_, or_, select, tuple_, update

from storage.audit_models import AuditEntryRow, AuditPartRow
from storage.message_models import OutboxRecord, SummaryRecord, ThreadMessageRecord
from storage.outbox_values import OutboxState
from storage.retention.held import holds_in, message_is_held
from storage.run_models import RunRecord

AT_ONCE = 500  # A statement takes only so many values.


def forget_copies(connection: Connection, *, before: int) -> None:
    """Delete the search rows of summaries, written before that entry, that are gone."""
    held = select(AuditPartRow.name).where(
        AuditPartRow.entry_seq == AuditEntryRow.seq, AuditPartRow.name == "summary"
    )
    gone = select(AuditEntryRow.uid).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "summary.written",
        AuditEntryRow.idx < before,
        not_(exists(held)),
    )
    connection.execute(delete(SummaryRecord).where(SummaryRecord.entry_id.in_(gone)))


def forget_copies_of(connection: Connection, runs: Sequence[str]) -> None:
    """Remove the summaries of these runs from the search, and the texts that were told of them."""
    for start in range(0, len(runs), AT_ONCE):
        some = runs[start : start + AT_ONCE]
        connection.execute(delete(SummaryRecord).where(SummaryRecord.run_id.in_(some)))
        _blank(connection, OutboxRecord.run_id.in_(some))


def forget_old_words(connection: Connection, *, finished_before: datetime) -> int:
    """Remove words of threads whose run ended before then, and texts told before then.

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
    told = or_(
        OutboxRecord.run_id.is_(None) & (OutboxRecord.next_at < finished_before),
        OutboxRecord.run_id.in_(
            select(RunRecord.id).where(RunRecord.finished_at < finished_before)
        ),
    )
    return words + _blank(connection, told)


def _blank(connection: Connection, told: ColumnElement[bool]) -> int:
    wanted = update(OutboxRecord).where(
        told, OutboxRecord.body.is_not(None), OutboxRecord.state != OutboxState.PENDING
    )
    return connection.execute(wanted.values(body=None)).rowcount
