"""Removes what still leads to somebody whose name goes, though none of it is a payload.

That is where they were written to, the keys of starts that name them, and the secrets of their
one-time codes. All of it is operational: nobody writes to them any more, nothing is started in
their name, and no code of theirs counts.
"""

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from storage.audit_models import AuditSubjectRow
from storage.delegation_models import DelegationRecord
from storage.message_models import OutboxRecord
from storage.run_models import RequestRecord, RunRecord
from storage.step_up_models import StepUpGuardRecord, StepUpRecord
from workflows.entry import Ref
from workflows.store import Subject


def forget_traces(connection: Connection, ref: Ref) -> None:
    """Remove what leads from a pseudonym to the person; their row has to be there still."""
    known = select(AuditSubjectRow.external_id).where(AuditSubjectRow.ref == ref)
    person = connection.execute(known).scalar()
    connection.execute(delete(OutboxRecord).where(_is_to(ref, person or "")))
    _forget_start_keys(connection, ref, person or "")
    secrets = update(StepUpRecord).where(StepUpRecord.person == ref)
    connection.execute(secrets.values(sealed=None))
    connection.execute(delete(StepUpGuardRecord).where(StepUpGuardRecord.person == ref))


def _is_to(ref: Ref, person: str) -> ColumnElement[bool]:
    """Return the condition that a message was for them alone: it knows their conversation."""
    own_runs = select(RunRecord.id).where(RunRecord.requester == ref)
    own_requests = select(RequestRecord.id).where(RequestRecord.run_id.in_(own_runs))
    stood_in = select(DelegationRecord.entry_id).where(DelegationRecord.stand_in == ref)
    row = OutboxRecord
    return or_(
        (row.channel == person) & (row.channel != ""),
        row.key.endswith(f"/{ref}", autoescape=True),
        (row.subject == Subject.OUTCOME) & row.run_id.in_(own_runs),
        (row.subject == Subject.AWAY) & row.key.in_(own_requests),
        (row.subject == Subject.STAND_IN) & row.key.in_(stood_in),
    )


def _forget_start_keys(connection: Connection, ref: Ref, person: str) -> None:
    """Forget keys that a program gave in their name, and those that name their account."""
    user = person.rpartition(":")[2]
    names = RunRecord.start_key.startswith(f"agent:{ref}/", autoescape=True)
    if user:
        names |= RunRecord.start_key.contains(f"/again/{user}/", autoescape=True)
    wanted = update(RunRecord).where(
        RunRecord.requester == ref, RunRecord.finished_at.is_not(None), names
    )
    connection.execute(wanted.values(start_key=None))
