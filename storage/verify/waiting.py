"""Entries without a place are judged as those that have one, but for that.

Screens show them, and whoever can write to the database can put some there.
"""

from collections.abc import Iterable
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.claims import false_claims
from storage.entry_bytes import leaf_hash, read_stamp
from storage.verify.chains import ChainCheck
from storage.verify.hashes import time_of
from storage.verify.held_parts import Markers, PartCheck
from storage.verify.keyring import KeyRing
from storage.verify.lines import CLOCK_SLACK, LineCheck
from storage.verify.report import Report
from storage.verify.source import Beside, StoredEntries

PENDING_SLACK = timedelta(seconds=5)


class WaitingCheck:
    """Judges each as if its place were the next one, under the keys that count at the end."""

    def __init__(self, report: Report, *, ring: KeyRing, chains: ChainCheck, first: int) -> None:
        """Begin where the log ends: `first` is the place that the first of them would get."""
        self._report = report
        self._aside = Report()  # Which tells of places; these have none.
        self._lines = LineCheck(self._aside, log=ring.origin or None)
        self._ring, self._chains = copy(ring), copy(chains)
        self._ring.report = self._chains.report = self._aside
        self._parts = PartCheck(Markers(), self._aside)
        self._next = first
        self._old = self._ahead = 0
        self.count = 0

    def run(self, waiting: Iterable[StoredEntries], *, now: datetime, quick: bool) -> None:
        """Judge them all; a `quick` look is at leaves and times alone."""
        for some in waiting:
            for number, line in enumerate(some.lines):
                if line is None:
                    continue
                self._take_time(line, now)
                self._check_leaf(line, some.leaves[number])
                if not quick:
                    self._check(line, some.beside(number))
                self._next += 1
                self.count += 1
        self._tell()

    def _take_time(self, line: bytes, now: datetime) -> None:
        try:
            age = now - read_stamp(time_of(line)).astimezone(UTC)
        except (ValueError, OverflowError):
            self._old += 1
            return
        self._old += age > PENDING_SLACK
        self._ahead += age < -CLOCK_SLACK

    def _check_leaf(self, line: bytes, leaf: bytes) -> None:
        if leaf_hash(line) != leaf:
            words = f"The leaf of entry {self._next} is not that of its line."
            self._aside.fail("leaf-mismatch", words)

    def _check(self, line: bytes, beside: Beside) -> None:
        index = self._next
        members = self._lines.read(index, line, beside)
        if members is None:
            return
        if members["kind"] == "log.init" and index:
            self._aside.fail("genesis", f"Entry {index} is log.init; only entry 0 is.")
        self._check_author(index, line, members)
        self._chains.check(index, members, leaf_hash(line))
        self._parts.check(index, members, beside.parts)

    def _check_author(self, index: int, line: bytes, members: dict[str, Any]) -> None:
        public = self._ring.writer_at(index, members["key"])
        if public is not None and false_claims([(index, public, members["sig"], line)]):
            self._aside.fail("entry-signature", f"The signature of entry {index} is false.")

    def _tell(self) -> None:
        for code, text in self._aside.failures:
            self._report.fail(code, f"Not placed yet: {text}")
        self._report.n_failures += self._aside.n_failures - len(self._aside.failures)
        if self._old:
            self._report.doubt("pending", f"{self._old} entries have no place after 5 s.")
        if self._ahead:
            words = f"{self._ahead} entries without a place have a time that is yet to come."
            self._report.doubt("pending", words)
