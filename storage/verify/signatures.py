"""Check entry signatures: here while they are few, spread over processes when they are many."""

from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from storage.claims import Claim, false_claims
from storage.verify.report import Report

BATCH = 1_000
WORTH_A_PROCESS = 20_000


class SignatureCheck:
    """Collects claims and reports the false ones."""

    def __init__(self, report: Report, processes: int, *, expected: int) -> None:
        """Use that many processes beside this one where so many claims are `expected`."""
        self._report = report
        self._processes = processes if expected >= WORTH_A_PROCESS else 1
        self._batch: list[Claim] = []
        self._pool: ProcessPoolExecutor | None = None
        self._running: deque[Future[list[int]]] = deque()
        self.checked = 0

    def add(self, claim: Claim) -> None:
        """Check this claim, at the latest when `finish` is called."""
        self._batch.append(claim)
        self.checked += 1
        if len(self._batch) == BATCH:
            self._flush()

    def finish(self) -> None:
        """Check what is left and wait for all."""
        self._flush()
        while self._running:
            self._take(self._running.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        if self._processes < 2:  # noqa: PLR2004  one is this one
            self._take(false_claims(batch))
            return
        if self._pool is None:
            # A fresh interpreter: a forked one would share our database connection.
            self._pool = ProcessPoolExecutor(self._processes, mp_context=get_context("spawn"))
        self._running.append(self._pool.submit(false_claims, batch))
        if len(self._running) > 2 * self._processes:
            self._take(self._running.popleft().result())

    def _take(self, indexes: list[int]) -> None:
        for index in indexes:
            self._report.fail(
                "entry-signature", f"The signature of entry {index} is false.", place=index
            )
