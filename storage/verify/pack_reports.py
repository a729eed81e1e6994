"""The reports in a pack: does each row repeat of its entry what the entry says?

Every run that began in the range and every decision must have its row. The other columns of a
row are read from entries too, but who writes them may change from release to release; the
entries decide, and a row leads to its own.
"""

import csv
import heapq
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from storage.evidence import names
from storage.evidence.cells import cell
from storage.evidence.reports.columns import APPROVALS, COMMON, POPULATION
from storage.evidence.reports.of_run import DECISIONS
from storage.verify.pack_files import PackFiles
from storage.verify.report import Report

NAME = re.compile(rf"{names.REPORTS}[^/]+\.csv")
MOST_LINE = 1 << 20
PLACE = re.compile(r"0|[1-9][0-9]{0,15}")
APPROVALS_FILE, POPULATION_FILE = names.report_name(APPROVALS), names.report_name(POPULATION)


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    place: int
    repeated: list[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int
    repeated: list[str]
    wanted: frozenset[str]  # The reports that have to tell of it.


def judge_reports(files: PackFiles, people: Mapping[str, str], report: Report) -> None:
    """Compare every row of every report with the entry it names.

    `people` says who is behind a pseudonym. Rows and entries are met in the order of the log,
    so that nothing is kept.
    """
    here = sorted(one for one in files.names() if NAME.fullmatch(one))
    with ExitStack() as stack:
        opened = ((one, stack.enter_context(_text(files, one))) for one in here)
        tables = [_rows(name, _lines(file), report) for name, file in opened]
        rows = heapq.merge(*tables, key=lambda one: one.place)
        row = next(rows, None)
        for entry in _entries(_lines(stack.enter_context(_text(files, names.INDEX))), people):
            met: set[str] = set()
            while row is not None and row.place <= entry.place:
                if (row.place, row.repeated) != (entry.place, entry.repeated):
                    _differs(row, report)
                met.add(row.file)
                row = next(rows, None)
            for missing in sorted(entry.wanted.intersection(here) - met):
                report.fail("index-row", f"{missing} does not tell of entry {entry.place}.")
        while row is not None:
            _differs(row, report)
            row = next(rows, None)


def _differs(row: _Row, report: Report) -> None:
    words = f"{row.file}: a row says something else than entry {row.place}."
    report.fail("index-row", words)


def _text(files: PackFiles, name: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(files.open(name), "utf-8", errors="replace", newline="\n")


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines; one that is longer than any report has comes in pieces."""
    while line := file.readline(MOST_LINE):
        yield line


def _rows(name: str, file: Iterable[str], report: Report) -> Iterator[_Row]:
    rows = csv.reader(file)
    try:
        if tuple(next(rows, ()))[: len(COMMON)] != COMMON:
            report.fail("index-row", f"{name} has other columns.")
        for row in rows:
            if not row or not PLACE.fullmatch(row[0]):
                report.fail("index-row", f"{name}: a row names no entry.")
                continue
            yield _Row(name, int(row[0]), row[: len(COMMON)])
    except csv.Error as error:
        report.fail("index-row", f"{name} cannot be read: {error}.")


def _entries(file: Iterable[str], people: Mapping[str, str]) -> Iterator[_Entry]:
    """Yield what the index says of each entry; the index itself is judged elsewhere."""
    # A line of it holds six short values; whoever writes longer ones is found by the walk.
    for line in file:
        row = line.removesuffix("\n").split(",")
        if len(row) == len(names.INDEX_COLUMNS.split(",")) and PLACE.fullmatch(row[0]):
            index, run, rseq, ts, kind, actor = row
            told = (index, ts, kind, run, actor, people.get(actor, ""))
            wanted = {APPROVALS_FILE} if kind in DECISIONS else set()
            if run and rseq == "0":
                wanted.add(POPULATION_FILE)
            yield _Entry(int(index), [cell(one) for one in told], frozenset(wanted))
