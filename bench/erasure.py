"""How long a person is searched for, erased and overwritten in a log of any size.

A log is synthesised: runs of five entries with two payloads, a summary and a row for the search
each, asked for by two hundred people in turn. One of them is erased, then everything is swept,
while somebody else writes all the time: how long they waited at most is measured, too. Targets
at a million entries (AUDIT.md section 15): unsearchable in the same transaction, no bytes left
within 10 s.

    python -m bench.erasure [--entries 1000000] [--json]
"""

import argparse
import json
import resource
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from sqlalchemy import insert

from bench.audit_log import OBSERVED, STARTED, begin
from bench.figures import last_line, table
from bench.progress import Progress
from storage.message_models import SummaryRecord
from storage.retention.person import erase
from storage.retention.removal import overwrite_deleted
from storage.retention.sweep import sweep
from storage.run_models import RunRecord
from storage.search import find
from storage.search_runs import Sought
from storage.store import SqlStore
from storage.verify import verify_database
from storage.word_reading import words_of
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Json, Part, PartClass, Ref, RunId
from workflows.policy_retention import DEFAULT_TERMS
from workflows.run import Status

PEOPLE = 200
ENTRIES = 5  # Of a run, its summary among them.
TOGETHER = 200  # Runs of one commit.
BLOCK = 1 << 20
KB_PER_MB = 1024
PAUSE = 0.004  # Of whoever writes beside.
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime.now(UTC) + timedelta(days=365)  # Everything is due.
GOALS = {"overwritten_s": "≤ 10 s at 1 M", "hits_after": "0", "left_in_files": "0"}


def word_of(person: int) -> str:
    """Return a word that nobody but this person ever wrote."""
    return f"zebra{person:06d}quagga"


def fill(store: SqlStore, entries: int) -> list[Ref]:
    """Write that many entries; return the people who asked for the runs."""
    with store.begin() as unit:
        names = [f"slack:T0BENCH:U{number:06d}" for number in range(PEOPLE)]
        people = [store.journal.ref(unit.transaction, one) for one in names]
    progress = Progress("a log to erase from", entries)
    runs = entries // ENTRIES
    for first in range(0, runs, TOGETHER):
        numbers = range(first, min(first + TOGETHER, runs))
        _write(store, people, numbers)
        progress.at(numbers.stop * ENTRIES)
    return people


def _write(store: SqlStore, people: list[Ref], numbers: range) -> None:
    rows, summaries = [], []
    with store.database.begin() as tx:
        for number in numbers:
            run, who = RunId(secrets.token_hex(16)), number % PEOPLE
            tail = None
            for draft in _story(run, people[who], word_of(who)):
                recorded = store.journal.append(tx, draft, tail=tail)
                tail = recorded.tail
            rows.append(_run(run, people[who], number))
            told = store.journal.append(tx, _summary(run, word_of(who)))
            summaries.append(
                {
                    "run_id": run,
                    "entry_id": told.entry.id,
                    "body": f"{word_of(who)} asked for something",
                    "words": words_of(f"{word_of(who)} asked for something"),
                    "written_at": BEGINNING,
                }
            )
        tx.connection.execute(insert(RunRecord), rows)
        tx.connection.execute(insert(SummaryRecord), summaries)


def _story(run: RunId, who: Ref, word: str) -> Iterator[Draft]:
    person = Actor(kind=ActorKind.USER, ref=who)
    message = {"message": Part(value=f"please, says {word}".encode())}
    yield Draft(kind="run.started", actor=person, data=STARTED, run=run, parts=message)
    output = {"output": Part(value=f"rows of {word}".encode())}
    yield Draft(kind="step.observed", actor=INTERLOCK, data=OBSERVED, run=run, parts=output)
    yield Draft(kind="step.observed", actor=INTERLOCK, data=OBSERVED, run=run)
    yield Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=run)


def _summary(run: RunId, word: str) -> Draft:
    data: dict[str, Json] = {"by_run": run, "method": "extract", "basis": [0]}
    text = json.dumps({"sentences": [{"text": f"{word} asked", "basis": [0]}], "words": ""})
    part = Part(value=text.encode(), cls=PartClass.DERIVED)
    return Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part})


def _run(run: RunId, who: Ref, number: int) -> dict[str, object]:
    at = BEGINNING + timedelta(seconds=number)
    return {
        "id": run,
        "workflow": "deploy",
        "version": "ab" * 32,
        "status": Status.DONE,
        "outcome": "done",
        "requester": who,
        "requester_kind": "user",
        "trigger": "cli",
        "started_at": at,
        "finished_at": at,
        "tail_rseq": 3,
        "tail_leaf": bytes(32),
        "channel": "C0",
        "epoch": 0,
        "segments_died": 0,
    }


def measured(store: SqlStore, url: str, people: list[Ref], entries: int) -> dict[str, float]:
    """Erase one of them; return how long each part took, and what is left."""
    erased, other = word_of(1), word_of(2)
    before = find(store.database, Sought(words=erased)).total
    with Beside(store) as erasing:
        began = time.perf_counter()
        found = erase(store, people[1], policy="ab" * 32, by_run="bench")
        removed = time.perf_counter()
    after = find(store.database, Sought(words=erased)).total
    overwrite_deleted(store.database)
    overwritten = time.perf_counter()
    report = verify_database(url, [], processes=1, quick=True)
    return {
        "entries": entries,
        "payloads": len(found),
        "erase_s": removed - began,
        "overwritten_s": overwritten - began,
        "hits_before": before,
        "hits_after": after,
        "hits_of_another": find(store.database, Sought(words=other)).total,
        "left_in_files": sum(occurrences(one, erased.encode()) for one in files_of(url)),
        "erase_waited_ms": erasing.longest_ms,
        "failures": report.n_failures,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB,
    }


class Beside:
    """Somebody who writes all the time, and how long they had to wait for it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.waited: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def longest_ms(self) -> float:
        """Return the longest that they waited."""
        return max(self.waited, default=0.0) * 1000

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE):
            began = time.perf_counter()
            with self._store.begin() as unit:
                data: dict[str, Json] = {"what": "runs", "n": 1}
                unit.append(Draft(kind="access.read", actor=INTERLOCK, data=data))
            self.waited.append(time.perf_counter() - began)


def files_of(url: str) -> list[Path]:
    """Return the database's own files."""
    file = Path(url)
    return [one for one in (file, file.with_name(f"{file.name}-wal")) if one.exists()]


def occurrences(file: Path, word: bytes) -> int:
    """Return how often a word stands in a file, read in blocks."""
    count, rest = 0, b""
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            whole = rest + block
            count += whole.count(word)
            rest = whole[-len(word) + 1 :]
    return count


def sweeping(store: SqlStore) -> dict[str, float]:
    """Sweep all that is left; return how long it took, and somebody beside it waited."""
    with Beside(store) as beside:
        began = time.perf_counter()
        found = sweep(store, policy="ab" * 32, terms=DEFAULT_TERMS, now=LATER)
        ended = time.perf_counter()
    return {
        "swept": found.payloads,
        "sweep_s": ended - began,
        "sweep_waited_ms": beside.longest_ms,
    }


def figures(folder: Path, entries: int, *, sweeps: bool = False) -> dict[str, float]:
    """Return the figures of a log of that size, made in `folder`; of a sweep of it, too."""
    url = str(folder / "log.db")
    database, journal = begin(url, folder / "home")
    try:
        store = SqlStore(database, journal)
        found = measured(store, url, fill(store, entries), entries)
        return found | (sweeping(store) if sweeps else {})
    finally:
        database.close()


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--entries", type=int, default=50_000)
    asked.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        found = figures(Path(folder), options.entries, sweeps=True)
    if not options.json:
        rows = [(name, value, GOALS.get(name, "")) for name, value in found.items()]
        print(table(("figure", "measured", "target"), rows))
    last_line({name: round(value, 3) for name, value in found.items()})


if __name__ == "__main__":
    main()
