"""Runs and open requests as lists for people, each with who asked and where its message stands.

The engine's own reads are in `store`; nothing here locks anything.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)

from storage.audit_models import AuditSubjectRow, Common
from storage.base import UtcDateTime
from storage.message_models import OutboxRecord
from storage.outbox_values import MessagePlace
from storage.run_models import (
    IS_TROUBLED,
    ActiveDefinitionRecord,
    DueRecord,
    RequestRecord,
    RunLockRecord,
    RunRecord,
)
from storage.run_sql import RunSql
from storage.transaction import Database
from workflows.awaited import place_of
from workflows.entry import Ref, RequestId, RunId
from workflows.gate import ApprovalRequest, Decision, Outcome, Tally, tally
from workflows.people import PersonId
from workflows.run import Status
from workflows.store import DueKind, Subject

MOST = 200
_EVER = literal(datetime.fromtimestamp(0, tz=UTC), UtcDateTime())

_RequestRow: TypeAlias = Row[str, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run in a list. `requester` is an external id, or the name of what is no person."""

    id: RunId
    workflow: str
    version: str
    status: Status
    step: str | None
    trigger: str
    requester: str
    requester_name: str
    started_at: datetime
    finished_at: datetime | None
    channel: str
    place: MessagePlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRequest:
    """An open request in a list, with what was decided and how far its present stage is."""

    request: ApprovalRequest
    decisions: Sequence[Decision]
    tally: Tally
    place: MessagePlace | None

    def is_for(self, mine: frozenset[Ref], givers: Collection[Ref]) -> bool:
        """Say whether it waits for somebody, or for one in whose place they decide."""
        asked = self.request
        if asked.batch is None:
            places = (
                place_of(asked, self.decisions, one, in_place_of=givers, acting=()) for one in mine
            )
            return any(one is not None for one in places)
        # Of the items that it speaks for they may have decided some.
        people = frozenset().union(*(asked.stages[one].everybody for one in self.tally.waiting))
        return not people.isdisjoint(mine.union(givers)) and not mine & asked.excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs: everybody's, or only some. Empty means all."""

    requester: PersonId | None = None
    workflow: str = ""
    among: frozenset[str] | None = None  # Of these workflows; None: of all.
    runs: frozenset[RunId] | None = None  # These; None: any.
    statuses: frozenset[Status] = frozenset()
    since: datetime | None = None
    is_troubled: bool = False  # An exception or a doubt of it may wait for a person.


def list_runs(database: Database, wanted: Wanted, *, most: int = MOST) -> list[ListedRun]:
    """Return the newest runs that are wanted."""
    query = runs_query().order_by(RunRecord.started_at.desc(), RunRecord.id).limit(most)
    for condition in _conditions(wanted, most):
        query = query.where(condition)
    with database.read() as connection:
        return [listed(row) for row in connection.execute(query)]


def _conditions(wanted: Wanted, most: int) -> Iterator[ColumnElement[bool]]:
    of_one = [
        *([AuditSubjectRow.external_id == wanted.requester] if wanted.requester else []),
        *([RunRecord.workflow == wanted.workflow] if wanted.workflow else []),
    ]
    if wanted.is_troubled:
        yield RunRecord.id.in_(_troubled(wanted.among))
        yield from map(Common, of_one)  # A person or a workflow may have had any number of runs.
    else:
        yield from of_one
        if wanted.among is not None:
            is_among = RunRecord.workflow.in_(sorted(wanted.among))
            is_plain = not (of_one or wanted.statuses or wanted.since or wanted.runs)
            yield RunRecord.id.in_(_newest(wanted.among, most)) if is_plain else is_among
    if wanted.runs is not None:
        yield RunRecord.id.in_(sorted(wanted.runs))
    if wanted.since is not None:
        yield RunRecord.started_at >= wanted.since
    if wanted.statuses:
        yield RunRecord.status.in_(sorted(wanted.statuses))


def _newest(among: frozenset[str], most: int) -> Select[str]:
    """Return the ids of the newest runs of these workflows, looked for among those of each."""
    active, run, one = (
        ActiveDefinitionRecord,
        RunRecord.__table__.alias(),
        RunRecord.__table__.alias(),
    )
    since = (
        select(one.c.started_at)
        .where(one.c.workflow == active.workflow)
        .order_by(one.c.started_at.desc())
        .limit(1)
        .offset(most - 1)
        .scalar_subquery()
    )
    return (
        select(run.c.id)
        .join(active.__table__, run.c.workflow == active.workflow)
        .where(active.workflow.in_(sorted(among)))
        .where(run.c.started_at >= func.coalesce(since, _EVER))
        .order_by(run.c.started_at.desc(), run.c.id)
        .limit(most)
    )


def _troubled(among: frozenset[str] | None) -> CompoundSelect[str]:
    """Return the ids of runs that an exception or a doubt may keep waiting for a person.

    They are looked for first: there are few, however many runs there have been.
    """
    standing = select(RunRecord.id).where(IS_TROUBLED)
    # One branch may wait for a person while another goes on: its reminders know.
    reminding = select(RunRecord.id).where(
        DueRecord.run_id == RunRecord.id, DueRecord.kind == DueKind.CHASE
    )
    if among is not None:
        is_among = RunRecord.workflow.in_(sorted(among))
        standing, reminding = standing.where(is_among), reminding.where(is_among)
    return union(standing.correlate(None), reminding.correlate(None))


def runs_from(database: Database, source: str, *, most: int = MOST) -> list[ListedRun]:
    """Return the newest runs that were started from `source`, such as a message's address."""
    query = runs_query().where(RunRecord.source == source)
    newest = query.order_by(RunRecord.started_at.desc(), RunRecord.id).limit(most)
    with database.read() as connection:
        return [listed(row) for row in connection.execute(newest)]


def listed_run(database: Database, run: RunId) -> ListedRun | None:
    """Return one run as lists show it."""
    with database.read() as connection:
        row = connection.execute(runs_query().where(RunRecord.id == run)).first()
    return listed(row) if row is not None else None


def lock_holder(database: Database, run: RunId) -> ListedRun | None:
    """Return the run that holds the lock of this one just now, None where no other one does."""
    key = select(RunRecord.lock_key).where(RunRecord.id == run).scalar_subquery()
    query = runs_query().join(RunLockRecord, RunLockRecord.run_id == RunRecord.id)
    with database.read() as connection:
        row = connection.execute(query.where(RunLockRecord.key == key, RunRecord.id != run)).first()
    return listed(row) if row is not None else None


def list_open_requests(
    database: Database,
    *,
    now: datetime,
    among: frozenset[str] | None = None,
    runs: frozenset[RunId] | None = None,
    first: Collection[RequestId] = (),
    most: int = MOST,
) -> list[ListedRequest]:
    """Return what waits for decisions, the nearest end first; of `among` or `runs`, if given.

    Those that are `first`, or in such a batch, come before the rest, which `most` may leave out.
    What nobody can decide any more is not among it, although its end is not recorded yet.
    """
    query = (
        select(RequestRecord.id, OutboxRecord.place_channel, OutboxRecord.place_ts)
        .outerjoin(
            OutboxRecord,
            and_(
                OutboxRecord.subject == Subject.CARD,
                OutboxRecord.key == func.coalesce(RequestRecord.batch, RequestRecord.id),
            ),
        )
        .where(_waits(RequestRecord, now), _speaks_for_its_batch(now))
        .order_by(RequestRecord.expires_at, RequestRecord.id)
        .limit(most)
    )
    if among is not None:
        query = query.join(RunRecord, RunRecord.id == RequestRecord.run_id).where(
            RunRecord.workflow.in_(sorted(among))
        )
    if runs is not None:
        query = query.where(RequestRecord.run_id.in_(sorted(runs)))
    named = sorted(first)
    before = or_(RequestRecord.id.in_(named), RequestRecord.batch.in_(named))
    queries = (query.where(before), query) if named else (query,)
    with database.read() as connection:
        found = {row.id: row for one in queries for row in connection.execute(one)}
    rows = [*found.values()][:most]
    with database.glance() as tx:
        return [read for row in rows if (read := _open_request(RunSql(tx), row)) is not None]


def _waits(request: Any, now: datetime) -> ColumnElement[bool]:  # noqa: ANN401 - the table, or its alias.
    return and_(request.outcome == Outcome.OPEN, request.expires_at > now)


def _speaks_for_its_batch(now: datetime) -> ColumnElement[bool]:
    """Return that a request is in no batch, or of the open ones in it the one that ends first."""
    other = RequestRecord.__table__.alias().c
    ends_first = tuple_(other.expires_at, other.id) < tuple_(
        RequestRecord.expires_at, RequestRecord.id
    )
    before = select(other.id).where(
        other.batch == RequestRecord.batch, _waits(other, now), ends_first
    )
    return ~before.exists()


def refs_of(database: Database, person: PersonId) -> frozenset[Ref]:
    """Return the pseudonym of a person, if they have one."""
    query = select(AuditSubjectRow.ref).where(AuditSubjectRow.external_id == person)
    with database.read() as connection:
        return frozenset(Ref(ref) for ref in connection.execute(query).scalars())


def people_of(database: Database, refs: Sequence[str]) -> dict[str, tuple[PersonId, str]]:
    """Return external id and name behind each pseudonym that was not erased."""
    query = select(AuditSubjectRow.ref, AuditSubjectRow.external_id, AuditSubjectRow.display)
    with database.read() as connection:
        rows = connection.execute(query.where(AuditSubjectRow.ref.in_(refs)))
        return {row.ref: (PersonId(row.external_id), row.display or "") for row in rows}


def runs_query() -> Select[Any]:
    """Return the statement that finds runs; `listed` reads its rows."""
    return (
        select(
            *RunRecord.__table__.columns,
            AuditSubjectRow.external_id,
            AuditSubjectRow.display,
            OutboxRecord.place_channel,
            OutboxRecord.place_ts,
        )
        .outerjoin(AuditSubjectRow, AuditSubjectRow.ref == RunRecord.requester)
        .outerjoin(
            OutboxRecord,
            and_(OutboxRecord.subject == Subject.ROOT, OutboxRecord.key == RunRecord.id),
        )
    )


def listed(row: Row[Any]) -> ListedRun:
    """Return the run that a row of `runs_query` holds."""
    return ListedRun(
        id=RunId(row.id),
        workflow=row.workflow,
        version=row.version,
        status=Status(row.status),
        step=row.step,
        trigger=row.trigger,
        requester=row.external_id or row.requester,
        requester_name=row.display or "",
        started_at=row.started_at,
        finished_at=row.finished_at,
        channel=row.channel,
        place=place_in(row),
    )


def _open_request(sql: RunSql, row: _RequestRow) -> ListedRequest | None:
    request = sql.request(RequestId(row.id))
    if request is None or request.outcome is not Outcome.OPEN:
        return None
    decisions = sql.decisions(request.id)
    counted = tally(request, decisions)
    return ListedRequest(request=request, decisions=decisions, tally=counted, place=place_in(row))


def place_in(row: Row[Any] | _RequestRow) -> MessagePlace | None:
    """Return where the message of a row stands."""
    if row.place_ts is None:
        return None
    return MessagePlace(channel=row.place_channel, ts=row.place_ts)
