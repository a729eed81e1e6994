"""How long a search takes: ranked words, words with conditions, and the newest without words.

A database is filled with summaries of some 210 bytes, each of a run of its own; all of them
point to one signed entry, since the proof of a hit is another matter. Targets, for a million
(AUDIT.md section 15): ranked 50 ms, by recency 10 ms, each the 99th percentile, warm.

    python -m bench.search [--documents 1000000] [--postgres auto|ADDRESS] [--json]
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from bench import postgres
from bench.figures import last_line, percentiles, table
from bench.process import freeze
from bench.progress import Progress
from storage.database import open_database
from storage.log_setup import init_log
from storage.message_models import SummaryRecord
from storage.migrate import upgrade
from storage.run_models import RunRecord
from storage.search import find
from storage.search_runs import Sought
from storage.transaction import Database
from storage.word_reading import words_of
from workflows.entry import Ref
from workflows.run import Status

ROUNDS = 100
BATCH = 5_000
LENGTH = 32  # Words of a summary.
VOCABULARY = 20_000
COMMON = ("refund", "customer", "approved", "order")  # Each in some 10 of 100 summaries.
PEOPLE = 200
# Which queries have a target: words alone, ranked, and conditions alone, by recency.
RANKED = ("rare_word", "common_word", "three_words", "prefix")
RECENT = ("newest_of_a_workflow", "newest_denied")
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def words_of_story(chance: random.Random, number: int) -> str:
    """Return a summary: mostly rare words, a few common ones, one that no other has."""
    rare = (f"w{min(int(chance.paretovariate(0.6)), VOCABULARY)}" for _ in range(LENGTH))
    common = (one for one in COMMON if chance.random() < 0.1)  # noqa: PLR2004 - one of ten.
    return " ".join((*rare, *common, f"ord_{number}"))


def fill(database: Database, documents: int) -> None:
    """Write that many runs with their summaries."""
    chance = random.Random(7)
    with database.read() as connection:
        entry = connection.execute(text("SELECT uid FROM audit_entry LIMIT 1")).scalar_one()
    progress = Progress("summaries", documents)
    for first in range(0, documents, BATCH):
        numbers = range(first, min(first + BATCH, documents))
        bodies = [words_of_story(chance, one) for one in numbers]
        with database.begin() as tx:
            tx.connection.execute(insert(RunRecord), [_run(one) for one in numbers])
            summaries = [
                {
                    "run_id": f"{one:032x}",
                    "entry_id": entry,
                    "body": body,
                    "words": words_of(body),
                    "written_at": BEGINNING + timedelta(minutes=one),
                }
                for one, body in zip(numbers, bodies, strict=True)
            ]
            tx.connection.execute(insert(SummaryRecord), summaries)
        progress.at(numbers.stop)


def _run(number: int) -> dict[str, object]:
    at = BEGINNING + timedelta(minutes=number)
    return {
        "id": f"{number:032x}",
        "workflow": f"workflow-{number % 20}",
        "version": "v" * 64,
        "status": Status.DENIED if number % 50 == 0 else Status.DONE,
        "outcome": "denied" if number % 50 == 0 else "done",
        "requester": f"s:{number % PEOPLE:032x}",
        "requester_kind": "user",
        "trigger": "slash",
        "started_at": at,
        "finished_at": at,
        "tail_rseq": 1,
        "tail_leaf": bytes(32),
        "channel": f"C{number % 10}",
        "epoch": 0,
        "segments_died": 0,
    }


def queries(chance: random.Random, documents: int) -> dict[str, Callable[[], Sought]]:
    """Return what is asked, by name."""
    mine = Ref(f"s:{1:032x}")
    return {
        "rare_word": lambda: Sought(words=f"ord_{chance.randrange(documents)}"),
        "common_word": lambda: Sought(words=chance.choice(COMMON)),
        "three_words": lambda: Sought(words=" OR ".join(chance.sample(COMMON, 3))),
        "prefix": lambda: Sought(words=f"w{chance.randrange(10, 99)}*"),
        "common_one_channel": lambda: Sought(words=chance.choice(COMMON), channels={"C3"}),
        "common_by_one_person": lambda: Sought(
            words=chance.choice(COMMON), requesters=frozenset({mine})
        ),
        "newest_of_a_workflow": lambda: Sought(workflows=frozenset({"workflow-3"})),
        "newest_denied": lambda: Sought(outcomes=frozenset({Status.DENIED})),
    }


@contextmanager
def filled(address: str, documents: int) -> Iterator[Database]:
    """Give a database with that many summaries."""
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        database = open_database(address or str(Path(folder) / "interlock.db"))
        try:
            upgrade(database.engine)
            init_log(database, Path(folder) / "home", origin="bench.example/log")
            fill(database, documents)
            with database.begin() as tx:
                tx.connection.execute(text("ANALYZE"))
            yield database
        finally:
            database.close()


def measured(database: Database, documents: int, rounds: int) -> dict[str, float]:
    """Return the times of all queries, each asked a few times before it counts."""
    freeze()
    found: dict[str, float] = {"documents": documents}
    for name, query in queries(random.Random(11), documents).items():
        times = []
        for number in range(-3, rounds):
            began = time.perf_counter()
            find(database, query())
            if number >= 0:
                times.append((time.perf_counter() - began) * 1000)
        found |= percentiles(name, times)
    return found


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--documents", "--entries", type=int, default=100_000)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    asked.add_argument("--postgres", default="")
    asked.add_argument("--json", action="store_true")
    chosen = asked.parse_args()
    if chosen.postgres:
        with postgres.server(chosen.postgres) as server, postgres.database(server) as address:
            figures = _figures(address, chosen)
    else:
        figures = _figures("", chosen)
    if not chosen.json:
        names = [name.removesuffix("_p50_ms") for name in figures if name.endswith("_p50_ms")]
        rows = [(one, figures[f"{one}_p50_ms"], figures[f"{one}_p99_ms"]) for one in names]
        print(table(("query", "p50 ms", "p99 ms"), rows))
    last_line(figures)


def _figures(address: str, chosen: argparse.Namespace) -> dict[str, float]:
    with filled(address, chosen.documents) as database:
        return measured(database, chosen.documents, chosen.rounds)


if __name__ == "__main__":
    main()
