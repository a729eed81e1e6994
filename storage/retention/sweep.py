"""Removes the payloads whose term is over, and signs that they are gone (AUDIT.md section 11).

Of each class one marker says up to which entry nothing is held any more. It never passes a
payload that is held back; what is due beyond that one goes by markers that list it. Markers and
deletes are one transaction; what takes long to find out in a large log is read before it, since
people's clicks wait for it. That no byte of them is left on the disk is for `removal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditTreeRow, LineMember
from storage.retention.copies import (
    forget_budget_names,
    forget_copies,
    forget_copies_of,
    forget_locks,
    forget_old_words,
    old_locks,
    old_texts,
)
from storage.retention.held import holds_in, part_is_held
from storage.retention.late import erase_left
from storage.retention.markers import (
    Item,
    Key,
    erasures,
    remove_items,
    remove_keys,
    standing,
)
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
class _Due:
    """What is due of one class, and the payloads that go."""

    swept: ClassSwept
    goes: Sequence[Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What takes long to find out in a large log: it is read before anybody waits for us.

    Nothing is added to it meanwhile, but some of it may be held back by now, or gone: somebody
    was erased, or another process swept. `texts` are copies that may go, `locked` runs that ended
    with the name of a lock.
    """

    due: Sequence[_Due]
    texts: Sequence[int]
    locked: Sequence[str]
    is_told: bool


def due(connection: Connection, terms: Terms, *, now: datetime) -> list[ClassSwept]:
    """Return what is due of each class at `now`. It changes nothing."""
    held = part_is_held(holds_in(connection))
    return [_due_of(connection, cls, now - term, held) for cls, term in terms.items()]


def _look_through(store: SqlStore, terms: Terms, *, now: datetime) -> _Known:
    """Read what a sweep needs to know, while others write."""
    before = now - terms[PartClass.CONTENT]
    with store.database.read() as connection:
        held = part_is_held(holds_in(connection))
        return _Known(
            due=[
                _Due(swept=one, goes=_keys(connection, _goes(one, held)))
                for one in due(connection, terms, now=now)
            ],
            texts=old_texts(connection, finished_before=before),
            locked=old_locks(connection, finished_before=before),
            is_told=bool(told_of(connection)),
        )


def sweep(store: SqlStore, *, policy: str, terms: Terms, now: datetime) -> Swept:
    """Remove what is due at `now` under the policy of that digest; sign what is gone.

    Doing it again changes nothing, and a process that dies in it removed nothing.

    Raises:
        StorageError: nothing was removed.
    """
    late, term = erase_left(store, policy=policy), terms[PartClass.CONTENT]
    known = _look_through(store, terms, now=now)
    with store.begin() as unit:
        connection = unit.transaction.connection
        store.journal.place_pending(unit.transaction)
        found = [_remove(unit, one, policy) for one in known.due]
        told = _forget_erasures(unit, policy) if known.is_told else 0
        messages = forget_old_words(connection, finished_before=now - term, texts=known.texts)
        forget_locks(connection, known.locked)
        forget_budget_names(connection, unused_since=now - max(term, LONGEST_WINDOW))
    return Swept(classes=found, messages=messages, told=told + late)


def _remove(unit: SqlUnit, due: _Due, policy: str) -> ClassSwept:
    """Remove what is due of a class, still there, and held back by nobody; sign it."""
    connection = unit.transaction.connection
    there = standing(connection, due.goes)
    held = [one for one in due.goes if there.get(one, False)]
    goes = [one for one in due.goes if not there.get(one, True)]
    swept = due.swept if len(goes) == len(due.goes) else _less(due.swept, goes, held)
    for draft in _markers(swept, goes, policy):
        unit.append(draft)
    remove_keys(connection, goes)
    forget_copies(connection, [one.seq for one in goes if one.name == "summary"])
    return swept


def _less(found: ClassSwept, goes: Sequence[Key], held: Sequence[Key]) -> ClassSwept:
    """Return what goes of what was found, now that some of it is held back or gone."""
    before = min(found.before, *(one.idx for one in held)) if held else found.before
    swept = sum(one.idx < before for one in goes)
    erased = len(goes) - swept
    return replace(found, before=before, swept=swept, erased=erased, held=found.held + len(held))


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
    connection: Connection, cls: PartClass, until: datetime, held: ColumnElement[bool]
) -> ClassSwept:
    limit = _first_younger(connection, cls, until)
    within = and_(AuditPartRow.cls == cls.value, AuditEntryRow.idx < limit)
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


def _markers(one: ClassSwept, goes: Sequence[Key], policy: str) -> list[Draft]:
    drafts = []
    if one.swept:
        data: dict[str, Json] = {
            "policy": policy,
            "cls": one.cls.value,
            "before": one.before,
            "n": one.swept,
        }
        drafts.append(Draft(kind="retention.sweep", actor=SYSTEM, data=data))
    items = [Item(each.idx, each.name) for each in goes if each.idx >= one.before]
    return [*drafts, *erasures(items, reason=REASON, policy=policy, actor=SYSTEM)]


def _keys(connection: Connection, goes: ColumnElement[bool]) -> list[Key]:
    wanted = _parts(AuditPartRow.entry_seq, AuditEntryRow.idx, AuditPartRow.name).where(goes)
    rows = connection.execute(wanted.order_by(AuditEntryRow.idx, AuditPartRow.name))
    return [Key(*row) for row in rows]


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
