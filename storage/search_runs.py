"""Which runs a search is about: the conditions beside its words, and whose threads may be read.

The right to see is asked of each run that is met, on every way to it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from storage.message_models import OutboxRecord, SummaryRecord
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from workflows.entry import Ref
from workflows.run import Status
from workflows.store import Subject

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute  # It is never loaded: see storage.declaring.

FEW = 20_000  # So many runs are sooner looked up than met among those with a common word.
MOST_WALKS = 50


def is_root(run: ColumnElement[str]) -> ColumnElement[bool]:
    """Return that a message is the first of the thread of that run."""
    return (OutboxRecord.subject == Subject.ROOT) & (OutboxRecord.key == run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What to find. Every condition must hold; of several values of one, any does.

    Without words the newest come first. `channels` are those whose threads the asker may read,
    None for somebody who may read all; of the workflows `audited` they read every thread.
    """

    words: str = ""
    workflows: frozenset[str] = frozenset()
    requesters: frozenset[Ref] = frozenset()
    approvers: frozenset[Ref] = frozenset()  # Whoever approved or rejected something of it.
    outcomes: frozenset[Status] = frozenset()
    after: datetime | None = None  # Started then or later.
    before: datetime | None = None  # Started earlier.
    channels: Collection[str] | None = None
    audited: frozenset[str] = frozenset()
    among: frozenset[str] | None = None  # Of these workflows alone; None: of all.

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words is asked for."""
        named = self.workflows or self.requesters or self.approvers or self.outcomes
        return bool(named) or self.after is not None or self.before is not None


def is_narrowed(sought: Sought) -> bool:
    """Say whether a run can be left out for anything but its words."""
    is_limited = sought.channels is not None or sought.among is not None
    return sought.is_filtered or is_limited


def begun_last(sought: Sought, most: int, *also: ColumnElement[bool]) -> Select[Any]:
    """Return the query of the summaries' numbers of the `most` runs that began last.

    What is `also` asked of them holds beside the conditions.

    Each value of the most telling condition is walked by itself, in the index that has its runs
    by their beginning, so that the walk ends after so many.
    """
    run, summary = RunRecord, SummaryRecord.__table__
    columns = select(summary.c.id, run.started_at, run.id.label("run")).select_from(summary)
    every, newest = only(columns, sought).where(*also), (run.started_at.desc(), run.id.desc())
    telling, values = _most_telling(sought)
    if telling is None or not 1 < len(values) <= MOST_WALKS:
        return every.order_by(*newest).limit(most)
    walks = [every.where(telling == one).order_by(*newest).limit(most) for one in values]
    met = union_all(*(select(one.subquery()) for one in walks)).subquery()
    return select(met.c.id).order_by(met.c.started_at.desc(), met.c.run.desc()).limit(most)


def is_few(connection: Connection, sought: Sought) -> bool:
    """Say whether one condition alone leaves so few runs that they are sooner looked up first."""
    run = RunRecord
    counted: list[Select[Any]] = []
    telling, values = _most_telling(sought)
    if telling is not None:
        counted.append(select(run.id).where(telling.in_(values)))
    if sought.approvers:
        counted.append(
            select(DecisionRecord.seq).where(DecisionRecord.approver.in_(sorted(sought.approvers)))
        )
    if sought.after is not None or sought.before is not None:
        counted.append(select(run.id).where(*_times(sought)))
    counts = (select(func.count()).select_from(one.limit(FEW + 1).subquery()) for one in counted)
    return any(connection.execute(one).scalar_one() <= FEW for one in counts)


def only(
    query: Select[Any], sought: Sought, *, of: "ColumnElement[str] | None" = None
) -> Select[Any]:
    """Return the query of summaries, of wanted runs alone; `of` says which run each is of."""
    run, of = RunRecord, SummaryRecord.__table__.c.run_id if of is None else of
    joined = query.join(run, run.id == of).where(*_times(sought))
    if sought.workflows:
        joined = joined.where(run.workflow.in_(sorted(sought.workflows)))
    if sought.among is not None:
        joined = joined.where(run.workflow.in_(sorted(sought.among)))
    if sought.requesters:
        joined = joined.where(run.requester.in_(sorted(sought.requesters)))
    if sought.approvers:
        joined = joined.where(run.id.in_(_decided_by(sought.approvers)))
    if sought.outcomes:
        joined = joined.where(run.status.in_(sorted(sought.outcomes)))
    if sought.channels is None:
        return joined
    # A run names its channel as its definition does; its first message stands in one by id.
    there = func.coalesce(OutboxRecord.place_channel, run.channel).in_(sorted(sought.channels))
    is_audited = run.workflow.in_(sorted(sought.audited))
    return joined.outerjoin(OutboxRecord, is_root(of)).where(there | is_audited)


def _most_telling(sought: Sought) -> "tuple[InstrumentedAttribute[Any] | None, Sequence[str]]":
    """Return a column that is indexed together with a run's beginning, and its wanted values."""
    for column, values in (
        (RunRecord.requester, sought.requesters),
        (RunRecord.workflow, sought.workflows),
        (RunRecord.status, sought.outcomes),
    ):
        if values:
            return column, sorted(values)
    return None, ()


def _times(sought: Sought) -> Sequence[ColumnElement[bool]]:
    began = RunRecord.started_at
    return [
        *([began >= sought.after] if sought.after is not None else []),
        *([began < sought.before] if sought.before is not None else []),
    ]


def _decided_by(approvers: Collection[Ref]) -> Select[Any]:
    decided = select(RequestRecord.run_id).join(
        DecisionRecord, DecisionRecord.request_id == RequestRecord.id
    )
    return decided.where(DecisionRecord.approver.in_(sorted(approvers)))
