"""Pass 1: is each stored line an entry, byte for byte, and do its copies say the same?"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.entry_bytes import (
    DECODER,
    MEMBERS,
    MOST_BYTES,
    MOST_LEVELS,
    read_stamp,
)
from storage.evidence.names import index_row
from storage.verify.members import shape_fault
from storage.verify.regular import read_regular
from storage.verify.report import Report
from storage.verify.source import Beside
from workflows.binding import canonical

TS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
# The member that names the run, found in a line that need not be one any more.
RUN_OF_LINE = re.compile(rb'"rseq":[0-9]+,"run":"([A-Za-z0-9_-]{1,64})"')
CLOCK_SLACK = timedelta(seconds=300)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class LineCheck:
    """Reads lines one after the other and reports what no entry can have."""

    def __init__(self, report: Report, *, log: str | None = None) -> None:
        """Read lines of that log; without one, of the log that the first of them names."""
        self._report = report
        self._latest, self._back = LONG_AGO, timedelta()
        self.log = log

    def read(self, index: int, line: bytes, beside: Beside) -> dict[str, Any] | None:
        """Return the members of the line at `index`; None when it cannot be read at all."""
        if len(line) > MOST_BYTES:
            self._report.fail(
                "entry-malformed", f"Entry {index} has {len(line)} bytes.", place=index
            )
            return None
        members = read_regular(line) or self._read_slowly(line, index)
        if members is None:
            return None
        self._check_log(members, index)
        self._check_time(members["ts"], index)
        if beside.columns is not None and beside.columns != columns_of(members):
            self._report.fail(
                "index-row", f"The columns of entry {index} differ from its line.", place=index
            )
        if beside.row is not None and beside.row != row_of(index, members):
            self._report.fail(
                "index-row", f"The row of entry {index} differs from its line.", place=index
            )
        return members

    def _read_slowly(self, line: bytes, index: int) -> dict[str, Any] | None:
        members = self._parse(line, index)
        if members is None:
            return None
        fault = shape_fault(members)
        if fault is not None:
            self._report.fail("entry-malformed", f"Entry {index}: {fault}", place=index)
            return None
        return members

    def _parse(self, line: bytes, index: int) -> dict[str, Any] | None:
        try:
            members = DECODER.decode(line.decode())
            is_canonical = canonical(members) == line
        except RecursionError:  # How deep a reader goes depends on the Python that runs it.
            self._report.fail(
                "entry-malformed", f"Entry {index}: More than {MOST_LEVELS} levels.", place=index
            )
            return None
        except ValueError:
            self._report.fail("not-canonical", f"Entry {index} is not canonical JSON.", place=index)
            return None
        # A member that stands twice, odd spaces or escapes: all of them re-encode to other bytes.
        if not is_canonical:
            self._report.fail(
                "not-canonical", f"Entry {index} re-encodes to other bytes.", place=index
            )
        if not isinstance(members, dict) or members.keys() != MEMBERS:
            self._report.fail(
                "entry-malformed", f"Entry {index} has not the thirteen members.", place=index
            )
            return None
        return members

    def _check_log(self, members: Mapping[str, Any], index: int) -> None:
        if self.log is None:
            self.log = members["log"]
        elif members["log"] != self.log:
            self._report.fail(
                "wrong-log", f"Entry {index} is of the log {members['log']}.", place=index
            )

    def _check_time(self, ts: str, index: int) -> None:
        try:
            moment = read_stamp(ts) if TS.fullmatch(ts) else None
        except ValueError:
            moment = None
        if moment is None:
            self._report.fail("ts-format", f"Entry {index} has the time {ts!r}.", place=index)
            return
        if moment >= self._latest:
            self._latest, self._back = moment, timedelta()
            return
        back = self._latest - moment
        # Told once: behind a clock that was a year ahead, a year of entries is back.
        if back > self._back + CLOCK_SLACK:
            self._back = back
            seconds = round(back.total_seconds())
            self._report.warn("clock", f"At entry {index} the clock is {seconds} s back.")


def run_of(line: bytes) -> str | None:
    """Return the run that a line names, also of one that cannot be read as a whole."""
    named = RUN_OF_LINE.findall(line)
    return named[-1].decode() if named else None


def columns_of(members: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the readable columns must say."""
    workflow = members["data"].get("workflow")
    return (
        members["id"],
        members["run"],
        members["rseq"],
        members["ts"],
        members["kind"],
        members["actor"]["ref"],
        workflow,
    )


def row_of(index: int, members: Mapping[str, Any]) -> str:
    """Return what the entry's row in the index of a pack must say."""
    return index_row(
        index=index,
        run=members["run"],
        rseq=members["rseq"],
        ts=members["ts"],
        kind=members["kind"],
        actor=members["actor"]["ref"],
    )
