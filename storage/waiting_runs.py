"""Which runs wait for a person at a moment: to decide, to answer, or to say how it goes on.

A run that waits for a time, another run or a message waits for nobody, and one of whose branches
waits for a person does, whatever the others do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from storage.run_models import QuestionRecord, RequestRecord, RunRecord
from workflows.entry import Ref, RunId
from workflows.gate import Outcome
from workflows.quick_json import loaded
from workflows.run import Status

STANDS = (Status.IN_DOUBT, Status.EXCEPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun:
    """A run that waits for a person; `answerers` are who may answer what it asks, if it asks."""

    run: RunId
    workflow: str
    status: Status
    step: str | None
    since: datetime
    is_asked: bool  # For an approval.
    answerers: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRuns:
    """Those that began first, and how many there are."""

    first: Sequence[WaitingRun] = ()
    total: int = 0


def read_waiting_runs(connection: Connection, *, now: datetime, most: int) -> WaitingRuns:
    """Return the runs that wait for a person, at most so many of them by name."""
    run = RunRecord
    is_asked = run.id.in_(_asked(now)).label("is_asked")
    waits = _wait(now)
    query = (
        select(run.id, run.workflow, run.status, run.step, run.started_at, is_asked)
        .where(waits)
        .order_by(run.started_at, run.id)
        .limit(most)
    )
    rows = connection.execute(query).all()
    answerers = _answerers(connection, [row.id for row in rows], now)
    first = [
        WaitingRun(
            run=RunId(row.id),
            workflow=row.workflow,
            status=Status(row.status),
            step=row.step,
            since=row.started_at,
            is_asked=bool(row.is_asked),
            answerers=answerers.get(row.id, ()),
        )
        for row in rows
    ]
    total = connection.execute(select(func.count()).select_from(run).where(waits)).scalar_one()
    return WaitingRuns(first=first, total=total)


def _wait(now: datetime) -> ColumnElement[bool]:
    run = RunRecord
    questions = select(QuestionRecord.run_id).where(_is_open(now))
    waits = or_(run.status.in_(STANDS), run.id.in_(_asked(now)), run.id.in_(questions))
    return and_(run.finished_at.is_(None), waits)


def _asked(now: datetime) -> Select[Any]:
    request = RequestRecord
    waits = (request.outcome == Outcome.OPEN, request.expires_at > now)
    return select(request.run_id).where(*waits)


def _is_open(now: datetime) -> ColumnElement[bool]:
    """Return that a question has no answer yet, and may still get one."""
    return and_(QuestionRecord.answered_at.is_(None), QuestionRecord.expires_at > now)


def _answerers(
    connection: Connection, runs: Sequence[str], now: datetime
) -> dict[str, tuple[Ref, ...]]:
    query = (
        select(QuestionRecord.run_id, QuestionRecord.people)
        .where(QuestionRecord.run_id.in_(runs), _is_open(now))
        .order_by(QuestionRecord.run_id, QuestionRecord.asked_at, QuestionRecord.id)
    )
    found: dict[str, tuple[Ref, ...]] = {}
    for run, people in connection.execute(query):
        more = (Ref(one) for one in loaded(people) or ())
        found[run] = tuple(dict.fromkeys((*found.get(run, ()), *more)))
    return found
