"""How cost grows: with runs at once, with what waits, with the length of a run, with the log.

What waits and the log are measured in the real bot (`interlock serve` beside the sandbox): one
database that grows from stage to stage by copies of a real run, in a folder that is gone
afterwards. Runs at once and long runs are measured in the engine alone. Each figure has the
one of the smallest size beside it, and the disk's raw commits in the same minutes.

    python -m bench.growth [--json] [--small | --full]
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import raw
from bench.clicking import SHIPPED, Clicking, furnish
from bench.engine import HEAD, READING, Bench, bench_on, gated_runs
from bench.engine import Marks as EngineMarks
from bench.figures import last_line, percentiles, table
from bench.growing import SETTLED, Growing
from bench.marking import Marks, serving
from bench.process import cpu_percent, resident_mb, threads
from sandbox.demo.bot import Bot
from sandbox.demo.stage import staged

IDLE_SECONDS = 10.0
CLICKS = 10
RUNS = 200  # At once, however many threads there are: fewer say nothing on a busy machine.


@dataclass(frozen=True, slots=True)
class Plan:
    """How large everything gets."""

    at_once: tuple[int, ...]
    lengths: tuple[int, ...]
    stages: tuple[tuple[int, int], ...]  # Approvals that wait, entries in the log.


SMALL = Plan((1, 8), (5, 50), ((10, 1_000), (1_000, 10_000)))
USUAL = Plan((1, 8, 32, 100), (5, 50, 500), ((10, 10_000), (1_000, 30_000), (10_000, 100_000)))
FULL = Plan(USUAL.at_once, USUAL.lengths, (*USUAL.stages, (100_000, 1_000_000)))

LOOP = """  - id: each
    foreach: "${{{{ {items} }}}}"
    steps: [{{id: one, uses: {uses}}}]
"""
GATE = """  - id: last
    uses: world.change
    with: {name: n, by: 1}
    effect: destructive
    verify: {uses: world.read, with: {name: n}, expect: result.value > 0}
    undo: none
"""


def looped(length: int, uses: str) -> str:
    """Return a workflow that does one step for each of so many items, then asks."""
    items = ",".join("0" * length)
    return HEAD.format(name=f"loop-{length}") + LOOP.format(items=f"[{items}]", uses=uses) + GATE


def at_once(counts: tuple[int, ...]) -> list[dict[str, float]]:
    """Return runs a second and waits with that many threads at work on them."""
    found = []
    for count in counts:
        rate = raw.here()
        figures = gated_runs(None, RUNS, count)
        found.append({"workers": count, **figures, "raw_commits": rate})
    return found


def lengths(sizes: tuple[int, ...]) -> list[dict[str, float]]:
    """Return the cost of one step and of a click in runs of that many steps."""
    return [_length(size) for size in sizes]


def _length(size: int) -> dict[str, float]:
    effects = looped(size, "world.change, with: {name: n, by: 1}")
    marks, rate = EngineMarks(), raw.here()
    with bench_on(None, 8, marks, definitions=[effects]) as bench:
        _until_asked(bench, f"loop-{size}")  # To warm up.
        took = _until_asked(bench, f"loop-{size}")
    reads = looped(size, "world.read, with: {name: n}")
    marks = EngineMarks()
    with bench_on(None, 8, marks, definitions=[reads]) as bench:
        for _ in range(CLICKS):
            bench.start(f"loop-{size}")
            bench.decide(1, after=READING)
            bench.ended.acquire()
    waits = percentiles("click_to_step", marks.waits())
    return {"steps": size, "ms_per_step": took * 1000 / size, **waits, "raw_commits": rate}


def _until_asked(bench: Bench, workflow: str) -> float:
    """Return the seconds from the start of a run to its end, the approval's wait left out."""
    began = time.perf_counter()
    bench.start(workflow)
    bench.wait_for_request()
    took = time.perf_counter() - began
    bench.decide(1)
    bench.ended.acquire()
    return took


def measure(bot: Bot, growing: Growing, clicking: Clicking) -> dict[str, float]:
    """Start the bot after a kill, look at it while idle, then click in it."""
    bot.start()
    bot.kill()
    began = time.perf_counter()
    bot.start()
    ready = time.perf_counter() - began
    time.sleep(SETTLED)
    idle = {
        "rss_mb": resident_mb(bot.pid),
        "threads": float(threads(bot.pid)),
        "idle_cpu_percent": cpu_percent(bot.pid, IDLE_SECONDS),
    }
    rate = raw.here()
    timed = clicking.singles(CLICKS)
    bot.stop()
    verified = growing.verified()
    return {
        "waiting": float(growing.waits),
        "entries": float(growing.entries),
        "ready_s": ready,
        **idle,
        "ack_p50_ms": statistics.median(timed.acks),
        **percentiles("click_to_step", timed.begins),
        "raw_commits": rate,
        **verified,
    }


def stages(plan: tuple[tuple[int, int], ...]) -> list[dict[str, float]]:
    """Return what the bot costs at each stage, first with next to nothing stored."""
    marks = Marks()
    with (
        tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder,
        serving(marks) as url,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        furnish(stage, url)
        bot = Bot(stage)
        bot.prepare()
        try:
            clicking = Clicking(stage, marks)
            growing = Growing(bot, stage.home, clicking)
            growing.grow(1, 0)
            found = [measure(bot, growing, clicking)]
            for waiting, entries in plan:
                made = growing.grow(waiting, entries)
                found.append({**measure(bot, growing, clicking), "made_per_s": made})
        finally:
            bot.stop()
    return found


def report(title: str, rows: list[dict[str, float]]) -> None:
    """Print one table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[None if name not in row else float(row[name]) for name in names] for row in rows]
    print(title, table(names, cells), sep="\n", end="\n\n")


def main() -> None:
    """Measure, print the tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_true", help="a quick pass, some two minutes")
    size.add_argument("--full", action="store_true", help="to 100,000 approvals, 10^6 entries")
    asked = parser.parse_args()
    plan = SMALL if asked.small else FULL if asked.full else USUAL
    figures = {
        "runs_at_once": at_once(plan.at_once),
        "steps_in_a_run": lengths(plan.lengths),
        "waiting_and_log": stages(plan.stages),
    }
    if not asked.json:
        for name, rows in figures.items():
            report(name.replace("_", " "), rows)
    last_line(
        {
            name: [{key: round(one, 3) for key, one in row.items()} for row in rows]
            for name, rows in figures.items()
        }
    )


if __name__ == "__main__":
    main()
