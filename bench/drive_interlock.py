"""Interlock on the work of `peers`: five steps, the fourth behind an approval, all of it signed.

Beside what the peers do it checks the voter, the policy and the plan again before the approved
step, verifies it afterwards, and queues the messages that people would see.
"""

import importlib.metadata
import os
import threading
from contextlib import ExitStack

from bench.driving import Order, Waits, drive, read_order
from bench.engine import Bench, Marks, bench_on


class Work:
    """Runs on one engine, started all at once and each approved as soon as it asks."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, runs: int) -> None:
        deciding = threading.Thread(target=self._bench.decide, args=(runs,))
        deciding.start()
        for _ in range(runs):
            self._bench.start("gated")
        for _ in range(runs):
            self._bench.ended.acquire()
        deciding.join()


def durability(bench: Bench, order: Order) -> str:
    """Return what a writing connection says about its commits."""
    with bench.store.database.begin() as tx:
        if order.is_sqlite:
            names = ("journal_mode", "synchronous")
            return " ".join(
                f"{name}={tx.driver.execute(f'PRAGMA {name}').fetchone()[0]}" for name in names
            )
        names = ("fsync", "synchronous_commit")
        return " ".join(
            f"{name}={tx.driver.execute(f'SHOW {name}').fetchone()[0]}" for name in names
        )


def main() -> None:
    """Drive Interlock on the database of the command line."""
    order = read_order()
    waits, marks = Waits(), Marks()
    waits.given, waits.began = marks.decided, marks.began
    with ExitStack() as stack:
        bench = stack.enter_context(bench_on(order.path or order.database, order.threads, marks))
        told = {
            "peer": f"interlock {importlib.metadata.version('interlock')}",
            "durability": durability(bench, order),
            "settings": f"signed entries, {order.threads} threads",
        }
        drive(order, Work(bench), waits=waits, told=told)
    os._exit(0)


if __name__ == "__main__":
    main()
