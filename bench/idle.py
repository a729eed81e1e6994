"""What the bot costs while nothing happens: `interlock serve` against the sandbox.

Each bot is a process of its own, started as in production, and looked at once it has been
quiet for a while. Three kinds of start, since what a process did on its way stays in its heap:

- `first`: an empty home folder; the bot makes the tables and begins the log.
- `again`: the same home, started again. The goal of DESIGN section 13 is for this one.
- `http`: signed HTTP in place of Socket Mode.

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
from sandbox.demo.stage import Stage, staged

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
QUIET_SECONDS = 5.0
GOALS = {"again_rss_mb": "≤ 90 MB", "again_cpu_percent": "≤ 1 %"}

Figures = dict[str, float]


def measure(seconds: float) -> Figures:
    """Return what a bot costs after each kind of start."""
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        starts = [("first", "socket"), ("again", "socket"), ("http", "http")]
        found = [(name, _idle(stage, transport, seconds)) for name, transport in starts]
    return {f"{name}_{figure}": one for name, each in found for figure, one in each.items()}


def _idle(stage: Stage, transport: str, seconds: float) -> Figures:
    bot = Bot(stage, transport=transport)
    began = time.monotonic()
    bot.start()
    ready = time.monotonic() - began
    try:
        time.sleep(QUIET_SECONDS)
        memory = {f"{name}_mb": value for name, value in memory_mb(bot.pid).items()}
        cpu = cpu_percent(bot.pid, seconds)
        return {**memory, "threads": threads(bot.pid), "cpu_percent": cpu, "start_s": ready}
    finally:
        bot.stop()


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
