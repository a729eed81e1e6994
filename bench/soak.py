"""A thousand runs of four workflows while nobody watches, on inputs that are all a little odd.

A refund, an access that ends by itself, a purge and a record change run in one process on a
real database, with scripted approvers, against a target that is slow, loses its answers, fails
and is out of order now and then. Afterwards an oracle works out from the inputs and from the
targets' own logs what should have come of each run, and asks the product nothing.

    python -m bench.soak --runs 1000 [--json] [--seed WORD] [--postgres] [--keep]

The last line is one JSON object. Exit code 0: every run ended as it should have, every chain
and projection is right. Otherwise 1, and the home is kept to be looked at.
"""

import argparse
import json
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # As a script, its own folder is where Python looks.
    sys.path.insert(0, str(ROOT))

from bench.trial.engine_process import serve, settings_of  # noqa: E402  the path comes first
from bench.trial.home import Home, Target  # noqa: E402  as above
from bench.trial.judge import Verdict, judge_chain, judge_doubts  # noqa: E402  as above
from bench.trial.life import Life, nursery  # noqa: E402  as above
from bench.trial.postgres import crashing_postgres  # noqa: E402  as above
from bench.trial.soak_cases import SoakCase, soak_cases  # noqa: E402  as above
from bench.trial.soak_crowd import AT_ONCE, SoakCrowd  # noqa: E402  as above
from bench.trial.soak_oracle import NO_RUN, mistakes, strangers  # noqa: E402  as above

FILES = Path(__file__).with_name("soak")
TELL_EVERY = 5.0
REST = 300.0  # Seconds for what is under way when time is up.


@dataclass(slots=True)
class Result:
    """What came of a soak."""

    ends: dict[str, Counter[str]] = field(default_factory=dict)  # By workflow and cause.
    wrong: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0


def soak(home: Home, wanted: Iterator[SoakCase], life: Life, *, runs: int, until: float) -> Result:
    """Run every case to its end, then judge them all."""
    began, cases = time.monotonic(), []

    def kept() -> Iterator[SoakCase]:
        # Made when its turn comes, since a grant ends some seconds after that.
        for case in wanted:
            if time.monotonic() > until:
                return
            cases.append(case)
            yield case

    crowd = SoakCrowd(home, kept(), life.asked, at_once=AT_ONCE)
    crowd.begin()
    while (left := crowd.unsettled()) or not crowd.has_started_all:
        if crowd.has_started_all and time.monotonic() > until + REST:
            break
        done, took = len(cases) - len(left), round(time.monotonic() - began)
        print(f"soak: {done} of {runs} runs, {took} s", file=sys.stderr, flush=True)
        time.sleep(TELL_EVERY if runs > AT_ONCE else 1)
    crowd.close()
    crowd.leave()
    result = judged(home, cases)
    if not life.is_alive:
        result.wrong.append("the process ended by itself")
    if len(cases) < runs:
        result.wrong.append(f"there was time for {len(cases)} runs only")
    result.seconds = time.monotonic() - began
    return result


def judged(home: Home, cases: list[SoakCase]) -> Result:
    """Return what the oracle finds for every case, and what the trail's verification says."""
    result, runs = Result(), home.watch.runs()
    for case in cases:
        run, status = runs.get(case.subject, ("", NO_RUN))
        named = f"{case.workflow}, {case.cause}"
        result.ends.setdefault(named, Counter())[status] += 1
        result.wrong.extend(
            f"{case.subject[:40]} ({named}): {one}" for one in mistakes(home, case, status)
        )
        if run:
            judge_doubts(case.subject[:40], home.watch.entries(run), result.verdict)
    known = {name for case in cases for name in case.effects}
    result.wrong.extend(f"{one}: nobody asked for that" for one in strangers(home, known))
    result.wrong.extend(f"{one[:40]}: started twice" for one in home.watch.repeated)
    judge_chain(home, result.verdict)
    result.wrong.extend([*result.verdict.broken, *result.verdict.unaccounted])
    result.wrong.extend(result.verdict.unproven)
    return result


def table(result: Result) -> Iterator[str]:
    """Yield the outcomes by workflow and cause."""
    ends = sorted({end for found in result.ends.values() for end in found})
    yield f"{'workflow, what is odd':<36}" + "".join(f"{one:>11}" for one in ends)
    for named, found in sorted(result.ends.items()):
        yield f"{named:<36}" + "".join(f"{found[one] or '·':>11}" for one in ends)


def main() -> None:
    """Soak, judge, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--seed", default="", help="the same seed makes the same runs")
    parser.add_argument("--postgres", action="store_true", help="on Postgres instead of a file")
    parser.add_argument("--minutes", type=float, default=40, help="start nothing after that")
    parser.add_argument("--keep", action="store_true", help="keep the home whatever comes")
    asked = parser.parse_args()
    seed = asked.seed or secrets.token_hex(4)
    folder = Path(tempfile.mkdtemp(prefix="interlock-soak-"))
    context = nursery()
    with ExitStack() as stack:
        database = ""
        if asked.postgres:
            database = stack.enter_context(crashing_postgres()).new_database("soak")
        target = Target(context, folder)
        stack.callback(target.stop)
        home = Home(folder, database, target=target)
        home.prepare(FILES)
        home.begin(settings_of(folder, database))
        life = Life(context, serve, folder, database)
        stack.callback(life.kill)
        wanted = soak_cases(random.Random(seed), asked.runs)
        until = time.monotonic() + asked.minutes * 60
        result = soak(home, wanted, life, runs=asked.runs, until=until)
    tell(
        result, asked.runs, seed, folder, is_kept=asked.keep or bool(result.wrong), alone=asked.json
    )
    sys.exit(1 if result.wrong else 0)


def tell(result: Result, runs: int, seed: str, folder: Path, *, is_kept: bool, alone: bool) -> None:
    """Print what came of it, and remove the home unless it is kept."""
    if not is_kept:
        shutil.rmtree(folder, ignore_errors=True)
    for one in result.wrong:
        print(one, file=sys.stderr)
    if not alone:
        print("\n".join(table(result)))
    whole: Counter[str] = Counter()
    for found in result.ends.values():
        whole.update(found)
    last = {
        "runs": runs,
        "wrong": len(result.wrong),
        "ends": dict(whole),
        "by_cause": {name: dict(found) for name, found in sorted(result.ends.items())},
        "doubts": result.verdict.doubts,
        "doubts_settled_by": dict(result.verdict.doubts_by),
        "doubts_unsettled": len(result.verdict.unaccounted),
        "broken_chains": len(result.verdict.broken),
        "seed": seed,
        "seconds": round(result.seconds, 1),
        "kept": str(folder) if is_kept else None,
    }
    print(json.dumps(last, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
