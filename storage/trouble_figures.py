"""What went wrong in a period, by workflow and cause, found by its moment."""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, or_, select

from storage.audit_models import COUNTED_BY_TIME, AuditEntryRow
from storage.entries_sql import entry_of
from storage.run_models import RunRecord
from workflows.moments import stamp
from workflows.trouble import error_class_of, is_trouble

TROUBLES = ("action.in_doubt", "decision.made", "verification.failed", "verification.unknown")
# Lines are canonical JSON without a space, and no person's words stand in them.
IS_EXCEPTION = '"decision":"exception"'


def read_causes(
    connection: Connection, *, since: datetime, until: datetime
) -> Counter[tuple[str, str]]:
    """Return how often runs of which workflow came to stand, and for which error class."""
    row = AuditEntryRow
    query = (
        select(row.seq, row.idx, row.line, RunRecord.workflow)
        .join(RunRecord, RunRecord.id == row.run_id)
        .where(COUNTED_BY_TIME, row.kind.in_(TROUBLES))
        .where(row.ts >= stamp(since), row.ts < stamp(until))
        # Most such decisions are of the bot, about branches and steps left out.
        .where(or_(row.kind != "decision.made", row.line.contains(IS_EXCEPTION)))
        .order_by(row.ts, row.seq)
    )
    found: Counter[tuple[str, str]] = Counter()
    for one in connection.execute(query):
        entry = entry_of(one.line, seq=one.seq, index=one.idx, held={})
        if is_trouble(entry):
            found[one.workflow, error_class_of(entry)] += 1
    return found
