"""Reads a range of the log once and gathers its reports, in memory that does not grow with it."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, Row, Select, func, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow
from storage.evidence.cells import csv_row
from storage.evidence.contents import CHUNK, PLACE
from storage.evidence.reports import of_run, outside_runs
from storage.evidence.reports.columns import COLUMNS, COMMON, RETENTION
from storage.evidence.reports.fact import Cells, Fact, Finding, Findings, data_of
from storage.evidence.reports.of_run import RunReports
from storage.evidence.reports.outside_runs import OutsideRuns
from storage.evidence.reports.spool import Spool
from storage.evidence.reports.tally import Tally
from workflows.duration import duration_text
from workflows.entry import PartClass
from workflows.moments import moment, stamp
from workflows.policy_retention import Terms

Ts = TypeVarTuple("Ts")

ENTRY = (
    AuditEntryRow.idx,
    AuditEntryRow.uid,
    AuditEntryRow.ts,
    AuditEntryRow.kind,
    AuditEntryRow.run_id,
    AuditEntryRow.actor_ref,
    AuditEntryRow.line,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What was gathered: rows by report, counts, and when the range began and ended."""

    spool: Spool
    tally: Tally
    outside: OutsideRuns
    period: tuple[str, str] | None

    def lines(self, report: str) -> Iterator[str]:
        """Yield the lines of a report, its header first."""
        yield csv_row((*COMMON, *COLUMNS[report]))
        yield from self.spool.rows(report)

    def cells(self, report: str) -> Iterator[dict[str, str]]:
        """Yield the cells of each row of a report by the names of their columns."""
        yield from csv.DictReader(self.lines(report))


@contextmanager
def gathered(connection: Connection, start: int, end: int, terms: Terms) -> Iterator[Reports]:
    """Give the reports of the entries `start` to `end` - 1; payloads are kept for `terms`."""
    spool = Spool()
    try:
        yield _gather(connection, range(start, end), terms, spool)
    finally:
        spool.close()


def _gather(connection: Connection, places: range, terms: Terms, spool: Spool) -> Reports:
    start, end = places.start, places.stop
    people = select(AuditSubjectRow.ref, AuditSubjectRow.external_id)
    who = {row.ref: row.external_id for row in connection.execute(people)}
    tally, outside = Tally(), OutsideRuns()
    keep = _Keeper(spool, tally, who)
    inside = select(*ENTRY).where(start <= PLACE, end > PLACE)
    keep.all(_outside_runs(connection, inside, outside))
    for name, rows in groupby(_in_runs(connection, inside), key=attrgetter("run_id")):
        refused = outside.refused.pop(name, ())
        run = RunReports(reviews=outside.reviews, who=who, refused=refused)
        keep.all(_run(run, rows))
        tally.open_intents += len(run.intents)
    keep.all(outside.left_over())
    keep.all(_held(connection, start, end, terms))
    return Reports(
        spool=spool, tally=tally, outside=outside, period=_period(connection, start, end)
    )


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Writes findings as rows and counts them."""

    spool: Spool
    tally: Tally
    who: Mapping[str, str]

    def all(self, findings: Iterable[Finding]) -> None:
        for report, fact, cells in findings:
            self.tally.take(report, cells)
            common = (fact.idx, fact.ts, fact.kind, fact.run, fact.actor, self.who.get(fact.actor))
            row = csv_row((*common, *(cells.get(name) for name in COLUMNS[report])))
            self.spool.add(report, fact.idx, row)


def _outside_runs(connection: Connection, inside: Select[*Ts], outside: OutsideRuns) -> Findings:
    wanted = inside.where(
        AuditEntryRow.run_id.is_(None), AuditEntryRow.kind.in_(sorted(outside_runs.READ))
    )
    for row in _rows(connection, wanted.order_by(PLACE)):
        yield from outside.take(_fact(row, outside_runs.READ))
    yield from outside.finish()


def _in_runs(connection: Connection, inside: Select[*Ts]) -> Iterator[Row[*Ts]]:
    # The index over run and place in it gives them in this order.
    return _rows(
        connection,
        inside.where(AuditEntryRow.run_id.is_not(None)).order_by(
            AuditEntryRow.run_id, AuditEntryRow.rseq
        ),
    )


def _run(run: RunReports, rows: Iterable[Row[*tuple[Any, ...]]]) -> Findings:
    for row in rows:
        yield from run.take(_fact(row, of_run.READ))
    yield from run.finish()


def _held(connection: Connection, start: int, end: int, terms: Terms) -> Findings:
    """Yield, for each class, the oldest entry of the range with a part that is still held."""
    oldest = (
        select(
            AuditPartRow.cls,
            func.min(AuditEntryRow.idx).label("idx"),
            func.count().label("n"),
        )
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(start <= PLACE, end > PLACE)
        .group_by(AuditPartRow.cls)
    )
    for row in connection.execute(oldest.order_by(AuditPartRow.cls)).all():
        entry = connection.execute(select(*ENTRY).where(row.idx == PLACE)).one()
        cells: Cells = {
            "event": "oldest-held",
            "subject": row.cls,
            **_due(row.cls, str(entry.ts), terms),
            "n": row.n,
        }
        yield RETENTION, _fact(entry, frozenset()), cells


def _due(cls: str, ts: str, terms: Terms) -> Cells:
    """Return how long a class is kept and until when; what is broken in the database says less."""
    term = terms.get(PartClass(cls)) if cls in set(PartClass) else None
    if term is None:
        return {}
    try:
        return {"term": duration_text(term), "due": stamp(moment(ts) + term)}
    except (ValueError, OverflowError):
        return {"term": duration_text(term)}


def _period(connection: Connection, start: int, end: int) -> tuple[str, str] | None:
    found = select(AuditEntryRow.ts).where(PLACE.in_((start, end - 1))).order_by(PLACE)
    ends = connection.execute(found).scalars().all() if start < end else []
    return (str(ends[0]), str(ends[-1])) if ends else None


def _fact(row: Row[*tuple[Any, ...]], read: frozenset[str]) -> Fact:
    return Fact(
        idx=row.idx,
        id=str(row.uid),
        ts=str(row.ts),
        kind=str(row.kind),
        run=row.run_id or "",
        actor=str(row.actor_ref),
        data=data_of(row.line) if row.kind in read else {},
    )


def _rows(connection: Connection, wanted: Select[*Ts]) -> Iterator[Row[*Ts]]:
    yield from connection.execute(wanted, execution_options={"yield_per": CHUNK})
