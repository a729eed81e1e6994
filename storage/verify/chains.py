"""Pass 4, order: each run counts its entries without gaps, and each names the one before."""

import base64
from collections.abc import Mapping
from typing import Any

from storage.verify.report import Report


class ChainCheck:
    """Follows every run's chain: one small row of memory for each run."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._tails: dict[str, tuple[int, bytes]] = {}
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
