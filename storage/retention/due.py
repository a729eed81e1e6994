"""What is due of each class: which payloads go, and up to which entry nothing of it is left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditTreeRow, LineMember
from storage.retention.held import holds_in, part_is_held
from storage.retention.markers import Key, standing
from workflows.entry import PartClass
from workflows.moments import stamp
from workflows.policy_retention import Terms

AHEAD = timedelta(days=1)  # No clock that is right runs ahead of another one as far.


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


def due(connection: Connection, terms: Terms, *, now: datetime) -> list[ClassSwept]:
    """Return what is due of each class at `now`. It changes nothing."""
    held = part_is_held(holds_in(connection))
    return [_due_of(connection, cls, now - term, held, now=now) for cls, term in terms.items()]


def due_from(
    connection: Connection, one: ClassSwept, start: int, *, most: int
) -> tuple[list[Key], int | None]:
    """Return the next payloads that go, from the entry `start` on; and where the others begin.

    They are `most` or somewhat more, less those that are held back, in the order of the log; None
    says that there are no others.
    """
    within = and_(AuditPartRow.cls == one.cls.value, _between(start, one.limit))
    places = _parts(AuditEntryRow.idx).where(within).order_by(AuditEntryRow.idx)
    last = _one(connection, places.offset(most - 1).limit(1))
    keys = _keys(connection, within if last is None else within & (AuditEntryRow.idx <= last))
    beyond = [key for key in keys if key.idx >= one.before]
    there = standing(connection, beyond)
    keys = [key for key in keys if key.idx < one.before or not there.get(key, True)]
    return keys, None if last is None else last + 1


def _due_of(
    connection: Connection,
    cls: PartClass,
    until: datetime,
    held: ColumnElement[bool],
    *,
    now: datetime,
) -> ClassSwept:
    limit = _first_younger(connection, cls, until, now=now)
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


def _first_younger(
    connection: Connection, cls: PartClass, until: datetime, *, now: datetime
) -> int:
    """Return the place of the first entry not older than `until`; nothing before it is younger.

    What was swept before need not be looked at again. An entry of a time to come keeps nothing
    that stands behind it, once a later one has a time that can be.
    """
    swept = select(func.max(LineMember("data", "before", cast="bigint"))).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "retention.sweep",
        LineMember("data", "cls") == cls.value,
    )
    start = _one(connection, swept) or 0
    younger = select(AuditEntryRow.idx).where(
        AuditEntryRow.idx >= start, AuditEntryRow.ts >= stamp(until)
    )
    for wanted in (younger.where(AuditEntryRow.ts <= stamp(now + AHEAD)), younger):
        found = _one(connection, wanted.order_by(AuditEntryRow.idx).limit(1))
        if found is not None:
            return int(found)
    return int(_one(connection, select(AuditTreeRow.size)) or 0)


def _keys(connection: Connection, goes: ColumnElement[bool]) -> list[Key]:
    wanted = _parts(AuditPartRow.entry_seq, AuditEntryRow.idx, AuditPartRow.name).where(goes)
    rows = connection.execute(wanted.order_by(AuditEntryRow.idx, AuditPartRow.name))
    return [Key(*row) for row in rows]


def _between(start: int, end: int) -> ColumnElement[bool]:
    return and_(AuditEntryRow.idx >= start, AuditEntryRow.idx < end)


def _parts(*columns: ColumnElement[Any] | Any) -> Select[Any]:  # noqa: ANN401 - columns of rows too.
    return (
        select(*columns)
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
    )


def _one(connection: Connection, wanted: Select[Any]) -> Any:  # noqa: ANN401 - a number or None.
    return connection.execute(wanted).scalar()
