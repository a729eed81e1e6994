"""The figures of a period: runs and how they ended, decisions and how long they took, what waits.

Counted from the projections, and from entries by their place in the log; how they are told is
for `bot/digest`.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select

from storage.anchors import Anchor, Turn, newest_of_each, read_turns
from storage.audit_models import AuditEntryRow
from storage.history import COLUMNS, entries_of
from storage.limit_models import GlassUseRecord
from storage.pushing import PushState, read_failing
from storage.refusals import Refused, count_refused
from storage.retention.counts import Removed, read_removed
from storage.run_models import IS_OPEN, DecisionRecord, RequestRecord, RunRecord
from storage.shadow_runs import ended_in_shadow
from storage.waiting_runs import STANDS, WaitingRuns, read_waiting_runs
from workflows.entry import Entry
from workflows.gate import Outcome
from workflows.run import Status

MOST_LISTED = 50  # Of waiting runs, and of entries of one kind.
REFUSED = (Status.DENIED, Status.EXPIRED, Status.WITHDRAWN)
FAILED = (Status.FAILED, Status.ABORTED, Status.CANCELLED)
DECIDED = (Outcome.APPROVED, Outcome.DENIED)
# Lines are canonical JSON without a space, and no person's words stand in them.
SETTLES = '"settles":true'
AGREED = ("approval.granted", "break_glass.used")
TROUBLES = (
    "action.in_doubt",
    "verification.failed",
    "verification.unknown",
    "break_glass.used",
)
CHANGES = (
    "workflow.published",
    "workflow.activated",
    "workflow.retired",
    "workflow.level_changed",
    "policy.changed",
    "role.granted",
    "role.revoked",
    "key.add",
    "key.retire",
    "key.revoke",
    "erasure",
    "retention.sweep",
    "hold.set",
    "hold.lifted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A period in five numbers."""

    started: int
    done: int
    refused: int
    failed: int
    median_decision: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The newest entries of each of some kinds, and how many there are before them."""

    newest: Sequence[Entry]
    earlier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened between two moments, and between two places of the log."""

    started: Counter[str]  # By workflow.
    ended: Counter[tuple[str, Status]]  # By workflow and end.
    ended_on: Counter[tuple[date, Status]]  # By day (UTC) and end.
    shadows: int  # Runs in shadow that ended; they count nowhere else among what ended.
    still_open: Counter[str]  # By workflow, now.
    settled: Counter[Outcome]
    median_decision: timedelta | None
    before: Sums  # Of the period before, which is as long.
    waiting: WaitingRuns  # Now.
    troubles: Listed
    changes: Listed
    anchors: Sequence[Anchor]  # The newest of each type.
    turns: Sequence[Turn]
    unpushed: Sequence[PushState]  # Where entries are pushed to and not taken, now.
    checks: Sequence[Entry]  # Our own verifications.
    removed: Removed
    refused: Refused


def read_figures(
    connection: Connection, *, since: datetime, until: datetime, places: range, now: datetime
) -> Figures:
    """Return the figures of the period; `places` are the entries it tells of."""
    ended, ended_on = _ended(connection, since, until)
    settled, median_decision = _settled(connection, since, until)
    return Figures(
        started=_started(connection, since, until),
        ended=ended,
        ended_on=ended_on,
        shadows=_shadows(connection, since, until),
        still_open=_open(connection),
        settled=settled,
        median_decision=median_decision,
        before=read_sums(connection, since=since - (until - since), until=since),
        waiting=read_waiting_runs(connection, now=now, most=MOST_LISTED),
        troubles=_listed(connection, TROUBLES, places),
        changes=_listed(connection, CHANGES, places),
        anchors=newest_of_each(connection),
        turns=read_turns(connection),
        unpushed=read_failing(connection, now=now),
        checks=_all(connection, ("verify.run",), places),
        removed=read_removed(connection, places),
        refused=count_refused(connection, places),
    )


def read_sums(connection: Connection, *, since: datetime, until: datetime) -> Sums:
    """Return the five numbers of a period."""
    ended = Counter[Status]()
    for (_, status), count in _ended(connection, since, until)[0].items():
        ended[status] += count
    return Sums(
        started=_started(connection, since, until).total(),
        done=ended[Status.DONE],
        refused=sum(ended[one] for one in REFUSED),
        failed=sum(ended[one] for one in FAILED),
        median_decision=_settled(connection, since, until)[1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What waits for people at this moment, and since when the oldest of it does."""

    requests: int
    requests_until: datetime | None  # When the first of them expires.
    runs: int  # In doubt, or stopped by an exception.
    runs_since: datetime | None  # When the oldest of them was started.


def read_standing(connection: Connection, *, now: datetime) -> Standing:
    """Return how much waits for a decision, and how much for somebody to settle it."""
    request, run = RequestRecord, RunRecord
    requests = connection.execute(
        select(func.count(), func.min(request.expires_at)).where(IS_OPEN, request.expires_at > now)
    ).one()
    runs = connection.execute(
        select(func.count(), func.min(run.started_at)).where(run.status.in_(STANDS))
    ).one()
    return Standing(
        requests=requests[0], requests_until=requests[1], runs=runs[0], runs_since=runs[1]
    )


def _started(connection: Connection, since: datetime, until: datetime) -> Counter[str]:
    query = (
        select(RunRecord.workflow, func.count())
        .where(RunRecord.started_at >= since, RunRecord.started_at < until)
        .group_by(RunRecord.workflow)
        .order_by(RunRecord.workflow)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def _ended(
    connection: Connection, since: datetime, until: datetime
) -> tuple[Counter[tuple[str, Status]], Counter[tuple[date, Status]]]:
    """Return how many runs ended how, by workflow and by day; no run is kept in memory."""
    query = (
        select(RunRecord.workflow, RunRecord.status, RunRecord.finished_at)
        .where(RunRecord.finished_at >= since, RunRecord.finished_at < until, ~ended_in_shadow())
        .order_by(RunRecord.finished_at, RunRecord.id)
    )
    by_workflow, by_day = Counter[tuple[str, Status]](), Counter[tuple[date, Status]]()
    for row in connection.execute(query):
        if row.finished_at is not None:
            status = Status(row.status)
            by_workflow[row.workflow, status] += 1
            by_day[row.finished_at.astimezone(UTC).date(), status] += 1
    return by_workflow, by_day


def _shadows(connection: Connection, since: datetime, until: datetime) -> int:
    query = select(func.count()).where(
        RunRecord.finished_at >= since, RunRecord.finished_at < until, ended_in_shadow()
    )
    return connection.execute(query).scalar_one()


def _open(connection: Connection) -> Counter[str]:
    query = (
        select(RunRecord.workflow, func.count())
        .where(RunRecord.finished_at.is_(None))
        .group_by(RunRecord.workflow)
        .order_by(RunRecord.workflow)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def _settled(
    connection: Connection, since: datetime, until: datetime
) -> tuple[Counter[Outcome], timedelta | None]:
    """Return what became of how many requests, and the time that half of the decided took."""
    outcomes, seconds = Counter[Outcome](), array("d")
    for outcome, took in _settled_one_by_one(connection, since, until):
        outcomes[outcome] += 1
        if outcome in DECIDED:
            seconds.append(took.total_seconds())
    return outcomes, _median(seconds)


def _settled_one_by_one(
    connection: Connection, since: datetime, until: datetime
) -> Iterator[tuple[Outcome, timedelta]]:
    query = (
        select(RequestRecord.outcome, RequestRecord.raised_at, RequestRecord.settled_at)
        .where(RequestRecord.settled_at >= since, RequestRecord.settled_at < until)
        .order_by(RequestRecord.settled_at, RequestRecord.id)
    )
    for row in connection.execute(query):
        if row.settled_at is not None:
            yield Outcome(row.outcome), row.settled_at - row.raised_at
    yield from _approved_before(connection, since, until)


def _approved_before(
    connection: Connection, since: datetime, until: datetime
) -> Iterator[tuple[Outcome, timedelta]]:
    """Yield the requests that were approved, and superseded when a person went on otherwise.

    A step that failed is left out, or asked about anew: people had decided all the same.
    """
    decision, glass = DecisionRecord, GlassUseRecord
    request, entry = RequestRecord, AuditEntryRow
    for asked, said, at in (
        (decision.request_id, decision.entry_id, decision.decided_at),
        (glass.request_id, glass.id, glass.used_at),
    ):
        query = (
            select(request.raised_at, at)
            .join(request, request.id == asked)
            .join(entry, entry.uid == said)
            .where(at >= since, at < until, request.outcome == Outcome.SUPERSEDED)
            .where(entry.kind.in_(AGREED), entry.line.contains(SETTLES))
            .order_by(at, request.id)
        )
        for row in connection.execute(query):
            yield Outcome.APPROVED, row[1] - row[0]


def _median(seconds: Sequence[float]) -> timedelta | None:
    if not seconds:
        return None
    from statistics import median  # noqa: PLC0415 - with the first digest.

    return timedelta(seconds=median(seconds))


def _listed(connection: Connection, kinds: Sequence[str], places: range) -> Listed:
    """Return the newest entries of each of these kinds among `places`, in their order.

    A thousand of one kind, erasures for example, hide none of another.
    """
    row, among = AuditEntryRow, _among(kinds, places)
    nth = func.row_number().over(partition_by=row.kind, order_by=row.idx.desc()).label("nth")
    numbered = select(row.idx, nth).where(among).subquery()
    newest = select(numbered.c.idx).where(numbered.c.nth <= MOST_LISTED)
    found = select(*COLUMNS).where(row.idx.in_(newest)).order_by(row.idx)
    rows = connection.execute(found).all()
    total = connection.execute(select(func.count()).where(among)).scalar_one()
    return Listed(newest=entries_of(connection, rows), earlier=total - len(rows))


def _all(connection: Connection, kinds: Sequence[str], places: range) -> list[Entry]:
    every = select(*COLUMNS).where(_among(kinds, places)).order_by(AuditEntryRow.idx)
    return entries_of(connection, connection.execute(every).all())


def _among(kinds: Sequence[str], places: range) -> ColumnElement[bool]:
    row = AuditEntryRow
    return and_(row.kind.in_(kinds), row.idx >= places.start, row.idx < places.stop)
