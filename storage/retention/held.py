"""Which payloads may not be removed yet: those of unfinished runs, and those under a legal hold.

A run that goes on resumes from its payloads, so it holds them itself. A hold selects by run,
workflow, person or period; a payload without a run belongs to the run that caused its entry.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, exists, false, func, or_, select

from storage.audit_models import AuditEntryRow, AuditHoldRow, AuditPartRow, LineMember
from storage.message_models import ThreadMessageRecord
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from workflows.holds import Kind, Selector, read_selector
from workflows.moments import stamp

RUN = func.coalesce(AuditEntryRow.run_id, LineMember("data", "by_run"))
Held = ColumnElement[bool]
Runs: TypeAlias = Collection[str] | None


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


def part_is_held(holds: Sequence[Hold], *, among: Runs = None) -> Held:
    """Return the condition under which a part, joined with its entry, is held.

    Who took part in a run is read in the whole log, or only for the runs `among` which the part's
    is, if they are given.
    """
    own = and_(
        AuditEntryRow.kind == "hold.set",
        LineMember("data", "hold").in_([one.id for one in holds]),
    )
    by_hold = (_holds_part(one.selector, among=among) for one in holds)
    return _surely(of_a_run(_goes_on()), own, *by_hold)


def run_is_held(holds: Sequence[Hold], *, among: Runs = None) -> Held:
    """Return the condition under which what was copied from a run's payloads is held."""
    return _surely(_goes_on(), *(_holds_run(one.selector, among=among) for one in holds))


def message_is_held(holds: Sequence[Hold], *, among: Runs = None) -> Held:
    """Return the condition under which a message of a thread, joined with its run, is held.

    A run that goes on holds none: it goes on without them.
    """
    people = [one.selector.name for one in holds if one.selector.kind is Kind.PERSON]
    by_run = (_holds_run(one.selector, among=among) for one in holds)
    return _surely(ThreadMessageRecord.author.in_(people), *by_run)


def _surely(*conditions: Held) -> Held:
    """Return whether one of them is true; what is compared with nothing is not."""
    return func.coalesce(or_(false(), *conditions), false())


def _goes_on() -> Held:
    return RunRecord.finished_at.is_(None)


def of_a_run(condition: Held) -> Held:
    """Return the condition that the run of an entry meets another one."""
    return exists(select(RunRecord.id).where(RunRecord.id == RUN, condition))


def _holds_part(selector: Selector, *, among: Runs) -> Held:
    match selector.kind:
        case Kind.RUN:
            return RUN.in_([selector.name])
        case Kind.WORKFLOW:
            return or_(
                of_a_run(RunRecord.workflow == selector.name),
                AuditEntryRow.workflow == selector.name,
            )
        case Kind.PERSON:
            return or_(
                AuditPartRow.subject_ref == selector.name,
                AuditEntryRow.actor_ref == selector.name,
                of_a_run(took_part(selector.name, among=among)),
            )
        case Kind.PERIOD:
            begin, end = selector.period
            return and_(AuditEntryRow.ts >= stamp(begin), AuditEntryRow.ts < stamp(end))


def _holds_run(selector: Selector, *, among: Runs) -> Held:
    match selector.kind:
        case Kind.RUN:
            return RunRecord.id == selector.name
        case Kind.WORKFLOW:
            return RunRecord.workflow == selector.name
        case Kind.PERSON:
            return took_part(selector.name, among=among)
        case Kind.PERIOD:
            begin, end = selector.period
            return and_(RunRecord.started_at < end, RunRecord.finished_at >= begin)


def took_part(ref: str, *, among: Runs = None) -> Held:
    """Return the condition under which a person asked for a run, or has to do with what it tells.

    That is whoever did something in it, a decision, an answer or anything else, and whoever
    somebody decided for.
    """
    entry = AuditEntryRow.__table__.alias()
    did = select(entry.c.run_id).where(entry.c.run_id.is_not(None), entry.c.actor_ref == ref)
    stood_for = (
        select(RequestRecord.run_id)
        .join(DecisionRecord, DecisionRecord.request_id == RequestRecord.id)
        .where(DecisionRecord.stands_for.is_not(None), DecisionRecord.stands_for == ref)
    )
    if among is not None:
        did = did.where(entry.c.run_id.in_(sorted(among)))
        stood_for = stood_for.where(RequestRecord.run_id.in_(sorted(among)))
    return or_(RunRecord.requester == ref, RunRecord.id.in_(did), RunRecord.id.in_(stood_for))
