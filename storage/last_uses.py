"""When each person did each kind of thing last, and where, by the trail.

It reads the whole log once: it is for reviews, not for clicks.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from storage.audit_models import IS_OUTSIDE_RUNS, AuditEntryRow, AuditSubjectRow, LineMember
from storage.entry_bytes import read_stamp
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from workflows.entry import PERSON
from workflows.gate import Verdict
from workflows.own_workflows import PUBLISH, RETIRE

_DECIDING = {Verdict.APPROVE: "approval.granted", Verdict.DENY: "approval.denied"}
_CHANGES = ("workflow.activated", "workflow.retired")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """The last entry of one kind of somebody: of which workflows, and asked for by which rules.

    Of a publication both are its workflows: the one that is published, and the one that does it.
    No workflow at all where the entry belongs to none.
    """

    kind: str
    at: datetime
    workflows: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


def last_uses(connection: Connection) -> Mapping[str, Sequence[LastUse]]:
    """Return what each person did last, by kind and place; those who were erased are left out."""
    found: dict[str, list[LastUse]] = defaultdict(list)
    for who, use in (*_entries(connection), *_decisions(connection)):
        found[who].append(use)
    return found


def _entries(connection: Connection) -> Iterator[tuple[str, LastUse]]:
    row, subject = AuditEntryRow, AuditSubjectRow
    workflow = func.coalesce(row.workflow, RunRecord.workflow)
    query = (
        select(subject.external_id, row.kind, workflow.label("of"), func.max(row.ts).label("at"))
        .join(subject, subject.ref == row.actor_ref)
        .outerjoin(RunRecord, RunRecord.id == row.run_id)
        .where(row.actor_ref.startswith(PERSON), row.kind.not_in(_DECIDING.values()))
        .group_by(subject.external_id, row.kind, workflow)
        .order_by(subject.external_id, row.kind, workflow)
    )
    for one in connection.execute(query):
        workflows = frozenset({one.of} - {None})
        yield (
            one.external_id,
            LastUse(kind=one.kind, at=read_stamp(one.at), workflows=workflows),
        )


def _decisions(connection: Connection) -> Iterator[tuple[str, LastUse]]:
    """Yield approvals and denials, with the rules that asked for them."""
    row, subject, decided = AuditEntryRow, AuditSubjectRow, DecisionRecord
    changed = _changed(connection)
    publishing = case((RunRecord.workflow.in_((PUBLISH, RETIRE)), RunRecord.id), else_=None)
    rules = LineMember("data", "rules")
    place = (subject.external_id, decided.verdict, RunRecord.workflow, publishing, rules)
    query = (
        select(*place, func.max(decided.decided_at))
        .join(subject, subject.ref == decided.approver)
        .join(RequestRecord, RequestRecord.id == decided.request_id)
        .join(RunRecord, RunRecord.id == RequestRecord.run_id)
        .join(row, row.uid == RequestRecord.entry_id)
        .group_by(*place)
        .order_by(*place)
    )
    for who, verdict, workflow, run, asked, at in connection.execute(query):
        workflows = frozenset({workflow, changed.get(run, workflow)})
        told = frozenset(json.loads(asked)) if asked else frozenset[str]()
        yield who, LastUse(kind=_DECIDING[verdict], at=at, workflows=workflows, rules=told)


def _changed(connection: Connection) -> Mapping[str, str]:
    """Return which workflow a run published or retired."""
    row = AuditEntryRow
    query = (
        select(LineMember("data", "by_run"), row.workflow)
        .where(IS_OUTSIDE_RUNS, row.kind.in_(_CHANGES))
        .order_by(row.seq)
    )
    return {run: workflow for run, workflow in connection.execute(query) if run is not None}
