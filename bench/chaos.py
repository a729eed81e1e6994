"""Kills the product a thousand times and says what became of everything it had accepted.

Four kinds of victim, each on homes of its own and counted apart: the engine as a real process
on SQLite; three such processes on one Postgres, which crashes too; the whole bot (`interlock
serve`) on SQLite; and on that Postgres a bot that only serves, with three `interlock worker`s.
Both bots face the pretend Slack, which loses and repeats deliveries. The target
is a service with a log of its own and misbehaves in eight ways. Judged is by that log and by
the signed trail, verified from outside. `bench/trial/` holds the parts, `bench/chaos/` the
workflows.

    python -m bench.chaos --kills 1000 [--json] [--seed WORD] [--only KIND] [--keep]

The first interrupt ends the killing: what is under way is brought to its end and judged.
The last line is one JSON object. Exit code 0: nothing happened twice, nothing was lost, no
chain is broken, every doubt is settled. Otherwise 1, and the homes are kept to be looked at.
"""

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # As a script, its own folder is where Python looks.
    sys.path.insert(0, str(ROOT))

from bench.trial.assault import Chaos, Outcome, planned  # noqa: E402  the path comes first
from bench.trial.chaos_report import by_kind, findings, report, show  # noqa: E402  as above
from bench.trial.life import nursery  # noqa: E402  as above
from bench.trial.postgres import crashing_postgres  # noqa: E402  as above

TELL_EVERY = 5.0
AT_ONCE = 5  # Homes under siege at one time; two cores are busy with that.


def tell_progress(chaos: Chaos, kills: int, is_over: threading.Event) -> None:
    """Say on stderr how far it is, every few seconds."""
    while not is_over.wait(TELL_EVERY):
        done = sum(one.tally.total for one in chaos.sieges)
        runs = sum(len(one.crowd.accepted) for one in chaos.sieges)
        took = round(time.monotonic() - chaos.began)
        print(f"chaos: {done} of {kills} kills, {runs} runs, {took} s", file=sys.stderr, flush=True)


def besiege(chaos: Chaos, kills: int, only: str) -> list[Outcome]:
    """Besiege every home, a few at a time."""
    is_over = threading.Event()
    threading.Thread(target=tell_progress, args=(chaos, kills, is_over), daemon=True).start()
    with ExitStack() as stack:
        if "sqlite" not in only:
            chaos.postgres = stack.enter_context(crashing_postgres())
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent: list[Future[Outcome]] = [pool.submit(one) for one in planned(chaos, kills, only)]
            wait(sent)
    is_over.set()
    return [one.result() for one in sent]


def end_early(chaos: Chaos) -> None:
    """Have the first signal end the killing, and the second one everything."""

    def on_signal(number: int, _: FrameType | None) -> None:
        chaos.deadline = 0
        signal.signal(number, signal.SIG_DFL)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, on_signal)


def main() -> None:
    """Besiege, judge, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--seed", default="", help="the same seed plans the same schedule")
    parser.add_argument("--only", default="", help="sqlite, postgres, engine, bot, or one kind")
    parser.add_argument("--minutes", type=float, default=50, help="kill no longer than that")
    parser.add_argument("--keep", action="store_true", help="keep the homes whatever comes")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="interlock-chaos-"))
    seed = asked.seed or secrets.token_hex(4)
    deadline = time.monotonic() + asked.minutes * 60
    chaos = Chaos(nursery(), folder, seed, deadline)
    end_early(chaos)
    outcomes = besiege(chaos, asked.kills, asked.only)
    figures = report(outcomes)
    wrong = list(findings(outcomes))
    is_kept = asked.keep or bool(wrong)
    if not is_kept:
        shutil.rmtree(folder, ignore_errors=True)
    for one in wrong:
        print(one, file=sys.stderr)
    if not asked.json:
        show(outcomes)
    last = {
        **figures,
        "seed": seed,
        "seconds": round(time.monotonic() - chaos.began, 1),
        "by": by_kind(outcomes),
        "kept": str(folder) if is_kept else None,
    }
    print(json.dumps(last), flush=True)
    sys.exit(1 if wrong or int(str(figures["kills"])) < asked.kills else 0)


if __name__ == "__main__":
    main()
