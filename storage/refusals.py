"""Decisions that were refused, as the log tells of them: outside of the runs they were about."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from storage.audit_models import IS_OUTSIDE_RUNS, AuditEntryRow, Common, LineMember
from storage.history import COLUMNS, entries_of
from workflows.entry import Entry

REFUSED, WRONG_CODE, REVIEWED = "approval.refused", "step_up.refused", "break_glass.reviewed"
OWN = "requester"
# As an index has it.
_NAMED = func.coalesce(LineMember("data", "by_run"), LineMember("data", "request"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """How many decisions were refused, and how many of them because it was an own request."""

    decisions: int
    own: int


def read_beside(connection: Connection, run: str, *, of: Iterable[Entry]) -> list[Entry]:
    """Return what the log tells of decisions on a run outside of it; `of` are its entries.

    That is what was refused to whoever wanted to decide something, wrong codes among it, whose
    entries name one of its requests, and reviews of the glass that was broken.
    """
    requests = {str(one.data["request"]) for one in of if one.kind == "approval.requested"}
    told = or_(
        _told(REFUSED, _NAMED.in_([run])),
        _told(REVIEWED, _NAMED.in_([run])),
        _told(WRONG_CODE, _NAMED.in_(sorted(requests))),
    )
    rows = connection.execute(select(*COLUMNS).where(told).order_by(AuditEntryRow.seq)).all()
    return entries_of(connection, rows)


def _told(kind: str, named: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(IS_OUTSIDE_RUNS, Common(AuditEntryRow.kind == kind), named)


def count_refused(connection: Connection, places: range) -> Refused:
    """Return how many decisions the entries at `places` say were refused."""
    row = AuditEntryRow
    wanted = select(LineMember("data", "why"), func.count()).where(
        row.run_id.is_(None), row.kind == REFUSED, row.idx >= places.start, row.idx < places.stop
    )
    by_reason = wanted.group_by(LineMember("data", "why")).order_by(LineMember("data", "why"))
    found = {str(why): count for why, count in connection.execute(by_reason)}
    return Refused(decisions=sum(found.values()), own=found.get(OWN, 0))
