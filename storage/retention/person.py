"""Erases a person: what they wrote, what was written of it, and who they are.

The entries stay. Nothing leads from their pseudonym to a person any more, and one who returns
gets a new one. What is held back stays, and so does the name behind it, until it is done again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    not_,
    or_,
    select,
)

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow, LineMember
from storage.message_models import ThreadMessageRecord
from storage.retention.copies import forget_copies_of, forget_words_of
from storage.retention.held import (
    RUN,
    holds_in,
    of_a_run,
    part_is_held,
    run_is_held,
    took_part,
)
from storage.retention.holds import refs_known_as
from storage.retention.markers import Item, erasures, remove
from storage.retention.traces import forget_traces
from storage.run_models import RunRecord
from storage.store import SqlStore
from workflows.actions.erase import EraseAction
from workflows.entry import PERSON, SYSTEM, Draft, Json, PartClass, Ref

REASON = "request"
# What tells of a run from outside of it, and may quote whoever spoke there.
TELL = ("summary.written", "model.asked", "model.answered")
PERSONAL = (PartClass.CONTENT.value, PartClass.DERIVED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One payload of a person."""

    item: Item
    run: str  # Empty outside of runs.
    cls: str
    is_held: bool


def payloads_of(connection: Connection, ref: Ref) -> list[Found]:
    """Return every placed payload of a person, those that are held back too."""
    held = part_is_held(holds_in(connection))
    wanted = (
        select(
            AuditEntryRow.idx,
            AuditPartRow.name,
            AuditPartRow.cls,
            RUN.label("run"),
            held.label("is_held"),
        )
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(_is_of(ref), AuditEntryRow.idx.is_not(None))
        .order_by(AuditEntryRow.idx, AuditPartRow.name)
    )
    return [
        Found(
            item=Item(row.idx, row.name),
            run=row.run or "",
            cls=row.cls,
            is_held=bool(row.is_held),
        )
        for row in connection.execute(wanted)
    ]


def erase(store: SqlStore, ref: Ref, *, policy: str, by_run: str | None) -> Sequence[Found]:
    """Remove what is not held back of a person and sign what is gone; return all there was.

    Raises:
        StorageError: nothing was removed.
    """
    with store.begin() as unit:
        store.journal.place_pending(unit.transaction)
        found = payloads_of(unit.transaction.connection, ref)
        items = [one.item for one in found if not one.is_held]
        for draft in _markers(items, policy=policy, by_run=by_run):
            unit.append(draft)
        _forget(unit.transaction.connection, ref, is_all=len(items) == len(found))
    return found


def _forget(connection: Connection, ref: Ref, *, is_all: bool) -> None:
    """Remove what is not held back; if `is_all` of it goes, so does the name."""
    _forget_copies(connection, ref)
    held = part_is_held(holds_in(connection))
    remove(connection, and_(_is_of(ref), AuditEntryRow.idx.is_not(None), not_(held)))
    # After the payloads, since summaries of a run are found by these words, too.
    if forget_words_of(connection, ref) and is_all:
        forget_traces(connection, ref)
        connection.execute(delete(AuditSubjectRow).where(AuditSubjectRow.ref == ref))


def told_of(connection: Connection) -> Sequence[tuple[Item, str]]:
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
        select(AuditEntryRow.idx, AuditPartRow.name, RUN.label("run"))
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
    return [(Item(row.idx, row.name), row.run) for row in rows]


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


def _is_of(ref: Ref) -> ColumnElement[bool]:
    """Return the condition: what they said, what came of what they asked for, what quotes them."""
    said = or_(AuditEntryRow.actor_ref == ref, _is(AuditPartRow.subject_ref, ref))
    came_of_it = and_(
        AuditPartRow.cls.in_(PERSONAL),
        not_(AuditEntryRow.actor_ref.startswith(PERSON)),  # What others said is theirs.
        of_a_run(RunRecord.requester == ref),
    )
    quoted = and_(
        AuditEntryRow.run_id.is_(None), AuditEntryRow.kind.in_(TELL), of_a_run(_spoke_in(ref))
    )
    return or_(said, came_of_it, quoted)


def _is(column: ColumnElement[Any] | Any, value: str) -> ColumnElement[bool]:  # noqa: ANN401 - a column of a row.
    return and_(column.is_not(None), column == value)


def _spoke_in(ref: Ref) -> ColumnElement[bool]:
    wrote = select(ThreadMessageRecord.ts).where(
        ThreadMessageRecord.run_id == RunRecord.id, ThreadMessageRecord.author == ref
    )
    return or_(took_part(ref), exists(wrote))


def _forget_copies(connection: Connection, ref: Ref) -> None:
    """Remove rows for the search, and texts of messages about runs in which they spoke."""
    held = run_is_held(holds_in(connection))
    runs = select(RunRecord.id).where(_spoke_in(ref), not_(held)).order_by(RunRecord.id)
    forget_copies_of(connection, list(connection.execute(runs).scalars()))
