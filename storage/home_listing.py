"""What somebody's Home shows, read a page at a time. Every read here is by an index.

None grows with the log, with what waits for others, or with all that waits for this person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, select, tuple_

from storage.glass_sql import GlassSql
from storage.home_models import AwaitedRecord
from storage.listing import ListedRun, listed, place_in, runs_query
from storage.message_models import OutboxRecord
from storage.outbox_values import MessagePlace
from storage.run_models import IS_TROUBLED, DecisionRecord, RequestRecord, RunRecord
from storage.run_sql import RunSql
from storage.transaction import Database
from workflows.entry import RequestId, RunId
from workflows.gate import ApprovalRequest, Decision, Outcome, Verdict
from workflows.glass import GlassUse
from workflows.store import Subject

_IS_REQUEST = AwaitedRecord.is_question == false()
MOST_REVIEWS = 100  # That are looked through for one person.


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """Something that waits for a person; `entry` raised it, where it is a request."""

    id: RequestId
    run: RunId
    is_question: bool
    until: datetime
    entry: str | None
    place: MessagePlace | None  # Of the request's card.
    batch: RequestId | None = None  # It stands for all that wait together with it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A decision that somebody gave."""

    request: RequestId
    verdict: Verdict
    at: datetime


def list_awaited(
    database: Database,
    ref: str,
    *,
    in_place_of: Collection[str] = (),
    now: datetime,
    skip: int,
    most: int,
) -> list[Awaited]:
    """Return what waits for somebody, the nearest end first, each thing once.

    Requests that wait for one of `in_place_of` are among it; questions are for nobody else.
    """
    wanted = skip + most
    others = [_waiting(one, now).where(_IS_REQUEST) for one in sorted(in_place_of)]
    with database.read() as connection:
        # One after the other: an index gives the order of one person, not that of several.
        found = [
            [_awaited(row) for row in connection.execute(query.limit(wanted))]
            for query in (_waiting(ref, now), *others)
        ]
    ordered = merge(*found, key=lambda one: (one.until, one.id))
    return list({one.batch or one.id: one for one in ordered}.values())[skip:wanted]


def _waiting(ref: str, now: datetime) -> Select[Any]:
    card = and_(
        OutboxRecord.subject == Subject.CARD,
        OutboxRecord.key == func.coalesce(RequestRecord.batch, AwaitedRecord.id),
    )
    columns: tuple[Any, ...] = (
        AwaitedRecord.id,
        AwaitedRecord.run_id,
        AwaitedRecord.is_question,
        AwaitedRecord.until,
        RequestRecord.entry_id,
        RequestRecord.batch,
        OutboxRecord.place_channel,
        OutboxRecord.place_ts,
    )
    return (
        select(*columns)
        .outerjoin(RequestRecord, RequestRecord.id == AwaitedRecord.id)
        .outerjoin(OutboxRecord, card)
        .where(AwaitedRecord.ref == ref, AwaitedRecord.until > now, _speaks_for_its_batch(now))
        .order_by(AwaitedRecord.until, AwaitedRecord.id)
    )


def _speaks_for_its_batch(now: datetime) -> ColumnElement[bool]:
    """Return that a thing is in no batch, or of those that wait in it the one that ends first."""
    also, requests = AwaitedRecord.__table__.alias(), RequestRecord.__table__.alias()
    other, its = also.c, requests.c
    ends_first = tuple_(other.until, other.id) < tuple_(AwaitedRecord.until, AwaitedRecord.id)
    before = (
        select(other.id)
        .select_from(also.join(requests, its.id == other.id))
        .where(
            its.batch == RequestRecord.batch,
            other.ref == AwaitedRecord.ref,
            other.until > now,
            ends_first,
        )
    )
    return ~before.exists()


def _awaited(row: Row[Any]) -> Awaited:
    return Awaited(
        id=RequestId(row.id),
        run=RunId(row.run_id),
        is_question=row.is_question,
        until=row.until,
        entry=row.entry_id,
        batch=None if row.batch is None else RequestId(row.batch),
        place=place_in(row),
    )


def count_awaited(database: Database, ref: str, *, now: datetime, most: int) -> int:
    """Return how many things wait for somebody themself; it stops counting at `most`."""
    few = (
        select(AwaitedRecord.id)
        .outerjoin(RequestRecord, RequestRecord.id == AwaitedRecord.id)
        .where(AwaitedRecord.ref == ref, AwaitedRecord.until > now, _speaks_for_its_batch(now))
        .limit(most)
    )
    with database.read() as connection:
        found = connection.execute(select(func.count()).select_from(few.subquery())).scalar()
    return int(found or 0)


def reviews_for(database: Database, ref: str, *, most: int) -> list[GlassUse]:
    """Return the uses of the glass that somebody was asked to review, and that nobody has.

    There are few at any time: whoever broke it cannot do so again before an overdue review.
    """
    with database.glance() as tx:
        found = GlassSql(tx).unreviewed(most=MOST_REVIEWS)
    return [one for one in found if ref in one.reviewers][:most]


def runs_going(
    database: Database, ref: str, *, among: frozenset[str] | None = None, skip: int, most: int
) -> list[ListedRun]:
    """Return the runs that somebody asked for and that have not ended, the newest first.

    With `among` only those of these workflows.
    """
    query = _asked_by(ref, among).where(RunRecord.finished_at.is_(None))
    newest = (RunRecord.started_at.desc(), RunRecord.id.desc())
    return _runs(database, query.order_by(*newest).offset(skip).limit(most))


def runs_ended(
    database: Database, ref: str, *, among: frozenset[str] | None = None, most: int
) -> list[ListedRun]:
    """Return the runs that somebody asked for and that ended last; `among` as above."""
    query = _asked_by(ref, among).where(RunRecord.finished_at.is_not(None))
    newest = (RunRecord.finished_at.desc(), RunRecord.id.desc())
    return _runs(database, query.order_by(*newest).limit(most))


def _asked_by(ref: str, among: frozenset[str] | None) -> Select[Any]:
    query = runs_query().where(RunRecord.requester == ref)
    return query if among is None else query.where(RunRecord.workflow.in_(sorted(among)))


def troubled_runs(database: Database, workflow: str, *, most: int) -> list[ListedRun]:
    """Return the runs of a workflow in which something waits to be settled, the oldest first."""
    # In the very words of its index, without which SQLite would not take it.
    query = runs_query().where(RunRecord.workflow == workflow, IS_TROUBLED)
    return _runs(database, query.order_by(RunRecord.started_at, RunRecord.id).limit(most))


def _runs(database: Database, query: Select[Any]) -> list[ListedRun]:
    with database.read() as connection:
        return [listed(row) for row in connection.execute(query)]


def last_decision(database: Database, ref: str) -> Given | None:
    """Return what somebody decided last."""
    query = (
        select(DecisionRecord.request_id, DecisionRecord.verdict, DecisionRecord.decided_at)
        .where(DecisionRecord.approver == ref)
        .order_by(DecisionRecord.seq.desc())
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return Given(request=RequestId(row.request_id), verdict=row.verdict, at=row.decided_at)


def open_request(
    database: Database, request: RequestId
) -> tuple[ApprovalRequest, Sequence[Decision]] | None:
    """Return a request and what was decided on it, None once it is settled."""
    with database.glance() as tx:
        sql = RunSql(tx)
        found = sql.request(request)
        if found is None or found.outcome is not Outcome.OPEN:
            return None
        return found, sql.decisions(request)
