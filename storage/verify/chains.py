"""Pass 4, order: each run counts its entries without gaps, and each names the one before."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from storage.entry_bytes import MalformedEntryError, decode64
from storage.verify.report import Report

HASH = 32


class ChainCheck:
    """Follows every run's chain: one small row of memory for each run.

    A run that was under way before the first entry that is here goes on from one of which there
    is the leaf alone.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self._tails: dict[str, tuple[int, bytes]] = {}
        self._wanted: dict[bytes, int] = {}  # Leaves outside, and which entry goes on from each.
        self._has_gap = False

    def skip(self) -> None:
        """Take note that an entry is not here, so that runs may have begun before."""
        self._has_gap = True

    def check(self, index: int, members: Mapping[str, Any], leaf: bytes) -> None:
        """Check the entry's place in its run."""
        run = members["run"]
        if run is None:
            return
        if self._has_gap and run not in self._tails:
            self._want(index, members)
            self._tails[run] = (members["rseq"], leaf)  # Where it began is outside.
            return
        rseq, prev = self._tails.get(run, (-1, b""))
        if members["rseq"] != rseq + 1:
            self.report.fail(
                "run-sequence",
                f"Entry {index} is number {members['rseq']} of run {run}, after {rseq}.",
                place=index,
            )
        if members["prev"] != base64.b64encode(prev).decode():
            self.report.fail(
                "run-chain", f"Entry {index} does not name the entry before it.", place=index
            )
        self._tails[run] = (members["rseq"], leaf)

    def find_outside(self, leaves: Iterable[bytes]) -> None:
        """Look for the entries from which runs go on among the `leaves` before those here."""
        if not self._wanted:
            return
        for leaf in leaves:
            self._wanted.pop(leaf, None)
        for index in self._wanted.values():
            self._miss(index)

    def _want(self, index: int, members: Mapping[str, Any]) -> None:
        if not members["rseq"]:
            return
        try:
            leaf = decode64(members["prev"], HASH)
        except MalformedEntryError:
            leaf = b""
        # One entry goes on from another: no two runs have the same one before them.
        if not leaf or leaf in self._wanted:
            self._miss(index)
        else:
            self._wanted[leaf] = index

    def _miss(self, index: int) -> None:
        self.report.fail(
            "run-chain",
            f"Entry {index} names an entry before it that was none of its run.",
            place=index,
        )
