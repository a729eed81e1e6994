"""Erases a person: what they wrote, what was written of it, and who they are.

The entries stay. Nothing leads from their pseudonym to a person any more, and one who returns
gets a new one. What is held back stays, and so does the name behind it, until it is done again.
What takes long to find in a large log is found before anybody waits for us, by `past`; all of it
goes in one unit.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from storage.audit_models import AuditEntryRow, AuditSubjectRow, LineMember
from storage.retention.copies import forget_copies_of, forget_words_of, not_held
from storage.retention.markers import Item, Key, erasures, remove_keys
from storage.retention.past import Found, Past, brought_up, past_of
from storage.retention.traces import forget_traces
from storage.store import SqlStore
from workflows.entry import SYSTEM, Draft, Json, Ref

REASON = "request"


def erase(store: SqlStore, ref: Ref, *, policy: str, by_run: str | None) -> Sequence[Found]:
    """Remove what is not held back of a person and sign what is gone; return all there was.

    Raises:
        StorageError: nothing was removed.
    """
    with store.database.read() as connection:
        known = past_of(connection, ref)
    with store.begin() as unit:
        store.journal.place_pending(unit.transaction)
        past = brought_up(unit.transaction.connection, known)
        goes = [one.key for one in past.found if not one.is_held]
        items = [one.item for one in goes]
        for draft in _markers(items, policy=policy, by_run=by_run):
            unit.append(draft)
        _forget(unit.transaction.connection, past, goes)
    return past.found


def _forget(connection: Connection, past: Past, goes: Sequence[Key]) -> None:
    """Remove what is not held back; if nothing of them is, so does the name."""
    forget_copies_of(connection, not_held(connection, past.runs), past.texts)
    remove_keys(connection, goes)
    if forget_words_of(connection, past.ref) and len(goes) == len(past.found):
        forget_traces(connection, past.ref, past.traces)
        connection.execute(delete(AuditSubjectRow).where(AuditSubjectRow.ref == past.ref))


def was_erased_by(connection: Connection, run: str) -> bool:
    """Say whether that run has erased somebody."""
    wanted = select(AuditEntryRow.seq).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "erasure",
        LineMember("data", "by_run") == run,
    )
    return connection.execute(wanted.limit(1)).first() is not None


def _markers(items: Sequence[Item], *, policy: str, by_run: str | None) -> list[Draft]:
    found = list(erasures(items, reason=REASON, policy=policy, actor=SYSTEM, by_run=by_run))
    if found:
        return found
    # Somebody of whom only the name was kept: the marker says that this run was carried out.
    data: dict[str, Json] = {
        "items": [],
        "reason": REASON,
        "request": None,
        "policy": policy,
        "by_run": by_run,
    }
    return [Draft(kind="erasure", actor=SYSTEM, data=data)]
