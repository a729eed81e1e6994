"""How long a click takes in the real bot: `interlock serve` against the sandbox, Socket Mode.

The bot is a process of its own with its own SQLite file, started as in production. Measured
from the moment the click's frame is handed to the socket: until the bot acknowledges it, until
the approved step begins, at the latest, which is when its target accepts the connection, and
until the card shows what became of it. Then 20 and 50 clicks at one moment, twelve commands at once
while Slack is slow to say who is who, what memory the bot has taken by then, and how soon
`interlock --help` answers. With `--open` clicks are measured again beside that many requests
that wait. Disk, Slack and the step's target all live on this machine, and share its cores.
It takes five minutes, since the bot posts once a second in a channel, as Slack wants it.

    python -m bench.clicks [--json] [--clicks 20] [--bursts 1] [--open 10,1000,100000]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.clicking import SHIPPED, Clicking, Timed, furnish
from bench.figures import percentiles, table
from bench.growing import Growing
from bench.marking import Marks, serving
from bench.process import resident_mb
from sandbox.demo.bot import Bot
from sandbox.demo.stage import staged

AT_ONCE = (20, 50)
COMMANDS, SLOW_SECONDS = 12, 0.9
QUIET_SECONDS = 2.0
WAITING_CLICKS = 10
GOALS = {
    "click_to_step_p50_ms": "≤ 10 ms",
    "click_to_step_p99_ms": "≤ 60 ms",
    "ack_20_p99_ms": "≤ 250 ms",
    "slow_commands_p99_ms": "< 3,000 ms, all acknowledged",
    "help_ms": "≤ 200 ms",
}


def help_ms() -> float:
    """Return how long `interlock --help` takes, the median of seven."""
    program = str(Path(sys.executable).with_name("interlock"))
    return statistics.median(_timed([program, "--help"]) for _ in range(7))


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def measure(
    clicks: int, bursts: int, waiting: Sequence[int]
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Return every figure of one serving bot, and those of clicks beside waiting requests."""
    marks = Marks()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(marks) as url,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        furnish(stage, url)
        stage.slack.hub.rates.scale = None  # However many forms are opened for it.
        bot = Bot(stage)
        bot.prepare()
        clicking = Clicking(stage, marks)
        try:
            bot.start()
            figures = _measured(bot, clicking, clicks, bursts)
            bot.stop()
            return figures, _beside(bot, stage.home, clicking, waiting)
        finally:
            bot.stop()


def _measured(bot: Bot, clicking: Clicking, clicks: int, bursts: int) -> dict[str, float]:
    time.sleep(QUIET_SECONDS)
    figures = _told(clicking.singles(clicks))
    for count in AT_ONCE:
        found = [clicking.burst(count) for _ in range(bursts)]
        figures |= percentiles(f"ack_{count}", [one for timed in found for one in timed.acks])
        figures |= percentiles(f"card_{count}", [one for timed in found for one in timed.cards])
    figures |= percentiles("slow_commands", clicking.slow_commands(COMMANDS, SLOW_SECONDS))
    return {**figures, "help_ms": help_ms(), "rss_after_mb": resident_mb(bot.pid)}


def _told(timed: Timed) -> dict[str, float]:
    return {
        **percentiles("ack", timed.acks),
        **percentiles("click_to_step", timed.begins),
        **percentiles("click_to_card", timed.cards),
    }


def _beside(
    bot: Bot, home: Path, clicking: Clicking, waiting: Sequence[int]
) -> list[dict[str, float]]:
    """Return what clicks take beside each number of requests that wait."""
    if not waiting:
        return []
    growing = Growing(bot, home, clicking)
    return [_with(bot, growing, clicking, one) for one in waiting]


def _with(bot: Bot, growing: Growing, clicking: Clicking, waiting: int) -> dict[str, float]:
    growing.grow(waiting, 0)
    bot.start()
    time.sleep(QUIET_SECONDS)
    found = _told(clicking.singles(WAITING_CLICKS))
    at_once = [clicking.burst(count) for count in AT_ONCE]
    bot.stop()
    for count, timed in zip(AT_ONCE, at_once, strict=True):
        found |= percentiles(f"ack_{count}", timed.acks)
    return {"open": float(waiting), **found}


def main() -> None:
    """Measure, print tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--clicks", type=int, default=20, help="single clicks")
    parser.add_argument("--bursts", type=int, default=1, help="times 20, then 50 clicks at once")
    parser.add_argument(
        "--open",
        type=lambda text: [int(one) for one in text.split(",") if one],
        default=[],
        help="also beside so many requests that wait, as 10,1000,100000",
    )
    asked = parser.parse_args()
    figures, beside = measure(asked.clicks, asked.bursts, asked.open)
    figures = {name: round(one, 1) for name, one in figures.items()}
    if not asked.json:
        for name, value in figures.items():
            print(f"{name:<24}{value:>10.1f}   {GOALS.get(name, '')}".rstrip())
        if beside:
            print(table(list(beside[0]), [list(one.values()) for one in beside]))
    rounded = [{name: round(one, 1) for name, one in row.items()} for row in beside]
    print(json.dumps({**figures, "beside": rounded}))


if __name__ == "__main__":
    main()
