"""What folders of workflow files cost: many of them, a long one, and a git history around them.

For each size the real bot (`interlock serve` beside the sandbox, SQLite) is started twice: the
first time it publishes every file, the second it knows them to be sound. `interlock check` is a
process of its own. Lists, histories and drift are made by the functions behind `/ops workflows`,
`interlock history` and `interlock check --drift`, over the database that the bot left. Each
figure stands beside the one of the smallest folder.

    python -m bench.catalog [--json] [--sizes 10,100,500] [--commits 10000]
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.definitions import LINES, commit_all, fill, long_definition
from bench.figures import last_line, table
from bench.process import cpu_seconds, resident_mb
from bot.catalog_lines import standings
from bot.catalog_story import story_of
from bot.checked_files import CheckedFiles
from bot.drift import drifts
from sandbox.demo.bot import Bot, interlock
from sandbox.demo.stage import Stage, staged
from storage.database import open_database
from storage.published import was_published
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.loading import load_policy

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
SETTLED = 3.0  # By then a start has done what it does aside.
KB_PER_MB = 1024

Figures = dict[str, float]
Prepare = Callable[[Path], None]


def measure(prepare: Prepare) -> Figures:
    """Return what a folder of files costs that `prepare` fills."""
    with (
        tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        prepare(stage.workflows)
        bot = Bot(stage)
        bot.prepare()
        return {
            **_checked(stage),
            **_started("first", bot),
            **_started("again", bot),
            **_read(stage),
        }


def _checked(stage: Stage) -> Figures:
    """Return what `interlock check` takes over the folder, as the system counts it.

    Raises:
        RuntimeError: a file is not sound, so that nothing else would be worth a look.
    """
    words = (interlock(), "check", str(stage.workflows), "--policy", str(stage.policy))
    with tempfile.TemporaryFile() as told:
        done = subprocess.Popen(words, stdout=told, stderr=told)
        _, status, used = os.wait4(done.pid, 0)
        told.seek(0)
        said = told.read()
    if status != 0 or b" 0 warning(s)" not in said:
        raise RuntimeError(f"the files made here are not sound: {said.decode()[:2000]}")
    return {"check_cpu_s": used.ru_utime + used.ru_stime, "check_mb": used.ru_maxrss / KB_PER_MB}


def _started(name: str, bot: Bot) -> Figures:
    began = time.perf_counter()
    bot.start()
    ready = time.perf_counter() - began
    try:
        time.sleep(SETTLED)
        used, kept = cpu_seconds(bot.pid), resident_mb(bot.pid)
    finally:
        bot.stop()
    return {f"{name}_ready_s": ready, f"{name}_cpu_s": used, f"{name}_mb": kept}


def _read(stage: Stage) -> Figures:
    """Return how long lists, a history and the comparison with the files take to make."""
    policy = load_policy(stage.policy)
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    database = open_database(f"sqlite:///{stage.home / 'interlock.db'}")
    try:
        checked = CheckedFiles(stage.home, is_published=lambda one: was_published(database, one))
        files = checked.read(stage.workflows)
        found = drifts(database, actions, files)
        if found:
            raise RuntimeError(f"the bot left drift behind: {found[0].words}")
        name = files.names()[0]
        return {
            "list_ms": _ms(lambda: standings(database, found, now=datetime.now(UTC))),
            "history_ms": _ms(lambda: story_of(database, name)),
            "drift_ms": _ms(lambda: drifts(database, actions, checked.read(stage.workflows))),
        }
    finally:
        database.close()


def _ms(work: Callable[[], object]) -> float:
    """Return the processor time of doing something once more, in milliseconds."""
    work()
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def folders(sizes: list[int], commits: int) -> dict[str, Prepare]:
    """Return each folder that is measured, by what it is called."""
    smallest = sizes[0]
    found: dict[str, Prepare] = {f"{one} files": lambda at, n=one: fill(at, n) for one in sizes}

    def with_a_long_file(at: Path) -> None:
        fill(at, smallest)
        (at / "made-0.yaml").write_text(long_definition(0))

    def in_git(at: Path, commits: int) -> None:
        fill(at, sizes[-1])
        commit_all(at, commits)

    found[f"{smallest} files, one of {LINES} lines"] = with_a_long_file
    found[f"{sizes[-1]} files, 1 commit"] = lambda at: in_git(at, 2)
    found[f"{sizes[-1]} files, {commits} commits"] = lambda at: in_git(at, commits)
    return found


def main() -> None:
    """Measure, print tables of figures and of ratios, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--sizes", default="10,100,500", help="how many files a folder holds")
    parser.add_argument("--commits", type=int, default=10_000, help="of the git work tree")
    asked = parser.parse_args()
    sizes = sorted(int(one) for one in asked.sizes.split(","))
    rows: dict[str, Figures] = {}
    for name, prepare in folders(sizes, asked.commits).items():
        rows[name] = {"load": os.getloadavg()[0], **measure(prepare)}
    least = next(iter(rows.values()))
    if not asked.json:
        names = list(least)
        print(table(["folder", *names], [[name, *one.values()] for name, one in rows.items()]))
        print(f"\nas a multiple of {sizes[0]} files:")
        ratios = [[name, *(one[key] / least[key] for key in names)] for name, one in rows.items()]
        print(table(["folder", *names], ratios), end="\n\n")
    last_line({name: {key: round(v, 3) for key, v in one.items()} for name, one in rows.items()})


if __name__ == "__main__":
    main()
