"""Removes the payloads whose term is over, and signs that they are gone (AUDIT.md section 11).

Of each class one marker says up to which entry nothing is held any more. It never passes a
payload that is held back; what is due beyond that one goes by markers that list it. Markers and
deletes are one transaction; what takes long to find out in a large log is read before it, since
people's clicks wait for it. That no byte of them is left on the disk is for `removal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditTreeRow, LineMember
from storage.retention.copies import (
    forget_budget_names,
    forget_copies,
    forget_copies_of,
    forget_old_words,
    old_texts,
)
from storage.retention.held import holds_in, part_is_held
from storage.retention.late import erase_left
from storage.retention.markers import Item, erasures, remove, remove_items
from storage.retention.person import REASON as OF_A_PERSON
from storage.retention.person import told_of
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import SYSTEM, Draft, Json, PartClass
from workflows.moments import stamp
from workflows.policy_budgets import LONGEST_WINDOW
from workflows.policy_retention import Terms

REASON = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSwept:
    """What is due of one class.

    Entries from `limit` on are younger than the term. Below `before` everything goes at once,
    `swept` payloads; beyond it `erased` go one by one, and `held` are held back.
    """

    cls: PartClass
    before: int
    limit: int
    swept: int
    erased: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed, or would remove."""

    classes: Sequence[ClassSwept]
    messages: int  # Of threads, and copies of what was told.
    told: int = 0  # Payloads by which erasures told whom they erased, or that came in meanwhile.

    @property
    def payloads(self) -> int:
        """Return how many payloads are gone."""
        return self.told + sum(one.swept + one.erased for one in self.classes)

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing was due."""
        return not self.payloads and not self.messages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What grows with the log to find out, and stays true: read before anybody waits for us.

    No payload of a class stands before its `oldest`. `texts` are copies that may go.
    """

    oldest: Mapping[PartClass, int]
    texts: Sequence[int]
    is_told: bool


def due(
    connection: Connection,
    terms: Terms,
    *,
    now: datetime,
    oldest: Mapping[PartClass, int] = MappingProxyType({}),
) -> list[ClassSwept]:
    """Return what is due of each class at `now`. It changes nothing.

    Before the place that `oldest` names for a class, none of it is looked for.
    """
    held = part_is_held(holds_in(connection))
    return [
        _due_of(connection, cls, now - term, held, start=oldest.get(cls, 0))
        for cls, term in terms.items()
    ]


def _look_through(store: SqlStore, terms: Terms, *, ended_before: datetime) -> _Known:
    """Read what a sweep needs to know, while others write."""
    first = func.min(AuditEntryRow.idx)
    with store.database.read() as connection:
        size = int(_one(connection, select(AuditTreeRow.size)) or 0)
        return _Known(
            oldest={
                cls: _first(_one(connection, _parts(first).where(_is_of(cls))), size)
                for cls in terms
            },
            texts=old_texts(connection, finished_before=ended_before),
            is_told=bool(told_of(connection)),
        )


def _first(found: int | None, size: int) -> int:
    return size if found is None else found


def _is_of(cls: PartClass) -> ColumnElement[bool]:
    return and_(AuditPartRow.cls == cls.value, AuditEntryRow.idx.is_not(None))


def sweep(store: SqlStore, *, policy: str, terms: Terms, now: datetime) -> Swept:
    """Remove what is due at `now` under the policy of that digest; sign what is gone.

    Doing it again changes nothing, and a process that dies in it removed nothing.

    Raises:
        StorageError: nothing was removed.
    """
    late, term = erase_left(store, policy=policy), terms[PartClass.CONTENT]
    known = _look_through(store, terms, ended_before=now - term)
    with store.begin() as unit:
        tx = unit.transaction
        store.journal.place_pending(tx)
        held = part_is_held(holds_in(tx.connection))
        found = due(tx.connection, terms, now=now, oldest=known.oldest)
        for one in found:
            start = known.oldest[one.cls]
            for draft in _markers(tx.connection, one, policy, held):
                unit.append(draft)
            remove(tx.connection, and_(_goes(one, held), AuditEntryRow.idx >= start))
        places = range(known.oldest[PartClass.DERIVED], max(one.limit for one in found))
        forget_copies(tx.connection, places)
        told = _forget_erasures(unit, policy) if known.is_told else 0
        messages = forget_old_words(tx.connection, finished_before=now - term, texts=known.texts)
        forget_budget_names(tx.connection, unused_since=now - max(term, LONGEST_WINDOW))
    return Swept(classes=found, messages=messages, told=told + late)


def _forget_erasures(unit: SqlUnit, policy: str) -> int:
    """Remove what ended erasures say of whom they erased: their own inputs, plans and cards."""
    connection = unit.transaction.connection
    found = told_of(connection)
    items = [item for item, _ in found]
    for draft in erasures(items, reason=OF_A_PERSON, policy=policy, actor=SYSTEM):
        unit.append(draft)
    remove_items(connection, items)
    forget_copies_of(connection, sorted({run for _, run in found}))
    return len(items)


def _due_of(
    connection: Connection,
    cls: PartClass,
    until: datetime,
    held: ColumnElement[bool],
    *,
    start: int,
) -> ClassSwept:
    limit = _first_younger(connection, cls, until)
    within = and_(
        AuditPartRow.cls == cls.value, AuditEntryRow.idx >= start, AuditEntryRow.idx < limit
    )
    first_held = _one(connection, _parts(func.min(AuditEntryRow.idx)).where(within, held))
    before = limit if first_held is None else first_held
    count = _parts(func.count())
    beyond = and_(within, AuditEntryRow.idx >= before)
    return ClassSwept(
        cls=cls,
        before=before,
        limit=limit,
        swept=_one(connection, count.where(within, AuditEntryRow.idx < before)),
        erased=_one(connection, count.where(beyond, not_(held))),
        held=_one(connection, count.where(beyond, held)),
    )


def _first_younger(connection: Connection, cls: PartClass, until: datetime) -> int:
    """Return the place of the first entry not older than `until`; nothing before it is younger.

    What was swept before need not be looked at again.
    """
    swept = select(func.max(LineMember("data", "before", cast="bigint"))).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "retention.sweep",
        LineMember("data", "cls") == cls.value,
    )
    start = _one(connection, swept) or 0
    wanted = select(AuditEntryRow.idx).where(
        AuditEntryRow.idx >= start, AuditEntryRow.ts >= stamp(until)
    )
    found = _one(connection, wanted.order_by(AuditEntryRow.idx).limit(1))
    if found is not None:
        return int(found)
    return int(_one(connection, select(AuditTreeRow.size)) or 0)


def _markers(
    connection: Connection, one: ClassSwept, policy: str, held: ColumnElement[bool]
) -> list[Draft]:
    drafts = []
    if one.swept:
        data: dict[str, Json] = {
            "policy": policy,
            "cls": one.cls.value,
            "before": one.before,
            "n": one.swept,
        }
        drafts.append(Draft(kind="retention.sweep", actor=SYSTEM, data=data))
    wanted = _parts(AuditEntryRow.idx, AuditPartRow.name).where(
        _goes(one, held), AuditEntryRow.idx >= one.before
    )
    rows = connection.execute(wanted.order_by(AuditEntryRow.idx, AuditPartRow.name)).all()
    items = [Item(row.idx, row.name) for row in rows]
    return [*drafts, *erasures(items, reason=REASON, policy=policy, actor=SYSTEM)]


def _goes(one: ClassSwept, held: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(
        AuditPartRow.cls == one.cls.value,
        AuditEntryRow.idx < one.limit,
        (AuditEntryRow.idx < one.before) | not_(held),
    )


def _parts(*columns: ColumnElement[Any] | Any) -> Select[Any]:  # noqa: ANN401 - columns of rows too.
    return (
        select(*columns)
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
    )


def _one(connection: Connection, wanted: Select[Any]) -> Any:  # noqa: ANN401 - a number or None.
    return connection.execute(wanted).scalar()
