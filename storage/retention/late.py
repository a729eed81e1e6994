"""Erases what others committed in the name of somebody while that person was erased.

Writers on Postgres do not wait for each other: one may have learnt the pseudonym before it was
gone, and nobody could ever name the person again to erase what it wrote. It goes right after the
erasure. Where its process died before that, or where what was written belongs to a run that goes
on, the nightly sweep comes back to it. On SQLite writers wait, and there is no such thing.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, exists, not_, select, union

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow, LineMember
from storage.message_models import ThreadMessageRecord
from storage.retention.held import holds_in, message_is_held
from storage.retention.past import Found, payloads_of
from storage.retention.person import REASON, erase
from storage.retention.traces import Traces, forget_traces, traces_of
from storage.run_models import RunRecord
from storage.store import SqlStore
from storage.writers import wait_for_writers
from workflows.entry import PERSON, Ref
from workflows.moments import moment, stamp

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute  # It is never loaded: see storage.declaring.

# No writer takes as long. What it committed stands behind the marker, and was made before this.
LONGEST_WRITE = timedelta(minutes=10)


def erase_late(
    store: SqlStore, ref: Ref, *, account: str, policy: str, by_run: str
) -> Sequence[Found]:
    """Wait for those who write while somebody is erased, and erase what they wrote.

    `account` is who that was: nobody else knows it any more.

    Raises:
        StorageError: that is left, until the next sweep.
    """
    if store.database.dialect == "sqlite":
        return []
    wait_for_writers(store.database)
    with store.database.read() as connection:
        is_left = _is_left(connection, ref)
        traces = _late_traces(connection, ref, account)
    if traces:
        with store.begin() as unit:
            forget_traces(unit.transaction.connection, ref, traces)
    return erase(store, ref, policy=policy, by_run=by_run) if is_left else []


def erase_left(store: SqlStore, *, policy: str) -> int:
    """Erase what is still there of people who were erased before; return how many payloads went.

    What is held back stays, and is looked at again the next time.

    Raises:
        StorageError: some of it is left.
    """
    with store.database.read() as connection:
        refs = [one for one in _erased_around(connection) if _is_left(connection, one)]
    went = 0
    for ref in refs:
        found = erase(store, ref, policy=policy, by_run=None)
        went += sum(not one.is_held for one in found)
    return went


def _is_left(connection: Connection, ref: Ref) -> bool:
    """Say whether somebody's name is gone, and something of theirs could still go."""
    if not _is_erased(connection, ref):
        return False
    wrote = (
        select(ThreadMessageRecord.ts)
        .join(RunRecord, RunRecord.id == ThreadMessageRecord.run_id)
        .where(ThreadMessageRecord.author == ref, not_(message_is_held(holds_in(connection))))
    )
    if connection.execute(wrote.limit(1)).first() is not None:
        return True
    return any(not one.is_held for one in payloads_of(connection, ref))


def _late_traces(connection: Connection, ref: Ref, account: str) -> Traces | None:
    """Return what leads to somebody whose name is gone; None if it is not, or they are back."""
    back = select(AuditSubjectRow.ref).where(AuditSubjectRow.external_id == account)
    if not _is_erased(connection, ref) or connection.execute(back).first() is not None:
        return None
    return traces_of(connection, ref, account=account)


def _is_erased(connection: Connection, ref: Ref) -> bool:
    known = select(AuditSubjectRow.ref).where(AuditSubjectRow.ref == ref)
    return connection.execute(known).first() is None


def _erased_around(connection: Connection) -> list[Ref]:
    """Return pseudonyms without a name that something was written under during an erasure."""
    found = {ref for places in _windows(connection) for ref in _nameless(connection, places)}
    wrote = select(ThreadMessageRecord.author).where(_has_no_name(ThreadMessageRecord.author))
    return sorted(found | {Ref(one) for one in connection.execute(wrote.distinct()).scalars()})


def _windows(connection: Connection) -> Iterator[range]:
    """Yield for each erasure the places at which stands whatever came in while it was done."""
    row, by_run = AuditEntryRow, LineMember("data", "by_run")
    markers = (
        select(row.idx, row.ts, by_run.label("by"))
        .where(row.run_id.is_(None), row.kind == "erasure", LineMember("data", "reason") == REASON)
        .order_by(row.idx)
    )
    for _, some in groupby(connection.execute(markers), key=lambda one: one.by):
        erasure = list(some)
        until = stamp(moment(max(str(one.ts) for one in erasure)) + LONGEST_WRITE)
        after = (
            select(row.idx)
            .where(row.idx > erasure[-1].idx, row.ts > until)
            .order_by(row.idx)
            .limit(1)
        )
        end = connection.execute(after).scalar()
        yield range(erasure[0].idx + 1, 2**62 if end is None else end)


def _nameless(connection: Connection, places: range) -> list[Ref]:
    within = (AuditEntryRow.idx >= places.start) & (AuditEntryRow.idx < places.stop)
    actors = select(AuditEntryRow.actor_ref).where(
        within, AuditEntryRow.actor_ref.startswith(PERSON), _has_no_name(AuditEntryRow.actor_ref)
    )
    subjects = (
        select(AuditPartRow.subject_ref)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(within, AuditPartRow.subject_ref.is_not(None))
        .where(_has_no_name(AuditPartRow.subject_ref))
    )
    return [Ref(str(one)) for one in connection.execute(union(actors, subjects)).scalars()]


def _has_no_name(column: "InstrumentedAttribute[Any]") -> ColumnElement[bool]:
    return not_(exists(select(AuditSubjectRow.ref).where(AuditSubjectRow.ref == column)))
