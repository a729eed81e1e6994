"""Check entry signatures: here while they are few, spread over processes when they are many."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.entry_bytes import ENTRY_TYPE, MalformedEntryError, body_of, decode64, pae
from storage.verify.report import Report

BATCH = 1_000
WORTH_A_PROCESS = 20_000
SIGNATURE_BYTES = 64


class Claim(NamedTuple):
    """That `public` signed the line at `place`."""

    place: int
    public: bytes
    signature: str
    line: bytes


class SignatureCheck:
    """Collects claims and reports the false ones."""

    def __init__(self, report: Report, processes: int) -> None:
        self._report = report
        self._processes = processes
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
        if self._processes < 2 or self.checked < WORTH_A_PROCESS:  # noqa: PLR2004  one is this one
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
            self._report.fail("entry-signature", f"The signature of entry {index} is false.")


def false_claims(claims: Sequence[Claim]) -> list[int]:
    """Return the places of the entries whose signature is false."""
    return [claim.place for claim in claims if not _holds(claim)]


def _holds(claim: Claim) -> bool:
    try:
        signature = decode64(claim.signature, SIGNATURE_BYTES)
        _key(claim.public).verify(signature, pae(ENTRY_TYPE, body_of(claim.line)))
    except (InvalidSignature, MalformedEntryError, ValueError):
        return False
    return True


@cache
def _key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
