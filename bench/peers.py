"""The same work on Interlock and on two peers, in turn: five durable steps with an approval.

200 runs at once, the approval in the middle answered the moment it is asked for, 8 threads;
on SQLite in WAL with a real fsync at each commit, and on Postgres. Each is a process of its
own; each round measures all of them one after the other, beginning with another one each
time, and a ratio compares figures of the same round. Peers are installed by `make bench-env`;
one that is not there is named, and not measured.

    python -m bench.peers [--json] [--rounds 3] [--postgres URL of a server, `auto` or `none`]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import raw
from bench.figures import last_line, medians, table
from bench.postgres import AUTO, database, server

HOUSE = Path(__file__).parents[1]
PEERS_PYTHON = HOUSE / ".venv-bench" / "bin" / "python"
US = "interlock"
PEERS = ("dbos", "langgraph")
RUNS = 200
STEPS = 5
THREADS = 8
IDLE_SECONDS = 5.0
PATIENCE = 300.0  # Seconds for one driver.
GOALS = {"dbos": (2.0, 1.6, 1.5), "langgraph": (1.0, 0.75, 0.75)}  # Goal, floors of both.

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One program on one kind of database."""

    who: str
    kind: str  # `sqlite` or `postgres`

    @property
    def python(self) -> Path:
        """The interpreter of the environment it is installed in."""
        return Path(sys.executable) if self.who == US else PEERS_PYTHON

    @property
    def name(self) -> str:
        """What its figures are called."""
        return f"{self.who}_{self.kind}"


def installed() -> list[str]:
    """Return the peers that can be measured here."""
    if not PEERS_PYTHON.exists():
        return []
    return [one for one in PEERS if _can_import(one)]


def _can_import(package: str) -> bool:
    asked = f"import importlib.util as u; raise SystemExit(u.find_spec({package!r}) is None)"
    return subprocess.run([PEERS_PYTHON, "-c", asked], check=False).returncode == 0


def measure(case: Case, place: str, runs: int) -> Figures:
    """Return what the driver of that case prints, run on the empty database at `place`.

    Raises:
        RuntimeError: it failed; its last words are in the message.
    """
    command = [case.python, "-m", f"bench.drive_{case.who}", place, "--runs", str(runs)]
    command += ["--threads", str(THREADS), "--idle", str(IDLE_SECONDS)]
    done = subprocess.run(
        command, cwd=HOUSE, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{case.name} failed: {done.stderr.strip()[-2000:]}")
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def places(kind: str, address: str) -> Iterator[str]:
    """Give an empty database of that kind, which is gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
            yield f"sqlite:{folder}/peers.db"
        return
    with database(address) as url:
        yield url


def one_round(kind: str, address: str, order: Sequence[str], runs: int) -> dict[str, Figures]:
    """Return the figures of each program on that kind of database, and of the raw database."""
    found: dict[str, Figures] = {}
    rates = [_raw(kind, address)]
    for who in order:
        case = Case(who, kind)
        with places(kind, address) as place:
            found[case.name] = measure(case, place, runs)
        rates.append(_raw(kind, address))
        found[case.name]["steps"] = found[case.name]["runs"] * STEPS
        found[case.name]["raw_commits"] = statistics.mean(rates[-2:])
    return found


def _raw(kind: str, address: str) -> float:
    if kind == "sqlite":
        return raw.here()
    with database(address) as url:
        return raw.postgres_rate(url)


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Return the names with another one first."""
    return [*names[by % len(names) :], *names[: by % len(names)]]


def summed_up(rounds: Sequence[dict[str, Figures]]) -> Figures:
    """Return each case's medians beside its words, and our runs as multiples of each peer's."""
    cases: Figures = {}
    for name in rounds[0]:
        words = {key: one for key, one in rounds[0][name].items() if isinstance(one, str)}
        numbers = [
            {key: one for key, one in found[name].items() if not isinstance(one, str)}
            for found in rounds
        ]
        cases[name] = {**words, **medians(numbers)}
    return {"cases": cases, "ratios": ratios(rounds)}


def ratios(rounds: Sequence[dict[str, Figures]]) -> dict[str, float]:
    """Return our runs a second as a multiple of each peer's, the median over the rounds."""
    found = {}
    for name in rounds[0]:
        who, _, kind = name.partition("_")
        if who != US:
            ours = [one[f"{US}_{kind}"]["runs"] / one[name]["runs"] for one in rounds]
            found[name] = round(statistics.median(ours), 3)
    return found


COLUMNS = {
    "runs/s": "runs",
    "steps/s": "steps",
    "p50 ms": "wait_p50_ms",
    "p99 ms": "wait_p99_ms",
    "CPU ms/run": "cpu_ms_per_run",
    "RSS MB": "rss_mb",
    "threads": "threads",
    "idle CPU %": "idle_cpu_percent",
    "raw/s": "raw_commits",
    "durability": "durability",
    "settings": "settings",
}


def report(figures: Figures) -> None:
    """Print a line for each case, then the ratios beside their goals."""
    rows = [
        [case["peer"], name.partition("_")[2], *(case.get(key) for key in COLUMNS.values())]
        for name, case in figures["cases"].items()
    ]
    print(table(["", "database", *COLUMNS], rows), end="\n\n")
    for name, ratio in figures["ratios"].items():
        who, _, kind = name.partition("_")
        goal, on_sqlite, on_postgres = GOALS[who]
        floor = on_sqlite if kind == "sqlite" else on_postgres
        print(f"{ratio:.2f} x {who} on {kind}: goal ≥ {goal:.2f}, floor ≥ {floor:.2f}")
    for one in figures["not_installed"]:
        print(f"{one} is not installed here, so it was not measured: make bench-env")


def all_rounds(asked: argparse.Namespace, present: Sequence[str]) -> Figures:
    """Measure round by round: SQLite and, unless it is left out, Postgres."""
    rounds: list[dict[str, Figures]] = []
    with server(asked.postgres) as address:
        for number in range(asked.rounds):
            order = rotated([US, *present], number)
            found = one_round("sqlite", address, order, asked.runs)
            if asked.postgres != "none":
                found |= one_round("postgres", address, order, asked.runs)
            rounds.append({name: found[name] for name in sorted(found)})
    return summed_up(rounds)


def main() -> None:
    """Measure in rounds; print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--postgres", default=AUTO, help="address of a server, `auto` or `none`")
    asked = parser.parse_args()
    present = installed()
    figures = all_rounds(asked, present)
    figures["not_installed"] = [one for one in PEERS if one not in present]
    if not asked.json:
        report(figures)
    last_line(figures)


if __name__ == "__main__":
    main()
