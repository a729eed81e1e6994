"""What somebody's Home shows, read a page at a time. Every read here is by an index.

None grows with the log, with what waits for others, or with all that waits for this person.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from storage.glass_sql import GlassSql
from storage.home_models import AwaitedRecord
from storage.listing import ListedRun, listed, place_in, runs_query
from storage.message_models import OutboxRecord
from storage.outbox_values import MessagePlace
from storage.run_models import IS_TROUBLED, DecisionRecord, RequestRecord, RunRecord
from storage.run_sql import RunSql
from storage.transaction import Database
from workflows.entry import RequestId, RunId
from workflows.gate import ApprovalRequest, Outcome, Tally, Verdict, tally
from workflows.glass import GlassUse
from workflows.store import Subject

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A decision that somebody gave."""

    request: RequestId
    verdict: Verdict
    at: datetime


def list_awaited(
    database: Database, refs: Collection[str], *, now: datetime, skip: int, most: int
) -> list[Awaited]:
    """Return what waits for any of `refs`, the nearest end first, each thing once."""
    wanted = skip + most
    with database.read() as connection:
        # One after the other: an index gives the order of one person, not that of several.
        found = [
            [_awaited(row) for row in connection.execute(_waiting(ref, now).limit(wanted))]
            for ref in sorted(refs)
        ]
    ordered = merge(*found, key=lambda one: (one.until, one.id))
    once = list({one.id: one for one in islice(ordered, wanted * max(1, len(refs)))}.values())
    return once[skip:wanted]


def _waiting(ref: str, now: datetime) -> Select[Any]:
    card = and_(OutboxRecord.subject == Subject.CARD, OutboxRecord.key == AwaitedRecord.id)
    columns: tuple[Any, ...] = (
        AwaitedRecord.id,
        AwaitedRecord.run_id,
        AwaitedRecord.is_question,
        AwaitedRecord.until,
        RequestRecord.entry_id,
        OutboxRecord.place_channel,
        OutboxRecord.place_ts,
    )
    return (
        select(*columns)
        .outerjoin(RequestRecord, RequestRecord.id == AwaitedRecord.id)
        .outerjoin(OutboxRecord, card)
        .where(AwaitedRecord.ref == ref, AwaitedRecord.until > now)
        .order_by(AwaitedRecord.until, AwaitedRecord.id)
    )


def _awaited(row: Row[Any]) -> Awaited:
    return Awaited(
        id=RequestId(row.id),
        run=RunId(row.run_id),
        is_question=row.is_question,
        until=row.until,
        entry=row.entry_id,
        place=place_in(row),
    )


def count_awaited(database: Database, refs: Collection[str], *, now: datetime, most: int) -> int:
    """Return how many things wait for any of `refs`; it stops counting at `most`."""
    few = (
        select(AwaitedRecord.id)
        .where(AwaitedRecord.ref.in_(sorted(refs)), AwaitedRecord.until > now)
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


def runs_going(database: Database, ref: str, *, skip: int, most: int) -> list[ListedRun]:
    """Return the runs that somebody asked for and that have not ended, the newest first."""
    query = runs_query().where(RunRecord.requester == ref, RunRecord.finished_at.is_(None))
    newest = (RunRecord.started_at.desc(), RunRecord.id.desc())
    return _runs(database, query.order_by(*newest).offset(skip).limit(most))


def runs_ended(database: Database, ref: str, *, most: int) -> list[ListedRun]:
    """Return the runs that somebody asked for and that ended last."""
    query = runs_query().where(RunRecord.requester == ref, RunRecord.finished_at.is_not(None))
    newest = (RunRecord.finished_at.desc(), RunRecord.id.desc())
    return _runs(database, query.order_by(*newest).limit(most))


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


def open_request(database: Database, request: RequestId) -> tuple[ApprovalRequest, Tally] | None:
    """Return a request and how far it is, None once it is settled."""
    with database.glance() as tx:
        sql = RunSql(tx)
        found = sql.request(request)
        if found is None or found.outcome is not Outcome.OPEN:
            return None
        return found, tally(found, sql.decisions(request))
