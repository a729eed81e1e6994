"""Erases a person: what they wrote, what was written of it, and who they are.

The entries stay. Nothing leads from their pseudonym to a person any more, and one who returns
gets a new one. What is held back stays, and so does the name behind it, until it is done again.
What takes long to find in a large log is found before anybody waits for us, by `past`; all of it
goes in one unit.
"""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, not_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow, LineMember
from storage.retention.copies import forget_copies_of, forget_words_of, not_held
from storage.retention.held import RUN, holds_in, part_is_held
from storage.retention.holds import refs_known_as
from storage.retention.markers import Item, Key, erasures, remove_keys
from storage.retention.past import PERSONAL, Found, Past, brought_up, past_of
from storage.retention.traces import forget_traces
from storage.store import SqlStore
from workflows.actions.erase import EraseAction
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


def told_of(connection: Connection) -> Sequence[tuple[Key, str]]:
    """Return the payloads by which ended runs tell whom they erased, each with its run.

    So do those that were to erase somebody who is nobody here any more: whoever is erased at the
    second attempt was named by the first, too.
    """
    runs = select(LineMember("data", "by_run")).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "erasure",
        LineMember("data", "reason") == REASON,
    )
    erasing = {str(one) for one in connection.execute(runs).scalars() if one is not None}
    erasing |= _asked_for_nobody(connection)
    wanted = (
        select(AuditPartRow.entry_seq, AuditEntryRow.idx, AuditPartRow.name, RUN.label("run"))
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(
            RUN.in_(sorted(erasing)),
            AuditPartRow.cls.in_(PERSONAL),
            AuditEntryRow.idx.is_not(None),
            not_(part_is_held(holds_in(connection))),
        )
    )
    rows = connection.execute(wanted.order_by(AuditEntryRow.idx, AuditPartRow.name)).all()
    return [(Key(row.entry_seq, row.idx, row.name), row.run) for row in rows]


def _asked_for_nobody(connection: Connection) -> set[str]:
    """Return the runs that asked to erase people of whom none is known any more."""
    wanted = (
        select(AuditEntryRow.run_id, AuditPartRow.body)
        .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
        .where(
            AuditPartRow.name == "args",
            AuditEntryRow.kind == "approval.requested",
            LineMember("data", "action") == EraseAction.name,
        )
        .order_by(AuditEntryRow.seq)
    )
    named = [
        (str(row.run_id), json.loads(row.body)["person"]) for row in connection.execute(wanted)
    ]
    known = {one for one in {one for _, one in named} if refs_known_as(connection, one)}
    return {run for run, _ in named} - {run for run, one in named if one in known}


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
