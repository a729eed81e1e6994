"""What was recorded of the approvals of a period, for `workflows.approval_health`.

Everything is found by its moment, so a long log costs no more than a short one.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import Connection, Row, and_, func, select

from storage.approval_turns import Turns, read_turns
from storage.audit_models import COUNTED_BY_TIME, AuditEntryRow
from storage.message_models import OutboxRecord
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from workflows.approval_health import Approvals, Decided
from workflows.entry import Ref, RequestId
from workflows.gate import Outcome, Verdict
from workflows.moments import stamp
from workflows.store import Subject

_Row: TypeAlias = Row[str, str, Verdict, int, datetime, datetime, str, str, str | None, str | None]


def read_approvals(connection: Connection, *, since: datetime, until: datetime) -> Approvals:
    """Return the decisions of the period, and what became of requests in it."""
    return Approvals(
        decisions=_decisions(connection, since, until),
        settled=_settled(connection, since, until),
        reminders=_reminders(connection, since, until),
    )


def _decisions(connection: Connection, since: datetime, until: datetime) -> list[Decided]:
    turns = read_turns(connection, since=since, until=until)
    query = (
        select(
            DecisionRecord.request_id,
            DecisionRecord.approver,
            DecisionRecord.verdict,
            DecisionRecord.stage,
            DecisionRecord.decided_at,
            RequestRecord.raised_at,
            RunRecord.workflow,
            RunRecord.requester,
            OutboxRecord.place_ts,
            RequestRecord.batch,
        )
        .join(RequestRecord, RequestRecord.id == DecisionRecord.request_id)
        .join(RunRecord, RunRecord.id == RequestRecord.run_id)
        .outerjoin(
            OutboxRecord,
            and_(
                OutboxRecord.subject == Subject.CARD,
                OutboxRecord.key == func.coalesce(RequestRecord.batch, RequestRecord.id),
            ),
        )
        .where(DecisionRecord.decided_at >= since, DecisionRecord.decided_at < until)
        .order_by(DecisionRecord.decided_at, DecisionRecord.seq)
    )
    # Whoever decides items of a batch at once has decided once, over one card.
    together: set[Hashable] = set()
    found: list[Decided] = []
    # Each row brings names of its own, and a period has few of them: each is kept once.
    names: dict[str, str] = {}
    for row in connection.execute(query):
        if row.batch is not None:
            gesture = (row.batch, row.approver, row.verdict, row.decided_at)
            if gesture in together:
                continue
            together.add(gesture)
        found.append(_decided(row, turns, names))
    return found


def _decided(row: _Row, turns: Turns, names: dict[str, str]) -> Decided:
    shown = _shown(row)
    later = turns.since(row.request_id, row.stage, who=row.approver, by=row.decided_at)
    return Decided(
        request=RequestId(row.request_id),
        workflow=names.setdefault(row.workflow, row.workflow),
        requester=Ref(names.setdefault(row.requester, row.requester)),
        approver=Ref(names.setdefault(row.approver, row.approver)),
        verdict=Verdict(row.verdict),
        asked_at=shown if later is None else max(shown, later),
        decided_at=row.decided_at,
    )


def _shown(row: _Row) -> datetime:
    """Return when the card stood in Slack; its request was raised before, maybe much.

    Slack counts by a clock of its own. What it says is believed while it can be true.
    """
    raised: datetime = row.raised_at
    if row.place_ts is None:
        return raised
    posted = datetime.fromtimestamp(float(row.place_ts), tz=UTC)
    return posted if raised <= posted <= row.decided_at else raised


def _settled(
    connection: Connection, since: datetime, until: datetime
) -> dict[str, Counter[Outcome]]:
    query = (
        select(RunRecord.workflow, RequestRecord.outcome, func.count())
        .join(RunRecord, RunRecord.id == RequestRecord.run_id)
        .where(RequestRecord.settled_at >= since, RequestRecord.settled_at < until)
        .group_by(RunRecord.workflow, RequestRecord.outcome)
        .order_by(RunRecord.workflow, RequestRecord.outcome)
    )
    found: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for workflow, outcome, count in connection.execute(query):
        found[workflow][Outcome(outcome)] = count
    return dict(found)


def _reminders(connection: Connection, since: datetime, until: datetime) -> Counter[str]:
    query = (
        select(RunRecord.workflow, func.count())
        .join(AuditEntryRow, AuditEntryRow.run_id == RunRecord.id)
        .where(COUNTED_BY_TIME, AuditEntryRow.kind == "approval.reminded")
        .where(AuditEntryRow.ts >= stamp(since), AuditEntryRow.ts < stamp(until))
        .group_by(RunRecord.workflow)
        .order_by(RunRecord.workflow)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})
