"""What language models have cost, read from the trail itself: nothing else keeps count."""

from datetime import datetime

from sqlalchemy import func, select

from storage.audit_models import AuditEntryRow, LineMember
from storage.database import Database
from workflows.moments import stamp

_COST = LineMember("data", "cost_micro", cast="bigint")


def read_model_costs(database: Database, since: datetime) -> int:
    """Return the micro-units spent since that moment.

    Entries lie in the order of their time but for moments, so only those are read that come
    after the last one before it.
    """
    start = stamp(since)
    before = (
        select(AuditEntryRow.seq)
        .where(AuditEntryRow.ts < start)
        .order_by(AuditEntryRow.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    spent = select(func.coalesce(func.sum(_COST), 0)).where(
        AuditEntryRow.seq > func.coalesce(before, 0),
        AuditEntryRow.kind == "model.answered",
        AuditEntryRow.ts >= start,
    )
    with database.read() as connection:
        return int(connection.execute(spent).scalar_one())
