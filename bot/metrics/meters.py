"""What this process measures while it works: how long clicks and commits take, Slack's waits.

Everything else is read from the database when somebody asks (`collecting`).
"""

import threading
from bisect import bisect_left
from collections import Counter
from itertools import accumulate

from bot.metrics.catalogue import FIGURES, several
from bot.metrics.exposition import Family, Sample

ACK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Histogram:
    """How many measurements were at most how long. Safe between threads."""

    def __init__(self, name: str, buckets: tuple[float, ...]) -> None:
        self._name, self._buckets = name, buckets
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0
        self._guard = threading.Lock()

    def observe(self, seconds: float) -> None:
        """Count one measurement."""
        with self._guard:
            self._counts[bisect_left(self._buckets, seconds)] += 1
            self._sum += seconds

    def family(self) -> Family:
        """Return what was measured so far; each bucket holds those below it too."""
        with self._guard:
            upto, total = list(accumulate(self._counts)), self._sum
        ends = [f"{end:g}" for end in self._buckets] + ["+Inf"]
        buckets = [
            Sample(suffix="_bucket", labels={"le": end}, value=count)
            for end, count in zip(ends, upto, strict=True)
        ]
        whole = [Sample(suffix="_sum", value=total), Sample(suffix="_count", value=upto[-1])]
        figure = FIGURES[self._name]
        samples = (*buckets, *whole)
        return Family(name=self._name, kind=figure.kind, help=figure.help, samples=samples)


class Meters:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.acks = Histogram("interlock_click_ack_seconds", ACK_BUCKETS)
        self.commits = Histogram("interlock_commit_seconds", COMMIT_BUCKETS)
        self._limited: Counter[tuple[str, ...]] = Counter()
        self._waits: dict[tuple[str, ...], float] = {}
        self._guard = threading.Lock()

    def limited(self, method: str, after: float) -> None:
        """Count that Slack refused a call for its rate, and for how long. We call some twenty."""
        with self._guard:
            self._limited[(method,)] += 1
            self._waits[(method,)] = self._waits.get((method,), 0.0) + after

    def families(self) -> list[Family]:
        """Return everything that was measured so far."""
        with self._guard:
            limited, waits = dict(self._limited), dict(self._waits)
        return [
            self.acks.family(),
            self.commits.family(),
            several("interlock_slack_rate_limited_total", limited),
            several("interlock_slack_rate_limit_wait_seconds_total", waits),
        ]
