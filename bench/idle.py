"""What the bot costs while nothing happens: `interlock serve` against the sandbox.

Each bot is a process of its own, started as in production, and looked at once it has been
quiet for a while. Four states, since what a process did on its way stays in its heap:

- `first`: an empty home folder; the bot made the tables and began the log.
- `again`: the same home, started again. The goal of DESIGN section 13 is for this one.
- `worked`: the same process after a run, which reads over HTTP and posts.
- `http`: started again with signed HTTP in place of Socket Mode.

    python -m bench.idle [--json] [--seconds 10] [--repeat 3]
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench.process import cpu_percent, memory_mb, threads
from sandbox.demo.bot import Bot
from sandbox.demo.stage import staged

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
QUIET_SECONDS = 5.0
GOALS = {"again_rss_mb": "≤ 90 MB", "again_cpu_percent": "≤ 1 %"}

Figures = dict[str, float]


def measure(seconds: float) -> Figures:
    """Return what a bot costs in each state."""
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        return {
            **_started("first", Bot(stage), seconds),
            **_started("again", Bot(stage), seconds, works=True),
            **_started("http", Bot(stage, transport="http"), seconds),
        }


def _started(name: str, bot: Bot, seconds: float, *, works: bool = False) -> Figures:
    began = time.monotonic()
    bot.start()
    ready = {f"{name}_start_s": time.monotonic() - began}
    try:
        idle = {**_idle(name, bot.pid, seconds), **ready}
        if not works:
            return idle
        _work(bot)
        return {**idle, **_idle("worked", bot.pid, seconds)}
    finally:
        bot.stop()


def _idle(name: str, process: int, seconds: float) -> Figures:
    time.sleep(QUIET_SECONDS)
    found = {f"{kind}_mb": value for kind, value in memory_mb(process).items()}
    found |= {"threads": threads(process), "cpu_percent": cpu_percent(process, seconds)}
    return {f"{name}_{figure}": value for figure, value in found.items()}


def _work(bot: Bot) -> None:
    """Have one run done, from the command to its summary."""
    code, started = bot.ask("run", "nightly-check")
    if code != 0:
        raise RuntimeError(f"the run was not started: {started}")
    while bot.ask("show", started["run"])[1]["finished_at"] is None:
        time.sleep(0.2)


def main() -> None:
    """Measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each bot is watched")
    parser.add_argument("--repeat", type=int, default=3, help="times; the median is printed")
    asked = parser.parse_args()
    runs = [measure(asked.seconds) for _ in range(asked.repeat)]
    figures = {name: round(statistics.median(one[name] for one in runs), 2) for name in runs[0]}
    if not asked.json:
        for name, value in figures.items():
            print(f"{name:<22}{value:>9.2f}   {GOALS.get(name, '')}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
