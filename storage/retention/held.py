"""Which payloads may not be removed yet: those of unfinished runs, and those under a legal hold.

A run that goes on resumes from its payloads, so it holds them itself. A hold selects by run,
workflow, person or period; a payload without a run belongs to the run that caused its entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, func, or_, select

from storage.audit_models import AuditEntryRow, AuditHoldRow, AuditPartRow, LineMember
from storage.message_models import ThreadMessageRecord
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from workflows.holds import Kind, Selector, read_selector
from workflows.moments import stamp

RUN = func.coalesce(AuditEntryRow.run_id, LineMember("data", "by_run"))
Held = ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold that was set; `lifted_at` is None while it is in force."""

    id: str
    selector: Selector
    set_at: datetime
    lifted_at: datetime | None


def holds_in(connection: Connection, *, in_force: bool = True) -> list[Hold]:
    """Return the holds, oldest first; unless `in_force` is false, only those not yet lifted."""
    wanted = select(AuditHoldRow).order_by(AuditHoldRow.set_at, AuditHoldRow.hold)
    if in_force:
        wanted = wanted.where(AuditHoldRow.lifted_at.is_(None))
    return [
        Hold(
            id=row.hold,
            selector=read_selector(row.selector),
            set_at=row.set_at,
            lifted_at=row.lifted_at,
        )
        for row in connection.execute(wanted.with_only_columns(*AuditHoldRow.__table__.c)).all()
    ]


def part_is_held(holds: Sequence[Hold]) -> Held:
    """Return the condition under which a part, joined with its entry, is held."""
    own = and_(
        AuditEntryRow.kind == "hold.set",
        LineMember("data", "hold").in_([one.id for one in holds]),
    )
    return _surely(_of_a_run(_goes_on()), own, *(_holds_part(one.selector) for one in holds))


def message_is_held(holds: Sequence[Hold]) -> Held:
    """Return the condition under which a message of a thread, joined with its run, is held."""
    return _surely(_goes_on(), *(_holds_message(one.selector) for one in holds))


def _surely(*conditions: Held) -> Held:
    """Return whether one of them is true; what is compared with nothing is not."""
    return func.coalesce(or_(false(), *conditions), false())


def _goes_on() -> Held:
    return RunRecord.finished_at.is_(None)


def _of_a_run(condition: Held) -> Held:
    return exists(select(RunRecord.id).where(RunRecord.id == RUN, condition))


def _holds_part(selector: Selector) -> Held:
    match selector.kind:
        case Kind.RUN:
            return RUN.in_([selector.name])
        case Kind.WORKFLOW:
            return or_(
                _of_a_run(RunRecord.workflow == selector.name),
                AuditEntryRow.workflow == selector.name,
            )
        case Kind.PERSON:
            return or_(
                AuditPartRow.subject_ref == selector.name,
                AuditEntryRow.actor_ref == selector.name,
                _of_a_run(_took_part(selector.name)),
            )
        case Kind.PERIOD:
            begin, end = selector.period
            return and_(AuditEntryRow.ts >= stamp(begin), AuditEntryRow.ts < stamp(end))


def _holds_message(selector: Selector) -> Held:
    match selector.kind:
        case Kind.RUN:
            return RunRecord.id == selector.name
        case Kind.WORKFLOW:
            return RunRecord.workflow == selector.name
        case Kind.PERSON:
            return or_(ThreadMessageRecord.author == selector.name, _took_part(selector.name))
        case Kind.PERIOD:
            begin, end = selector.period
            return and_(RunRecord.started_at < end, RunRecord.finished_at >= begin)


def _took_part(ref: str) -> ColumnElement[Any]:
    decided = (
        select(DecisionRecord.seq)
        .join(RequestRecord, RequestRecord.id == DecisionRecord.request_id)
        .where(RequestRecord.run_id == RunRecord.id, DecisionRecord.approver == ref)
    )
    return or_(RunRecord.requester == ref, exists(decided))
