"""Which runs are in shadow, as a condition for those who count runs.

It stands in a run's first entry. Such a run never ends as done, so of most runs no entry is read.
"""

from sqlalchemy import ColumnElement, and_, exists

from storage.audit_models import AuditEntryRow
from storage.run_models import RunRecord
from workflows.run import Status

MARK = '%"shadow":true%'  # A quotation mark inside of a value would have a stroke before it.
IS_SHADOW = (
    "(COALESCE(r.outcome, '') <> 'done' AND EXISTS (SELECT 1 FROM audit_entry f"
    " WHERE f.run_id = r.id AND f.rseq = 0 AND f.line LIKE ?))"
)


def ended_in_shadow() -> ColumnElement[bool]:
    """Return the condition for those that ended."""
    first = exists().where(
        AuditEntryRow.run_id == RunRecord.id,
        AuditEntryRow.rseq == 0,
        AuditEntryRow.line.like(MARK),
    )
    return and_(RunRecord.outcome != Status.DONE.value, first)
