"""Says on stderr how far a long measurement is, so that nobody takes it for one that hangs."""

import sys
import time

EVERY_SECONDS = 2.0


class Progress:
    """How much of `total` is done; told at most every two seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._began = self._told = time.monotonic()

    def at(self, done: int) -> None:
        """Say that so much is done by now."""
        now = time.monotonic()
        if now - self._told < EVERY_SECONDS:
            return
        self._told = now
        rate = done / (now - self._began)
        left = (self._total - done) / rate if rate else 0.0
        print(
            f"{time.strftime('%H:%M:%S')} {self._what}: {done:,} of {self._total:,},"
            f" {rate:,.0f} a second, {left:,.0f} s to go",
            file=sys.stderr,
            flush=True,
        )
