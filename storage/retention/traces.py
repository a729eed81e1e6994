"""Removes what still leads to somebody whose name goes, though none of it is a payload.

That is where they were written to, the keys of starts that name them, and the secrets of their
one-time codes. All of it is operational: nobody writes to them any more, nothing is started in
their name, and no code of theirs counts.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from storage.audit_models import AuditSubjectRow
from storage.delegation_models import DelegationRecord
from storage.message_models import OutboxRecord
from storage.retention.copies import AT_ONCE
from storage.run_models import RequestRecord, RunRecord
from storage.step_up_models import StepUpGuardRecord, StepUpRecord
from workflows.entry import Ref
from workflows.store import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Messages that were for a person alone, those that name them, and runs whose key does."""

    messages: Sequence[int]
    naming: Sequence[int]
    runs: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.messages or self.naming or self.runs)

    def with_new(
        self, connection: Connection, ref: Ref, *, runs: Collection[str], after: int
    ) -> "Traces":
        """Return them with those after the message `after`, and of these runs."""
        new = traces_of(connection, ref, runs=runs, after=after)
        return Traces(
            messages=[*self.messages, *new.messages],
            naming=[*self.naming, *new.naming],
            runs=sorted({*self.runs, *new.runs}),
        )


def account_of(connection: Connection, ref: Ref) -> str:
    """Return the account behind a pseudonym, empty once it is gone."""
    known = select(AuditSubjectRow.external_id).where(AuditSubjectRow.ref == ref)
    return str(connection.execute(known).scalar() or "")


def traces_of(
    connection: Connection,
    ref: Ref,
    *,
    account: str = "",
    runs: Collection[str] | None = None,
    after: int = 0,
) -> Traces:
    """Return what leads to a person; of these runs only, and of messages after `after`.

    `account` is theirs where their row is gone.
    """
    person = account_of(connection, ref) or account
    recent = OutboxRecord.id > after
    to = select(OutboxRecord.id).where(recent, _is_to(ref, person))
    naming = select(OutboxRecord.id).where(recent, _names(person))
    keyed = select(RunRecord.id).where(_has_their_key(ref, person))
    if runs is not None:
        keyed = keyed.where(RunRecord.id.in_(sorted(runs)))
    return Traces(
        messages=list(connection.execute(to.order_by(OutboxRecord.id)).scalars()),
        naming=list(connection.execute(naming.order_by(OutboxRecord.id)).scalars()),
        runs=list(connection.execute(keyed.order_by(RunRecord.id)).scalars()),
    )


def forget_traces(connection: Connection, ref: Ref, traces: Traces) -> None:
    """Remove what leads from a pseudonym to the person."""
    for start in range(0, len(traces.messages), AT_ONCE):
        some = OutboxRecord.id.in_(traces.messages[start : start + AT_ONCE])
        connection.execute(delete(OutboxRecord).where(some))
    for start in range(0, len(traces.naming), AT_ONCE):
        some = OutboxRecord.id.in_(traces.naming[start : start + AT_ONCE])
        connection.execute(update(OutboxRecord).where(some).values(body=None))
    for start in range(0, len(traces.runs), AT_ONCE):
        some = RunRecord.id.in_(traces.runs[start : start + AT_ONCE])
        connection.execute(update(RunRecord).where(some).values(start_key=None))
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


def _names(person: str) -> ColumnElement[bool]:
    """Return the condition that a message says who shared what it is about."""
    said = json.dumps({"by": person})
    return (OutboxRecord.subject == Subject.SUMMARY) & (OutboxRecord.body == said)


def _has_their_key(ref: Ref, person: str) -> ColumnElement[bool]:
    """Return the condition that a program gave a run's key in their name, or it names them."""
    user = person.rpartition(":")[2]
    names = RunRecord.start_key.startswith(f"agent:{ref}/", autoescape=True)
    if user:
        names |= RunRecord.start_key.contains(f"/again/{user}/", autoescape=True)
    return (RunRecord.requester == ref) & RunRecord.finished_at.is_not(None) & names
