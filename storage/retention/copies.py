"""Removes what was copied from payloads: rows for the search, texts of messages, thread words.

Nothing of it decides anything: a summary is read from its row, a message was delivered, words
of a thread serve the summary of their run, and the lock of a run that ended is not held. What
goes by its age is for `old`.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    delete,
    func,
    not_,
    select,
    tuple_,
    update,
)

from storage.audit_models import AuditEntryRow, LineMember
from storage.message_models import OutboxRecord, SummaryRecord, ThreadMessageRecord
from storage.outbox_values import OutboxState
from storage.retention.held import holds_in, message_is_held, run_is_held
from storage.run_models import RunRecord
from workflows.store import Subject

AT_ONCE = 500  # A statement takes only so many values.
WORDS = tuple_(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)


class Words(NamedTuple):
    """A message of a thread."""

    run: str
    ts: str


class Text(NamedTuple):
    """A message that keeps a text, and the run that it is about."""

    id: int
    run: str


def forget_copies(connection: Connection, summaries: Sequence[int]) -> None:
    """Delete the search rows of summaries that are gone, by the numbers of their entries."""
    row = SummaryRecord
    for start in range(0, len(summaries), AT_ONCE):
        some = AuditEntryRow.seq.in_(summaries[start : start + AT_ONCE])
        runs = select(LineMember("data", "by_run")).select_from(AuditEntryRow).where(some)
        entries = select(AuditEntryRow.uid).where(some)
        connection.execute(delete(row).where(row.run_id.in_(runs), row.entry_id.in_(entries)))


def texts_of(connection: Connection, runs: Collection[str], *, after: int = 0) -> list[Text]:
    """Return the texts told of these runs that are kept; of messages after number `after`."""
    wanted = select(OutboxRecord.id, OutboxRecord.run_id).where(
        OutboxRecord.id > after, OutboxRecord.body.is_not(None), OutboxRecord.run_id.is_not(None)
    )
    about, rows = frozenset(runs), connection.execute(wanted.order_by(OutboxRecord.id))
    return [Text(one.id, one.run_id) for one in rows if one.run_id in about]


def newest_message(connection: Connection) -> int:
    """Return a number such that every message queued from now on has a greater one.

    On Postgres that is 0: there a message may be committed after one with a greater number.
    """
    if connection.dialect.name != "sqlite":
        return 0
    return connection.execute(select(func.max(OutboxRecord.id))).scalar() or 0


def forget_copies_of(connection: Connection, runs: Sequence[str], texts: Sequence[Text]) -> None:
    """Remove the summaries of these runs that ended, their locks, and what of `texts` is of them.

    A text that still waits is told to nobody, not even by a delivery that has taken it already.
    """
    for start in range(0, len(runs), AT_ONCE):
        some = SummaryRecord.run_id.in_(runs[start : start + AT_ONCE])
        connection.execute(delete(SummaryRecord).where(some))
    forget_locks(connection, runs)
    about = frozenset(runs)
    _blank(connection, [one.id for one in texts if one.run in about])


def _blank(connection: Connection, texts: Sequence[int]) -> None:
    row = OutboxRecord
    told = {"state": OutboxState.DELIVERED, "done": row.wanted, "is_posting": False}
    waits = (row.state == OutboxState.PENDING) & (row.subject == Subject.POST)
    for start in range(0, len(texts), AT_ONCE):
        some = row.id.in_(texts[start : start + AT_ONCE])
        untaken = update(row).where(some, waits).values(claimed_by=None, claimed_until=None, **told)
        connection.execute(untaken)
        connection.execute(update(row).where(some).values(body=None))


def not_held(connection: Connection, runs: Sequence[str]) -> list[str]:
    """Return those of these runs of which no copy is held back."""
    holds, found = holds_in(connection), list[str]()
    for start in range(0, len(runs), AT_ONCE):
        among = runs[start : start + AT_ONCE]
        some, held = RunRecord.id.in_(among), run_is_held(holds, among=among)
        wanted = select(RunRecord.id).where(some, not_(held)).order_by(RunRecord.id)
        found += connection.execute(wanted).scalars()
    return found


def forget_words_of(connection: Connection, ref: str) -> bool:
    """Remove what a person wrote in threads and no hold keeps; say whether nothing is left."""
    theirs = ThreadMessageRecord.author == ref
    wrote = select(ThreadMessageRecord.run_id, ThreadMessageRecord.ts).where(theirs)
    in_order = wrote.order_by(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
    forget_words(connection, [Words(*row) for row in connection.execute(in_order)])
    return connection.execute(wrote.limit(1)).first() is None


def forget_words(connection: Connection, words: Sequence[Words]) -> int:
    """Remove these words of threads, unless they are held back; say how many went."""
    went = 0
    for start in range(0, len(words), AT_ONCE):
        goes = words_not_held(connection, words[start : start + AT_ONCE])
        if goes:
            gone = delete(ThreadMessageRecord).where(WORDS.in_(goes))
            went += connection.execute(gone).rowcount
    return went


def words_not_held(connection: Connection, words: Sequence[Words]) -> list[Words]:
    """Return those of these words, some at once, that are not held back, in order."""
    held = message_is_held(holds_in(connection), among={one.run for one in words})
    wanted = (
        select(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
        .join(RunRecord, RunRecord.id == ThreadMessageRecord.run_id)
        .where(WORDS.in_(words), not_(held))
        .order_by(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
    )
    return [Words(*row) for row in connection.execute(wanted)]


def forget_locks(connection: Connection, runs: Sequence[str]) -> None:
    """Forget what runs that ended had locked: the name of a lock may hold words of an input."""
    for start in range(0, len(runs), AT_ONCE):
        some = RunRecord.id.in_(runs[start : start + AT_ONCE])
        ended = update(RunRecord).where(
            some, RunRecord.finished_at.is_not(None), RunRecord.lock_key.is_not(None)
        )
        connection.execute(ended.values(lock_key=None))
