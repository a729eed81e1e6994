"""What a second worker brings: the same burst of runs with one `interlock worker`, then with two.

Everything is as in production: a Postgres, two `interlock serve --no-worker` and the workers are
processes of their own, against the sandbox's Slack and shop. A run reads an order, then pays it
back; the shop takes `--delay` for each answer, as a service far away does. Runs are started
faster than they end, so that most of them wait; counted are the runs that end between the first
end and the last. Postgres, shop, Slack and workers share the cores of this machine, so on a busy
one the gain shows only with a delay that outweighs the work.

    python -m bench.workers [--runs 500] [--delay 0.3] [--concurrency 4] [--postgres auto] [--json]
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.postgres import AUTO, database, server
from sandbox.demo.stage import staged
from sandbox.targets.shop_faults import Fault
from tests.journeys.company import SHIPPED
from tests.journeys.crowd import PAY_BACK, Crowd, core_beside, crowded, start_paying, wait_until

SERVING = 2
FIRST_ORDER = 1301
MOST_RUNS = 1_300  # The shop knows three thousand orders.
EVERY_REQUEST = 10**9
PATIENCE = 1_800.0


@contextmanager
def crowd_on(address: str) -> Iterator[Crowd]:
    """Give a database of its own, a stage, and the processes that serve without working."""
    with (
        database(address) as url,
        tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder,
        staged(Path(folder) / "stage", SHIPPED, port=0) as stage,
        crowded(stage, url) as crowd,
    ):
        stage.slack.hub.rates.scale = None
        file = stage.workflows / "pay-back.yaml"
        file.write_text(PAY_BACK.replace("timeout: 2s", "timeout: 5m"))  # However slow it is.
        for _ in range(SERVING):
            crowd.begin("serve", "--no-worker")
        yield crowd


def measure(crowd: Crowd, runs: int, *, workers: int, concurrency: int) -> float:
    """Return the runs that ended per second.

    Raises:
        RuntimeError: a run was not done, or not exactly once.
    """
    before = len(crowd.paid())
    orders = [f"ord_{FIRST_ORDER + before + number}" for number in range(runs)]
    begun = [crowd.begin("worker", "--concurrency", str(concurrency)) for _ in range(workers)]
    with core_beside(crowd, f"starts-{workers}") as core:
        started = {start_paying(core, order) for order in orders}
    everybody = before + runs
    wait_until(lambda: _ended(crowd) == everybody, "the end of all runs", patience=PATIENCE)
    for one in begun:
        one.stop()
    _check(crowd, started, orders, before)
    return (runs - 1) / _seconds(crowd, started)


def _ended(crowd: Crowd) -> int:
    return int(crowd.query("SELECT count(*) FROM run WHERE outcome IS NOT NULL")[0][0])


def _check(crowd: Crowd, started: set[str], orders: list[str], before: int) -> None:
    statuses = crowd.statuses()
    if Counter(statuses[run] for run in started) != {"done": len(orders)}:
        raise RuntimeError("Some runs are not done.")
    if sorted(crowd.paid()[before:]) != sorted(orders):
        raise RuntimeError("Some runs did not pay exactly once.")


def _seconds(crowd: Crowd, started: set[str]) -> float:
    found = crowd.query(
        "SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM run"
        " WHERE id = ANY(%s)",
        sorted(started),
    )
    return float(found[0][0])


def main() -> None:
    """Measure both, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help=f"at most {MOST_RUNS}")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds the shop takes")
    parser.add_argument("--concurrency", type=int, default=4, help="runs at once in a worker")
    parser.add_argument("--postgres", default=AUTO, help="address of a server, or auto")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked = parser.parse_args()
    if not 1 < asked.runs <= MOST_RUNS:
        parser.error(f"--runs is 2 to {MOST_RUNS}")
    figures: dict[str, float] = {
        "runs": asked.runs,
        "delay_seconds": asked.delay,
        "concurrency": asked.concurrency,
    }
    with server(asked.postgres) as address, crowd_on(address) as crowd:
        crowd.stage.shop.faults.switch_on(Fault.SLOW, times=EVERY_REQUEST, seconds=asked.delay)
        for workers in (1, 2):
            rate = measure(crowd, asked.runs, workers=workers, concurrency=asked.concurrency)
            figures[f"runs_per_second_{workers}_workers"] = round(rate, 2)
    one, two = figures["runs_per_second_1_workers"], figures["runs_per_second_2_workers"]
    figures["gain"] = round(two / one, 2)
    if not asked.json:
        for name, value in figures.items():
            print(f"{name:<28}{value:>10}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
