"""The reports in a pack: does each row repeat of its entry what the entry says?

Every run that began in the range, every decision, exception, change, removal and call of a model
must have its row, and no row stands twice. The other columns of a row are read from entries too,
but who writes them may change from release to release; the entries decide, and a row leads to its
own. Of them only what was decided is compared.
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
from storage.evidence.reports.columns import (
    AI,
    APPROVALS,
    CHANGES,
    COMMON,
    EXCEPTIONS,
    POPULATION,
    RETENTION,
    SOD,
)
from storage.verify.pack_files import PackFiles
from storage.verify.report import Report

NAME = re.compile(rf"{names.REPORTS}[^/]+\.csv")
MOST_LINE = 1 << 20
PLACE = re.compile(r"0|[1-9][0-9]{0,15}")
DECISION = "decision"
DECIDED = {"approval.granted": "approved", "approval.denied": "denied"}
# Which reports have to tell of an entry, by its kind. A row that a later release writes of a kind
# that there was before must not be among them: a pack of before has none.
OF_RUNS = {
    **dict.fromkeys(DECIDED, (APPROVALS, SOD)),
    **dict.fromkeys(
        (
            "approval.expired",
            "action.in_doubt",
            "verification.failed",
            "verification.unknown",
            "run.moved",
        ),
        (EXCEPTIONS,),
    ),
    "break_glass.used": (SOD, EXCEPTIONS),
    "model.asked": (AI,),
}
OUTSIDE_RUNS = {
    "approval.refused": (SOD,),
    **dict.fromkeys(
        ("schedule.missed", "proposal.refused", "step_up.refused", "outbox.delivery_failed"),
        (EXCEPTIONS,),
    ),
    **dict.fromkeys(
        (
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
            "token.created",
            "token.revoked",
            "secret.set",
            "secret.rotated",
            "secret.forgotten",
            "schedule.set",
            "schedule.paused",
            "schedule.resumed",
            "schedule.deleted",
            "step_up.enrolled",
            "step_up.confirmed",
            "step_up.reset",
        ),
        (CHANGES,),
    ),
    **dict.fromkeys(("retention.sweep", "erasure", "hold.set", "hold.lifted"), (RETENTION,)),
    "model.asked": (AI,),
}
TELL_DECISIONS = {names.report_name(APPROVALS), names.report_name(SOD)}
# One entry may be an exception in two ways, and the oldest that is held of several classes.
SEVERAL = {names.report_name(EXCEPTIONS), names.report_name(RETENTION)}


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    place: int
    repeated: list[str]
    cells: tuple[str, ...]
    decision: str | None  # What it says was decided, None where it has no such column.


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int
    repeated: list[str]
    decision: str | None  # What was decided by it, None if nothing was.
    wanted: frozenset[str]  # The reports that have to tell of it.


def judge_reports(files: PackFiles, people: Mapping[str, str], report: Report) -> None:
    """Compare every row of every report with the entry it names.

    `people` says who is behind a pseudonym. Rows and entries are met in the order of the log,
    so that nothing is kept.
    """
    here = sorted(one for one in files.names() if NAME.fullmatch(one))
    with ExitStack() as stack:
        opened = ((one, stack.enter_context(text_of(files, one))) for one in here)
        tables = [_rows(name, lines_of(file), report) for name, file in opened]
        rows = heapq.merge(*tables, key=lambda one: one.place)
        row = next(rows, None)
        for entry in _entries(lines_of(stack.enter_context(text_of(files, names.INDEX))), people):
            met: dict[str, set[tuple[str, ...]]] = {}
            while row is not None and row.place <= entry.place:
                if not _tells(row, entry):
                    _differs(row, report)
                told = met.setdefault(row.file, set())
                if row.cells in told or (told and row.file not in SEVERAL):
                    report.fail("index-row", f"{row.file} tells twice of entry {entry.place}.")
                told.add(row.cells)
                row = next(rows, None)
            for missing in sorted(entry.wanted.intersection(here) - met.keys()):
                report.fail("index-row", f"{missing} does not tell of entry {entry.place}.")
        while row is not None:
            _differs(row, report)
            row = next(rows, None)


def _tells(row: _Row, entry: _Entry) -> bool:
    is_of_it = (row.place, row.repeated) == (entry.place, entry.repeated)
    return is_of_it and (None in {row.decision, entry.decision} or row.decision == entry.decision)


def _differs(row: _Row, report: Report) -> None:
    words = f"{row.file}: a row says something else than entry {row.place}."
    report.fail("index-row", words)


def text_of(files: PackFiles, name: str) -> io.TextIOWrapper:
    """Return a file as text; what is no Unicode is replaced, and a line ends with LF alone."""
    return io.TextIOWrapper(files.open(name), "utf-8", errors="replace", newline="\n")


def lines_of(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines; one that is longer than any report has comes in pieces."""
    while line := file.readline(MOST_LINE):
        yield line


def _rows(name: str, file: Iterable[str], report: Report) -> Iterator[_Row]:
    rows = csv.reader(file)
    try:
        columns = tuple(next(rows, ()))
        if columns[: len(COMMON)] != COMMON:
            report.fail("index-row", f"{name} has other columns.")
        at = columns.index(DECISION) if DECISION in columns and name in TELL_DECISIONS else None
        for row in rows:
            if not row or not PLACE.fullmatch(row[0]):
                report.fail("index-row", f"{name}: a row names no entry.")
                continue
            decision = None if at is None else "".join(row[at : at + 1])
            yield _Row(name, int(row[0]), row[: len(COMMON)], tuple(row), decision)
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
            wanted = (OF_RUNS if run else OUTSIDE_RUNS).get(kind, ())
            began = (POPULATION,) if run and rseq == "0" else ()
            yield _Entry(
                int(index),
                [cell(one) for one in told],
                DECIDED.get(kind),
                frozenset(map(names.report_name, (*wanted, *began))),
            )
