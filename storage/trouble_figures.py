"""What went wrong in a period, found by its moment: where, in which version, at what, and why."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from storage.audit_models import COUNTED_BY_TIME, AuditEntryRow
from storage.entries_sql import entry_of
from storage.run_models import RunRecord
from workflows.failure_modes import FailureMode
from workflows.moments import stamp
from workflows.trouble import error_class_of, is_trouble

TROUBLES = ("action.in_doubt", "decision.made", "verification.failed", "verification.unknown")
PAGE = 500
# Lines are canonical JSON without a space, and no person's words stand in them.
IS_EXCEPTION = '"decision":"exception"'


def read_failures(
    connection: Connection, *, since: datetime, until: datetime
) -> Counter[FailureMode]:
    """Return how often runs came to stand, and in which way."""
    row = AuditEntryRow
    query = (
        select(row.seq, row.idx, row.line, RunRecord.workflow, RunRecord.version)
        .join(RunRecord, RunRecord.id == row.run_id)
        .where(COUNTED_BY_TIME, row.kind.in_(TROUBLES))
        .where(row.ts >= stamp(since), row.ts < stamp(until))
        # Most such decisions are of the bot, about branches and steps left out.
        .where(or_(row.kind != "decision.made", row.line.contains(IS_EXCEPTION)))
        .order_by(row.ts, row.seq)
    )
    found = [
        (one, entry_of(one.line, seq=one.seq, index=one.idx, held={}))
        for one in connection.execute(query)
    ]
    stopped = [(one, entry) for one, entry in found if is_trouble(entry)]
    targets = _targets(connection, sorted({str(entry.run) for _, entry in stopped}))
    return Counter(
        FailureMode(
            workflow=one.workflow,
            version=one.version,
            step=str(entry.data["step"]),
            target=targets.get((str(entry.run), str(entry.data["step"])), ""),
            cause=error_class_of(entry),
        )
        for one, entry in stopped
    )


def _targets(connection: Connection, runs: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """Return what each step of these runs set out to change last."""
    row = AuditEntryRow
    found: dict[tuple[str, str], str] = {}
    for start in range(0, len(runs), PAGE):
        query = (
            select(row.run_id, row.line)
            .where(row.run_id.in_(runs[start : start + PAGE]), row.kind == "action.intended")
            .order_by(row.run_id, row.rseq)
        )
        for run, line in connection.execute(query):
            data = json.loads(line)["data"]
            found[str(run), str(data["step"])] = target_in(data)
    return found


def target_in(data: Mapping[str, Any]) -> str:
    """Return what an announced effect is about: its target, or else the action itself."""
    return str(data.get("target") or data["action"])
