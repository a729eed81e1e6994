"""What the three drivers of `peers` share: their command line and their one line of JSON.

A driver is a process of its own that does the work on one database and says what it saw. It
runs in the environment of its peer, so only the standard library is imported here.

    python -m bench.drive_dbos sqlite:/tmp/x.db --runs 200 --threads 8 --idle 5
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.figures import last_line, percentiles
from bench.process import cpu_percent, cpu_seconds, freeze, resident_mb, threads

WARM = 100  # Runs before the measured ones: imports, caches and plans of statements are then there.


@dataclass(frozen=True, slots=True)
class Order:
    """What a driver is asked to do."""

    database: str  # `sqlite:` and a path, or the address of an empty Postgres database.
    runs: int
    threads: int
    idle: float  # Seconds to watch the process once everything is done.

    @property
    def path(self) -> str:
        """The path of the SQLite file; empty for Postgres."""
        return self.database.removeprefix("sqlite:") if self.is_sqlite else ""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file."""
        return self.database.startswith("sqlite:")


@dataclass
class Waits:
    """When each run's approval was given, and when the step after it began."""

    given: dict[str, float] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)

    def milliseconds(self) -> list[float]:
        """Return how long each took."""
        return [(self.began[run] - at) * 1000 for run, at in self.given.items()]

    def clear(self) -> None:
        """Forget the warming up."""
        self.given.clear()
        self.began.clear()


def read_order() -> Order:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--idle", type=float, default=0)
    asked = parser.parse_args()
    return Order(asked.database, asked.runs, asked.threads, asked.idle)


def drive(
    order: Order, work: Callable[[int], None], *, waits: Waits, told: Mapping[str, str]
) -> None:
    """Do the work once to warm up and once measured; print what was seen beside `told`.

    What the warming up left is frozen, for the peers as for us.
    """
    work(min(WARM, order.runs))
    waits.clear()
    freeze()
    me = os.getpid()
    cpu, began = cpu_seconds(me), time.perf_counter()
    work(order.runs)
    took, used = time.perf_counter() - began, cpu_seconds(me) - cpu
    figures = {
        "runs": order.runs / took,
        "cpu_ms_per_run": used / order.runs * 1000,
        **percentiles("wait", waits.milliseconds()),
        "rss_mb": resident_mb(me),
        "threads": float(threads(me)),
    }
    if order.idle:
        figures["idle_cpu_percent"] = cpu_percent(me, order.idle)
    last_line({**told, **{name: round(one, 3) for name, one in figures.items()}})
