"""Which runs are in shadow, for those who count runs: it stands in their first entry."""

from sqlalchemy import ColumnElement, and_, exists

from storage.audit_models import AuditEntryRow
from storage.run_models import RunRecord
from workflows.run import Status

MARK = '%"shadow":true%'  # A quotation mark inside of a value would have a stroke before it.


def ended_in_shadow() -> ColumnElement[bool]:
    """Return the condition for those that ended; of those that are done no entry is read."""
    first = exists().where(
        AuditEntryRow.run_id == RunRecord.id,
        AuditEntryRow.rseq == 0,
        AuditEntryRow.line.like(MARK),
    )
    return and_(RunRecord.outcome != Status.DONE.value, first)
