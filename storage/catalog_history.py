"""What became of workflows in the catalog, read back from the entries that say so."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, and_, case, func, or_, select, union_all

from storage.audit_models import (
    IS_OUTSIDE_RUNS,
    AuditEntryRow,
    AuditPartRow,
    LineMember,
    PartMember,
)
from storage.history import COLUMNS, entries_of
from storage.run_models import RunRecord
from storage.transaction import Database
from workflows.entry import Entry, Json, RunId
from workflows.moments import moment
from workflows.run import Status

PUBLISHED, ACTIVATED, RETIRED = "workflow.published", "workflow.activated", "workflow.retired"
LEVELS, POLICY_CHANGED = "workflow.level_changed", "policy.changed"
REFUSED, NOT_AGREED = "proposal.refused", "not_agreed"


def was_changed_by(database: Database, workflow: str, run: str) -> bool:
    """Say whether a run has made a version of the workflow active, or retired it."""
    wanted = _about(workflow, ACTIVATED, RETIRED).where(LineMember("data", "by_run") == run)
    with database.read() as connection:
        return connection.execute(wanted.limit(1)).first() is not None


def answering_for(database: Database, version: str) -> tuple[str, str] | None:
    """Return owner and deputy of a version as its entry names them, whatever its text says."""
    owner, deputy = LineMember("data", "owner"), LineMember("data", "deputy")
    wanted = (
        select(owner.label("owner"), deputy.label("deputy"))
        .where(
            AuditEntryRow.run_id.is_(None),
            AuditEntryRow.kind == PUBLISHED,
            LineMember("data", "version") == version,
        )
        .order_by(AuditEntryRow.seq)
    )
    with database.read() as connection:
        found = connection.execute(wanted).first()
    return None if found is None else (found.owner, found.deputy)


def policy_was_changed_by(database: Database, run: str) -> bool:
    """Say whether a run has put another policy in force."""
    wanted = select(AuditEntryRow.seq).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == POLICY_CHANGED,
        LineMember("data", "by_run") == run,
    )
    with database.read() as connection:
        return connection.execute(wanted.limit(1)).first() is not None


def told_active(database: Database, workflow: str = "") -> Mapping[str, str]:
    """Return which versions are active as the entries say, whatever the table does.

    Of one workflow, if it is named.
    """
    row, version = AuditEntryRow, LineMember("data", "version")
    wanted = (
        select(row.workflow, row.kind, version.label("version"))
        .where(IS_OUTSIDE_RUNS, row.kind.in_((ACTIVATED, RETIRED)))
        .order_by(row.seq)
    )
    if workflow:
        wanted = wanted.where(row.workflow == workflow)
    with database.read() as connection:
        newest = {one.workflow: one for one in connection.execute(wanted)}
    return {name: one.version for name, one in newest.items() if one.kind == ACTIVATED}


def told_policy(database: Database) -> str | None:
    """Return the digest of the policy in force as the entries say, whatever the table does."""
    row = AuditEntryRow
    wanted = (
        select(LineMember("data", "after"))
        .where(row.run_id.is_(None), row.kind == POLICY_CHANGED)
        .order_by(row.seq.desc())
    )
    with database.read() as connection:
        return connection.execute(wanted.limit(1)).scalar()


def policy_was_refused(connection: Connection, policy: str) -> bool:
    """Say whether a policy has been refused since another one came into force the last time."""
    row = AuditEntryRow
    changed = select(func.coalesce(func.max(row.seq), 0)).where(
        row.run_id.is_(None), row.kind == POLICY_CHANGED
    )
    wanted = select(row.seq).where(
        row.run_id.is_(None),
        row.kind == REFUSED,
        row.seq > changed.scalar_subquery(),
        LineMember("data", "policy") == policy,
        LineMember("data", "why") == NOT_AGREED,
    )
    return connection.execute(wanted.limit(1)).first() is not None


def told_of(
    connection: Connection,
    workflow: str,
    *,
    owns: Sequence[str],
    most: int | None = None,
    skip: int = 0,
) -> list[Entry]:
    """Return what was told of a workflow's place in the catalog, the newest first.

    These are the entries about it, refused proposals too, and the first ones of runs of `owns`
    that proposed a change of it and did not come to their end, or not yet.
    """
    told = _told(workflow, owns)
    newest = told.order_by(AuditEntryRow.ts.desc(), AuditEntryRow.seq.desc())
    return entries_of(connection, connection.execute(newest.limit(most).offset(skip)).all())


def count_told(connection: Connection, workflow: str, *, owns: Sequence[str]) -> int:
    """Return how many these are."""
    found = select(func.count()).select_from(_told(workflow, owns).subquery())
    return int(connection.execute(found).scalar_one())


def _told(workflow: str, owns: Sequence[str]) -> Select[int, int | None, str]:
    row, first = AuditEntryRow, AuditEntryRow.__table__.alias()
    # Only then is it sure to hold an object: no database may look into another part.
    is_input = and_(AuditPartRow.name == "input", first.c.rseq == 0)
    proposed = (
        select(first.c.seq)
        .join(RunRecord, RunRecord.id == first.c.run_id)
        .join(AuditPartRow, AuditPartRow.entry_seq == first.c.seq)
        .where(
            RunRecord.workflow.in_(owns),
            or_(RunRecord.outcome.is_(None), RunRecord.outcome != Status.DONE.value),
            is_input,
            case((is_input, PartMember("workflow"))) == workflow,
        )
    )
    about = select(row.seq).where(
        IS_OUTSIDE_RUNS,
        row.kind.in_((PUBLISHED, ACTIVATED, RETIRED, LEVELS, REFUSED)),
        row.workflow == workflow,
    )
    # Of one condition or the other Postgres would read the whole table.
    return select(*COLUMNS).where(row.seq.in_(union_all(about.correlate(None), proposed)))


def replaced_by(database: Database, workflow: str, version: str) -> str | None:
    """Return which other version was active before this one became so the last time."""
    replaces = LineMember("data", "replaces")
    wanted = (
        select(replaces.label("replaces"))
        .where(
            AuditEntryRow.run_id.is_(None),
            AuditEntryRow.kind == ACTIVATED,
            AuditEntryRow.workflow == workflow,
            LineMember("data", "version") == version,
            replaces != version,
        )
        .order_by(AuditEntryRow.seq.desc())
    )
    with database.read() as connection:
        return connection.execute(wanted.limit(1)).scalar()


def versions_had(database: Database, workflow: str) -> Iterator[tuple[datetime, str | None]]:
    """Yield which version a workflow had from when on, the newest first; None is no version."""
    row = AuditEntryRow
    wanted = (
        select(row.ts, row.kind, LineMember("data", "version").label("version"))
        .where(IS_OUTSIDE_RUNS, row.kind.in_((ACTIVATED, RETIRED)), row.workflow == workflow)
        .order_by(row.seq.desc())
    )
    with database.read() as connection:
        found = connection.execute(wanted).all()
    for one in found:
        yield moment(one.ts), one.version if one.kind == ACTIVATED else None


def code_of_versions(database: Database) -> Mapping[str, str]:
    """Return by which actions' code each version was published, or last made active."""
    version, actions = LineMember("data", "version"), LineMember("data", "actions")
    wanted = (
        select(version.label("version"), actions.label("actions"))
        .where(
            IS_OUTSIDE_RUNS,
            AuditEntryRow.kind.in_((PUBLISHED, ACTIVATED)),
            actions.is_not(None),
        )
        .order_by(AuditEntryRow.seq)
    )
    with database.read() as connection:
        return {row.version: row.actions for row in connection.execute(wanted)}


def open_runs(database: Database, workflow: str) -> Mapping[RunId, Mapping[str, Json]]:
    """Return the inputs of each run of a workflow that has not ended, as it was started."""
    wanted = (
        select(RunRecord.id, AuditPartRow.body)
        .join(AuditEntryRow, AuditEntryRow.run_id == RunRecord.id)
        .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
        .where(
            RunRecord.workflow == workflow,
            RunRecord.finished_at.is_(None),
            AuditEntryRow.rseq == 0,
            AuditPartRow.name == "input",
        )
        .order_by(RunRecord.started_at, RunRecord.id)
    )
    with database.read() as connection:
        return {row.id: json.loads(row.body) for row in connection.execute(wanted)}


def _about(workflow: str, *kinds: str) -> Select[int]:
    return select(AuditEntryRow.seq).where(
        IS_OUTSIDE_RUNS,
        AuditEntryRow.kind.in_(kinds),
        AuditEntryRow.workflow == workflow,
    )
