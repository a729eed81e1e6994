"""How fast the engine is, as ratios to what SQLite itself commits on this disk in the same run.

Two figures of the design: signed durable steps a second (an effect is two transactions, so the
measure is half the raw commit rate), and whole runs of five steps with an approval in the
middle that is answered at once, 200 at a time. Everything is the product's own path: signed
entries, projections, outbox rows, `synchronous=FULL`.

    python -m bench.engine [--json] [--rounds 3] [--postgres URL of a server, or auto]
"""

import argparse
import itertools
import json
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.figures import medians, percentiles
from bench.postgres import database, server
from bench.process import freeze
from bench.raw import sqlite_rate
from storage.database import open_database
from storage.dispatch.embedded import EmbeddedDispatcher
from storage.journal import utc_now
from storage.log_setup import init_log
from storage.store import SqlStore
from tests.world import POLICY, Town, Working, World, id_of
from workflows.engine import Engine
from workflows.entry import Draft, Entry, RequestId, RunId
from workflows.gate import Verdict
from workflows.orders import Ballot, Start
from workflows.store import Message, Subject, Unit
from workflows.telling import ENDS

STEPS = 20
PATIENCE = 120.0  # Seconds that a request may be in coming.
READING = 0.05  # Seconds before a click: nobody decides while the card is still on its way.
RAW_SLICE = 0.3  # Seconds of plain commits beside each slice of ours.
RUNS = 200
GOALS = {
    "step_1": "≥ 0.55 of half the raw commit rate",
    "step_32": "≥ 1.5 times half the raw commit rate",
    "runs": "bench.peers has DBOS and LangGraph beside it",
    "click_to_step_p50_ms": "≤ 10 ms unloaded",
    "click_to_step_p99_ms": "≤ 60 ms unloaded",
    "postgres_click_to_step_p50_ms": "≤ 15 ms unloaded",
    "postgres_click_to_step_p99_ms": "≤ 60 ms unloaded",
}

HEAD = """
workflow: {name}
title: {name}
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
"""
WRITES = HEAD.format(name="writes") + "".join(
    f"  - {{id: s{number}, uses: world.change, with: {{name: n, by: 1}}}}\n"
    for number in range(STEPS)
)
READ = "  - {{id: s{number}, uses: world.read, with: {{name: n}}}}\n"
GATED = (
    HEAD.format(name="gated")
    + "".join(READ.format(number=number) for number in (1, 2, 3))
    + """  - id: s4
    uses: world.change
    with: {name: n, by: 1}
    effect: destructive
    verify: {uses: world.read, with: {name: n}, expect: result.value > 0}
    undo: none
"""
    + READ.format(number=5)
)


@dataclass
class Marks:
    """When each run was decided and when its approved step began."""

    decided: dict[str, float] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)

    def waits(self) -> list[float]:
        """Return milliseconds from the decision's arrival to the beginning of the step."""
        return sorted((self.began[run] - at) * 1000 for run, at in self.decided.items())


class Bench:
    """An engine that serves, as `interlock serve` builds it, without Slack."""

    def __init__(
        self, store: SqlStore, threads: int, marks: Marks, *, definitions: Sequence[str] = ()
    ) -> None:
        self.store = store
        self.ended = threading.Semaphore(0)
        self.asked: list[tuple[RunId, RequestId]] = []
        self._marks = marks
        self._seen = threading.Condition()
        self._known: set[str] = set()
        self.dispatcher = EmbeddedDispatcher(store, threads=threads)
        known = (WRITES, GATED, *definitions)
        working = Working(store, utc_now, definitions=known, policy=POLICY, world=World())  # type: ignore[arg-type]
        house = replace(
            working._house(_Watched(store, self)),  # type: ignore[arg-type]  # noqa: SLF001
            dispatcher=self.dispatcher,
            now=utc_now,
            new_id=_new_id,
            people=Town(),
        )
        action = house.actions["world.change"]
        perform = action.perform

        def timed(arguments: object, call: object) -> object:
            run = call.key.split("/")[0]  # type: ignore[attr-defined]
            marks.began.setdefault(run, time.perf_counter())
            return perform(arguments, call)

        action.perform = timed  # type: ignore[method-assign]
        self.engine = Engine(house)
        self._thread = threading.Thread(
            target=self.dispatcher.serve, args=(self.engine.advance,), daemon=True
        )
        self._thread.start()

    def note(self, message: Message) -> None:
        """Take up what would be told: a card to decide."""
        if message.subject is Subject.CARD:
            with self._seen:
                if message.key not in self._known:  # A decision sends its card again.
                    self._known.add(message.key)
                    self.asked.append((RunId(str(message.run)), RequestId(message.key)))
                    self._seen.notify_all()

    def wait_for_request(self) -> None:
        """Return once a request waits to be decided."""
        with self._seen:
            self._seen.wait_for(lambda: bool(self.asked), timeout=PATIENCE)

    def decide(self, count: int, *, after: float = 0) -> None:
        """Approve `count` requests, each so many seconds after it was asked."""
        for _ in range(count):
            self.wait_for_request()
            with self._seen:
                run, request = self.asked.pop(0)
            time.sleep(after)
            self._marks.decided[run] = time.perf_counter()
            self.engine.decide(
                Ballot(request=request, person=id_of("ana"), verdict=Verdict.APPROVE)
            )

    def start(self, workflow: str) -> RunId:
        """Start a run."""
        order = Start(
            workflow=workflow, inputs={}, trigger="cli", person=id_of("rita"), channel="c"
        )
        return self.engine.start(order).run

    def stop(self) -> None:
        """Stop serving."""
        self.dispatcher.stop()
        self._thread.join(30)


class _Watched:
    """A store whose messages, and the ends of its runs, are seen once they are committed."""

    def __init__(self, store: SqlStore, bench: Bench) -> None:
        self._store = store
        self._bench = bench

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        with self._store.begin() as unit:
            send, append = unit.send, unit.append

            def seen(message: Message) -> None:
                send(message)
                unit.after_commit(lambda: self._bench.note(message))

            def recorded(draft: Draft) -> Entry:
                entry = append(draft)
                if entry.kind in ENDS:
                    unit.after_commit(self._bench.ended.release)
                return entry

            unit.send, unit.append = seen, recorded  # type: ignore[method-assign]
            yield unit


def _new_id() -> str:
    return secrets.token_hex(16)


@contextmanager
def bench_on(
    url: str | None, threads: int, marks: Marks, *, definitions: Sequence[str] = ()
) -> Iterator[Bench]:
    """Serve on a fresh SQLite file, or on the empty Postgres database at `url`."""
    freeze()
    with tempfile.TemporaryDirectory() as folder:
        opened = open_database(url or str(Path(folder) / "interlock.db"))
        journal = init_log(opened, Path(folder) / "home", origin="bench.example/audit/B1")
        bench = Bench(SqlStore(opened, journal), threads, marks, definitions=definitions)
        try:
            yield bench
        finally:
            bench.stop()
            opened.close()


def step_rates(runs: int, slices: int) -> tuple[list[float], list[float]]:
    """Return raw commits and our effects a second, slice by slice in turn.

    A disk that others use too changes by the second, so each slice of ours is compared with
    the raw slices around it.
    """
    raw, ours = [], []
    with tempfile.TemporaryDirectory() as folder, bench_on(None, runs, Marks()) as bench:
        for number in range(slices):
            raw.append(sqlite_rate(Path(folder) / f"raw{number}.db", RAW_SLICE))
            ours.append(_steps(bench, runs))
        raw.append(sqlite_rate(Path(folder) / "raw.db", RAW_SLICE))
    return [(before + after) / 2 for before, after in itertools.pairwise(raw)], ours


def _steps(bench: Bench, runs: int) -> float:
    started = time.perf_counter()
    for _ in range(runs):
        bench.start("writes")
    for _ in range(runs):
        bench.ended.acquire()
    return runs * STEPS / (time.perf_counter() - started)


def gated_runs(url: str | None, count: int, threads: int) -> dict[str, float]:
    """Return runs a second and the wait from decision to step, that many at once."""
    marks = Marks()
    with bench_on(url, threads, marks) as bench:
        started = time.perf_counter()
        deciding = threading.Thread(target=bench.decide, args=(count,))
        deciding.start()
        for _ in range(count):
            bench.start("gated")
        for _ in range(count):
            bench.ended.acquire()
        took = time.perf_counter() - started
        deciding.join()
    return {"runs": count / took, **percentiles("wait", marks.waits())}


def unloaded(url: str | None, count: int = 60) -> dict[str, float]:
    """Return the wait from decision to step with one run at a time."""
    marks = Marks()
    with bench_on(url, 8, marks) as bench:
        for _ in range(count):
            bench.start("gated")
            bench.decide(1, after=READING)
            bench.ended.acquire()
    return percentiles("click_to_step", marks.waits())


def one_round() -> dict[str, float]:
    """Return one round's figures on SQLite, raw and ours side by side."""
    raw, one = step_rates(1, 20)
    raw_many, many = step_rates(32, 5)
    gated = gated_runs(None, RUNS, 8)
    return {
        "raw_commits": statistics.median(raw),
        "step_1": statistics.median(one),
        "step_32": statistics.median(many),
        "step_1_ratio": _ratio(one, raw),
        "step_32_ratio": _ratio(many, raw_many),
        "runs": gated["runs"],
        "loaded_wait_p50_ms": gated["wait_p50_ms"],
        "loaded_wait_p99_ms": gated["wait_p99_ms"],
        **unloaded(None),
    }


def _ratio(ours: Sequence[float], raw: Sequence[float]) -> float:
    """Return how often ours fits into half the raw commits of the same moments."""
    return statistics.median(mine / (beside / 2) for mine, beside in zip(ours, raw, strict=True))


def on_postgres(asked: str) -> dict[str, float]:
    """Return what is measured on Postgres: runs with an approval, and the wait after a click."""
    with server(asked) as address:
        with database(address) as url:
            loaded = gated_runs(url, RUNS, 8)
        with database(address) as url:
            figures = {"runs": loaded["runs"], **unloaded(url)}
    return {name: round(value, 3) for name, value in figures.items()}


def report(figures: dict[str, float], tell: Callable[[str], None]) -> None:
    """Print the figures beside the goals."""
    for name, value in figures.items():
        goal = GOALS.get(name.removesuffix("_ratio"), "")
        shown = goal if name.endswith(("_ratio", "_ms", "runs")) else ""
        tell(f"{name:<24}{value:>12.2f}   {shown}")


def main() -> None:
    """Measure in rounds, print the medians, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", help="address of a server, or `auto`: one from a wheel")
    asked = parser.parse_args()
    figures = medians([one_round() for _ in range(asked.rounds)])
    if asked.postgres:
        figures |= {f"postgres_{name}": one for name, one in on_postgres(asked.postgres).items()}
    if not asked.json:
        report(figures, print)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
