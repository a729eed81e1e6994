"""The rows of runs and their gates: what state something is in, and what works on it.

Columns under "projected" are written by `projections` from entries alone, and can be rebuilt
and compared. Columns under "operational" serve the work of this moment: losing them may cost
a look-up, never an effect. Messages and what people read stand in `message_models`.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)

from storage.base import Base, BigKey, Mapped, by_value, mapped_column, partial_index
from workflows.gate import Outcome, Verdict
from workflows.run import Status
from workflows.store import DueKind

IS_READY = text("ready_at IS NOT NULL")
IS_CLAIMED = text("claimed_at IS NOT NULL")
IS_OPEN = text("outcome = 'open'")
IN_ANOTHERS_PLACE = text("stands_for IS NOT NULL")
HAS_SOURCE = text("source IS NOT NULL")
IS_DENIED = text("outcome = 'denied'")
IN_A_BATCH = text("batch IS NOT NULL")
GOES_ON = text("finished_at IS NULL")
HAS_ENDED = text("finished_at IS NOT NULL")
IS_TROUBLED = text("status IN ('exception', 'in_doubt')")


class RunRecord(Base):
    """One run: where it stands, the end of its chain, and who works on it."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("start_key"),
        CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="ends_with_an_outcome"),
        CheckConstraint(
            "outcome IS NULL OR (ready_at IS NULL AND claimed_at IS NULL)", name="rests_once_ended"
        ),
        CheckConstraint("length(tail_leaf) = 32", name="tail_leaf_is_32_bytes"),
        partial_index("ix_run_ready_at", "ready_at", where=IS_READY),
        partial_index("ix_run_claimed_at", "claimed_at", where=IS_CLAIMED),
        Index("ix_run_started_at", "started_at", "id"),
        Index("ix_run_finished_at", "finished_at", "id"),
        Index("ix_run_workflow_started_at", "workflow", "started_at", "id"),
        Index("ix_run_requester_started_at", "requester", "started_at", "id"),
        Index("ix_run_status_started_at", "status", "started_at", "id"),
        partial_index("ix_run_source", "source", where=HAS_SOURCE),
        partial_index(
            "ix_run_version_going",
            "workflow",
            "version",
            "requester",
            "finished_at",  # Always null; without it SQLite looks each run up.
            where=GOES_ON,
        ),
        partial_index("ix_run_requester_going", "requester", "started_at", "id", where=GOES_ON),
        partial_index("ix_run_requester_ended", "requester", "finished_at", "id", where=HAS_ENDED),
        partial_index("ix_run_went", "workflow", "outcome", "finished_at", where=HAS_ENDED),
        partial_index("ix_run_troubled", "workflow", "started_at", "id", where=IS_TROUBLED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # Projected.
    workflow: Mapped[str]
    version: Mapped[str]
    status: Mapped[Status] = mapped_column(by_value(Status))
    requester: Mapped[str]
    requester_kind: Mapped[str]
    trigger: Mapped[str]
    source: Mapped[str | None]
    step: Mapped[str | None]
    outcome: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    tail_rseq: Mapped[int] = mapped_column(BigInteger)
    tail_leaf: Mapped[bytes]
    standing: Mapped[str | None]
    # Operational.
    channel: Mapped[str]
    start_key: Mapped[str | None]
    lock_key: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(BigInteger)
    ready_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    segments_died: Mapped[int] = mapped_column(BigInteger)


class RequestRecord(Base):
    """One gate put to named people. All of it is projected.

    An attempt can take only an approved request, and a step has one open request at most: both
    are refused by the database itself.
    """

    __tablename__ = "approval_request"
    __table_args__ = (
        CheckConstraint(
            "consumed_attempt IS NULL OR outcome IN ('approved', 'superseded')",
            name="consumed_once_approved",
        ),
        CheckConstraint("(outcome = 'open') = (settled_at IS NULL)", name="settled_with_a_moment"),
        Index("ix_approval_request_run_id", "run_id", "raised_at"),
        partial_index(
            "uq_approval_request_open",
            "run_id",
            "step",
            unique=True,
            where=IS_OPEN,
        ),
        partial_index(
            "ix_approval_request_open_expires_at",
            "expires_at",
            where=IS_OPEN,
        ),
        Index("ix_approval_request_settled_at", "settled_at"),
        partial_index("ix_approval_request_denied_settled_at", "settled_at", where=IS_DENIED),
        partial_index("ix_approval_request_batch", "batch", where=IN_A_BATCH),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    entry_id: Mapped[str]
    step: Mapped[str]
    binding: Mapped[str]
    policy: Mapped[str]
    stages: Mapped[str]
    excluded: Mapped[str]
    needs_reason: Mapped[bool]
    raised_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    outcome: Mapped[Outcome] = mapped_column(by_value(Outcome))
    settled_at: Mapped[datetime | None]
    consumed_attempt: Mapped[int | None] = mapped_column(BigInteger)
    terms: Mapped[str | None]
    batch: Mapped[str | None]


class EscalationRecord(Base):
    """People who may decide a request too, since it waited for too long. All of it is projected.

    `named` are the groups they belonged to, `stages` where they may decide.
    """

    __tablename__ = "escalation"

    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str]
    people: Mapped[str]
    named: Mapped[str]
    stages: Mapped[str]


class DecisionRecord(Base):
    """One approver's verdict; the same one twice is impossible, approve then deny is not.

    `stands_for` is whose place they took, if not their own.
    """

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("request_id", "approver", "verdict"),
        partial_index(
            "uq_decision_stands_for",
            "request_id",
            "stands_for",
            "verdict",
            unique=True,
            where=IN_ANOTHERS_PLACE,
        ),
        Index("ix_decision_decided_at", "decided_at"),
        Index("ix_decision_approver", "approver", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"))
    entry_id: Mapped[str]
    approver: Mapped[str]
    stage: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[Verdict] = mapped_column(by_value(Verdict))
    decided_at: Mapped[datetime]
    stands_for: Mapped[str | None]


class QuestionRecord(Base):
    """A question that a step put to people. All of it is projected."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_run_id", "run_id", "asked_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    step: Mapped[str]
    people: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]


class TimerRecord(Base):
    """A wait of a step, for a moment or for another run. All of it is projected."""

    __tablename__ = "timer"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    child: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    cause: Mapped[str | None]


class DueRecord(Base):
    """Work for a moment; one row a kind and key. Operational."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_at", "at"), Index("ix_due_run_id", "run_id"))

    kind: Mapped[DueKind] = mapped_column(by_value(DueKind), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    at: Mapped[datetime]


class DeliveryRecord(Base):
    """One delivery of Slack's that was taken up, so that its repetition is known."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_seen_at", "seen_at"),)

    team: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


class RunLockRecord(Base):
    """A named lock and the run that holds it. Operational."""

    __tablename__ = "run_lock"

    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))


class RunPlaceRecord(Base):
    """One of `most` places that a run holds, of a workflow or of the house. Operational."""

    __tablename__ = "run_place"
    __table_args__ = (Index("ix_run_place_run_id", "run_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    most: Mapped[int] = mapped_column(BigInteger)


class LockQueueRecord(Base):
    """A run that waits for a named lock or a place; the smallest number is next."""

    __tablename__ = "lock_queue"
    __table_args__ = (
        UniqueConstraint("key", "run_id"),
        Index("ix_lock_queue_key", "key", "seq"),
        Index("ix_lock_queue_run_id", "run_id"),
    )

    seq: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    key: Mapped[str]
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))


class DefinitionRecord(Base):
    """One published version of a workflow.

    `canonical` is the text whose digest the version is; the rest is projected.
    """

    __tablename__ = "definition_version"
    __table_args__ = (Index("ix_definition_version_workflow", "workflow", "published_at"),)

    version: Mapped[str] = mapped_column(primary_key=True)
    workflow: Mapped[str]
    canonical: Mapped[str | None]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class ActiveDefinitionRecord(Base):
    """Which version of a workflow new runs take, and its level. Projected."""

    __tablename__ = "active_definition"

    workflow: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("definition_version.version"))
    level: Mapped[str]
    activated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class VersionLevelRecord(Base):
    """How far one version of a workflow is trusted: on trial, or unattended. Projected.

    A version keeps its row when another takes its place, since runs stay on theirs.
    """

    __tablename__ = "version_level"

    version: Mapped[str] = mapped_column(primary_key=True)
    workflow: Mapped[str]
    level: Mapped[str]
    changed_at: Mapped[datetime]


class ActivePolicyRecord(Base):
    """Which version of a policy the trail was last told of. Projected."""

    __tablename__ = "active_policy"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    changed_at: Mapped[datetime]


class PolicyRecord(Base):
    """The text of a policy, by its digest, which proves it. Operational."""

    __tablename__ = "policy_version"

    version: Mapped[str] = mapped_column(primary_key=True)
    canonical: Mapped[str]


class FiringRecord(Base):
    """One moment of a schedule that was handled: fired, or given up as missed.

    The primary key makes each happen once, however many replicas wake.
    """

    __tablename__ = "schedule_firing"

    schedule: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(primary_key=True)
    run_id: Mapped[str | None]
    is_missed: Mapped[bool | None]
