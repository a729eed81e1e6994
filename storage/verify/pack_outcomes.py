"""The outcomes in a pack's report of runs: did each run end as its row says, or not at all?

Rows and entries are met in the order of the log; kept are the runs that are under way.
"""

import csv
import io
import re
from collections.abc import Iterator

from storage.entry_bytes import DECODER
from storage.evidence import names
from storage.evidence.reports.columns import COMMON, POPULATION
from storage.verify.pack_files import BLOCK, PackFiles
from storage.verify.report import Report

FILE = names.report_name(POPULATION)
RUN, OUTCOME, OPEN = COMMON.index("run"), "outcome", "open"
ENDS = {"run.finished", "run.cancelled"}
PLACE = re.compile(r"0|[1-9][0-9]{0,15}")
MARK = b'"kind":"run.'
CANCELLED = "cancelled"  # What a run came to whose end names nothing else.


def judge_outcomes(files: PackFiles, start: int, report: Report) -> None:
    """Compare what the report says that each run came to with the entry that ended it."""
    if FILE not in files.names():
        return
    under_way: dict[str, str] = {}  # What the row of a run says that it came to.
    otherwise: set[str] = set()  # Of these, the runs that ended otherwise; one may end again.
    with files.open(names.ENTRIES) as entries, _text(files) as file:
        rows = _rows(file)
        row, place = next(rows, None), start
        while line := entries.readline(BLOCK):
            while row is not None and row[0] <= place:
                if row[1] in under_way:
                    report.fail("index-row", f"{FILE} tells twice of the run {row[1]}.")
                under_way[row[1]] = row[2]
                row = next(rows, None)
            if MARK in line:
                _end(line, under_way, otherwise)
            place += 1
    for run, told in under_way.items():
        if told != OPEN or run in otherwise:
            report.fail("index-row", f"{FILE} tells another outcome of the run {run}.")


def _text(files: PackFiles) -> io.TextIOWrapper:
    return io.TextIOWrapper(files.open(FILE), "utf-8", errors="replace", newline="\n")


def _end(line: bytes, under_way: dict[str, str], otherwise: set[str]) -> None:
    try:
        entry = DECODER.decode(line.decode())
        run, kind, outcome = entry["run"], entry["kind"], entry["data"].get(OUTCOME)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return  # The walk says what is wrong with it.
    if not isinstance(kind, str) or not isinstance(run, str):
        return
    if kind not in ENDS or run not in under_way:
        return
    came_to = outcome or CANCELLED
    if not isinstance(came_to, str) or under_way[run] == came_to:
        del under_way[run]
    else:
        otherwise.add(run)


def _rows(file: io.TextIOWrapper) -> Iterator[tuple[int, str, str]]:
    """Yield place, run and outcome of each row; what is malformed is said elsewhere."""
    rows = csv.reader(file)
    try:
        columns = next(rows, [])
        if OUTCOME not in columns:
            return
        at = columns.index(OUTCOME)
        for row in rows:
            if len(row) > max(at, RUN) and PLACE.fullmatch(row[0]):
                yield int(row[0]), row[RUN], row[at]
    except csv.Error:
        return
