"""The cells of a pack's reports: does each say what the entries of the pack make of it?

The reports are made once more, from the lines in the pack, and compared cell by cell. What no
entry tells is left out: for how long a class of payloads is kept, and which are held where some
are withheld. A column or a kind of entry that this release does not know is passed over; a table
without one of the columns is of another release, and misses no row.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import TypeAlias

from storage.evidence import names
from storage.evidence.cells import cell
from storage.evidence.reports import of_run, outside_runs
from storage.evidence.reports.columns import COLUMNS, COMMON, RETENTION
from storage.evidence.reports.fact import Findings
from storage.evidence.reports.of_run import RunReports
from storage.evidence.reports.outside_runs import OutsideRuns
from storage.evidence.reports.spool import Spool
from storage.verify.pack_facts import PackFacts
from storage.verify.pack_files import PackFiles
from storage.verify.pack_reports import NAME, PLACE, lines_of, text_of
from storage.verify.report import Report
from workflows.duration import duration
from workflows.moments import moment, stamp

READ = of_run.READ | outside_runs.READ
HELD = "oldest-held"
LONGEST_NAME = 40
Row: TypeAlias = dict[str, str]  # Cells by the names of their columns.
Told: TypeAlias = tuple[int, Row]


def judge_cells(
    files: PackFiles, people: Mapping[str, str], report: Report, *, start: int, withholds: bool
) -> None:
    """Compare every cell of every report with what the entries of the pack make of it.

    `people` says who is behind a pseudonym, `start` where the range begins. A pack that
    `withholds` payloads cannot show how many are held.
    """
    with closing(Spool()) as spool, closing(PackFacts(files, start)) as facts:
        for one, fact, cells in _made_of(facts, people, withholds=withholds):
            row = {name: cell(cells.get(name)) for name in COLUMNS[one]}
            row |= {"ts": fact.ts, "kind": fact.kind}
            spool.add(one, fact.idx, json.dumps(row))
        for name in sorted(one for one in files.names() if NAME.fullmatch(one)):
            one = name.removeprefix(names.REPORTS).removesuffix(".csv")
            with text_of(files, name) as file:
                rows = csv.reader(lines_of(file))
                columns = _columns(rows)
                _judge_columns(name, columns, COLUMNS.get(one, ()), report)
                if one not in COLUMNS:
                    continue
                told = _without_terms(_rows(rows, columns), withholds=withholds)
                misses = set(columns).issuperset(COLUMNS[one])
                _Comparison(name, report, misses=misses).run(_spooled(spool, one), told)


def _judge_columns(name: str, columns: Sequence[str], known: Sequence[str], report: Report) -> None:
    """Say what of a table nobody compares: whoever has the log key can write anything there."""
    if len(set(columns)) < len(columns):
        report.fail("index-row", f"{name} has a column twice.")
    unknown = [one for one in columns if one not in COMMON and one not in known]
    if unknown:
        first = unknown[0][:LONGEST_NAME]
        report.doubt("columns", f"{name} has a column that is not known here: {first!r}.")


def _made_of(facts: PackFacts, people: Mapping[str, str], *, withholds: bool) -> Findings:
    """Yield the rows that an export of these entries has."""
    outside = OutsideRuns()
    for fact in facts.outside():
        yield from outside.take(fact)
    yield from outside.finish()
    for name, some in facts.runs():
        refused = outside.refused.pop(name, ())
        run = RunReports(reviews=outside.reviews, who=people, refused=refused)
        for fact in some:
            yield from run.take(fact)
        yield from run.finish()
    yield from outside.left_over()
    for fact, cls, count in () if withholds else facts.held():
        yield RETENTION, fact, {"event": HELD, "subject": cls, "n": count}


def _spooled(spool: Spool, report: str) -> Iterator[Told]:
    for place, text in spool.placed(report):
        yield place, json.loads(text)


def _rows(table: Iterator[list[str]], columns: Sequence[str]) -> Iterator[Told]:
    """Yield place and cells of each row; what is malformed is said elsewhere."""
    with suppress(csv.Error):
        for row in table:
            if row and PLACE.fullmatch(row[0]):
                cells = [*row, *[""] * (len(columns) - len(row))]
                yield int(row[0]), dict(zip(columns, cells, strict=False))


def _columns(table: Iterator[list[str]]) -> Sequence[str]:
    with suppress(csv.Error):
        return next(table, [])
    return []


def _without_terms(rows: Iterable[Told], *, withholds: bool) -> Iterator[Told]:
    """Yield rows without what a policy says of a class, where it fits the row's own moment."""
    for place, row in rows:
        if row.get("event") != HELD:
            yield place, row
        elif not withholds:
            yield place, {**row, "term": "", "due": ""} if _is_due(row) else row


def _is_due(row: Row) -> bool:
    try:
        due = stamp(moment(row["ts"]) + duration(row["term"]))
    except (KeyError, ValueError, OverflowError):
        return not row.get("due")
    return row.get("due") == due


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One table beside the rows that the entries make."""

    name: str
    report: Report
    misses: bool

    def run(self, made: Iterable[Told], told: Iterable[Told]) -> None:
        """Compare entry by entry, in the order of the log."""
        ours, theirs = _by_place(made), _by_place(told)
        one, other = next(ours, END), next(theirs, END)
        while (one, other) != (END, END):
            place = min(one[0], other[0])
            mine, given = (some if at == place else [] for at, some in (one, other))
            self._compare(place, mine, given)
            one = next(ours, END) if one[0] == place else one
            other = next(theirs, END) if other[0] == place else other

    def _compare(self, place: float, made: Sequence[Row], told: Sequence[Row]) -> None:
        left = list(made)
        for row in told:
            fitting = [one for one in left if not _differing(one, row)]
            if fitting:
                left.remove(fitting[0])
            elif left:
                self._fail(_difference(place, left.pop(0), row))
            elif row.get("kind") in READ:
                self._fail(f": a row says something else than entry {place}.")
        for _ in left if self.misses else ():
            self._fail(f" does not tell of entry {place}.")

    def _fail(self, words: str) -> None:
        """Say it once: what is missing or too many may have been found without its cells."""
        if ("index-row", f"{self.name}{words}") not in self.report.failures:
            self.report.fail("index-row", f"{self.name}{words}")


END: tuple[float, list[Row]] = (inf, [])


def _by_place(rows: Iterable[Told]) -> Iterator[tuple[float, list[Row]]]:
    for place, some in groupby(rows, key=itemgetter(0)):
        yield place, [row for _, row in some]


def _differing(made: Row, told: Row) -> list[str]:
    return [one for one in made if one in told and made[one] != told[one]]


def _difference(place: float, made: Row, told: Row) -> str:
    column = _differing(made, told)[0]
    words = f"says {told[column]!r} as {column}, its entries say {made[column]!r}"
    return f": the row of entry {place} {words}."
