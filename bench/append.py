"""How fast signed entries are committed, beside what SQLite itself can commit on this disk.

Each of our appends is one durable transaction through the product's own path: a signed,
chained entry, its place in the tree, a signed head, and a change to a business row.
Run it as `python -m bench.append`; the last line is JSON.
"""

import argparse
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from bench.process import freeze
from bench.raw import lengthen, repeat, sqlite_rate
from storage.database import Database, open_database
from storage.entry_builder import NO_TAIL, Tail
from storage.journal import Journal
from storage.log_setup import init_log
from workflows.entry import INTERLOCK, Draft, RunId

ORIGIN = "bench.example/audit/B1"
STARTED = {"workflow": "deploy", "version": "ab" * 32, "trigger": "cli"}
ENDED = {"step": "deploy", "attempt": 1, "idem": "r/deploy", "ms": 12}


def main() -> None:
    """Measure in alternating rounds and print the medians."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked.add_argument("--seconds", type=float, default=2.0)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--threads", type=int, nargs="*", default=[1, 32])
    options = asked.parse_args()
    freeze()
    rounds = [one_round(options.threads, options.seconds) for _ in range(options.rounds)]
    figures = {name: median([one[name] for one in rounds]) for name in rounds[0]}
    for threads in options.threads:
        rate = figures[f"append_{threads}"]
        ratio = rate / figures["raw"]
        figures[f"ratio_{threads}"] = ratio
        if not options.json:
            shown = f"{ratio:.2f} x raw commits, {2 * ratio:.2f} x half of them"
            print(f"{threads:>3} threads: {rate:8.0f} appends/s, {shown}")
    if not options.json:
        print(f"raw sqlite3 WAL/FULL: {figures['raw']:.0f} commits/s")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


def one_round(thread_counts: list[int], seconds: float) -> dict[str, float]:
    """Return the rates of one round, per second."""
    with tempfile.TemporaryDirectory() as folder:
        rates = {"raw": sqlite_rate(Path(folder) / "raw.db", seconds)}
    for threads in thread_counts:
        with tempfile.TemporaryDirectory() as folder:
            rates[f"append_{threads}"] = append_rate(Path(folder), threads, seconds)
    return rates


def append_rate(folder: Path, threads: int, seconds: float) -> float:
    """Return how many entries the product commits, one per transaction, as a bot that serves."""
    path = folder / "interlock.db"
    database = open_database(str(path))
    journal = init_log(database, folder / "home", origin=ORIGIN)
    with database.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE business (run TEXT PRIMARY KEY, state TEXT)")
    lengthen(path, stepping(database, journal, RunId("before")))
    rates: list[float] = []
    workers = [
        threading.Thread(target=lambda n=n: rates.append(work(database, journal, n, seconds)))
        for n in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    database.close()
    return sum(rates)


def work(database: Database, journal: Journal, number: int, seconds: float) -> float:
    """Return one thread's rate, on a run of its own."""
    step = stepping(database, journal, RunId(f"run{number}"))
    step()
    return repeat(step, seconds)


def stepping(database: Database, journal: Journal, run: RunId) -> Callable[[], None]:
    """Return what commits the next entry of a run, each time that it is called."""
    tail = NO_TAIL

    def commit() -> None:
        nonlocal tail
        tail = one_step(database, journal, run, tail)

    return commit


def one_step(database: Database, journal: Journal, run: RunId, tail: Tail) -> Tail:
    """Commit one entry and one business change."""
    kind, data = ("run.started", STARTED) if tail is NO_TAIL else ("action.executed", ENDED)
    with database.begin() as tx:
        tx.driver.execute(
            "INSERT INTO business VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
            (run, str(tail.rseq)),
        )
        draft = Draft(kind=kind, actor=INTERLOCK, data=data, run=run)
        return journal.append(tx, draft, tail=tail).tail


def median(values: list[float]) -> float:
    """Return the middle value."""
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
