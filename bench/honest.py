"""Honest histories, drawn at random, none of which may be called forged: no false alarm.

Each history is a log of its own in which the real engine lets runs finish, be denied, expire,
be cancelled or fail, under a policy drawn from several, while people stand in for each other,
break the glass and change their minds, keys are rotated, people erased, payloads swept and heads
kept outside; on Postgres it also ends with entries that have no place yet. Each is then verified as
an outsider does, against every head kept, its tables are made again from its entries and
compared, and now and then a pack of it is verified.

    python -m bench.honest [--histories 1000] [--seed 1] [--postgres URL of a server, auto or none]
"""

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import postgres
from bench.figures import last_line
from bench.happenings import OPERATOR, History, house_in, start
from storage.database import open_database
from storage.evidence.export import Request, export
from storage.heads import head
from storage.log_setup import init_log
from storage.migrate import upgrade
from storage.sequencing import lock_number, sequence_pending
from storage.store import SqlStore
from storage.verify import Options, Report, verify_database, verify_pack
from tests.storage.trail import Trail
from tests.world import Clock

ORIGIN = "bench.example/audit/B1"
STEPS = (10, 40)  # How many things happen in a history.
EACH_PACK = 10  # Of so many histories one gives a pack.
EACH_POSTGRES = 10
# A run that still waits is told apart and is no alarm.
OPEN = {"run-without-end", "intent-without-end"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of a history, and what happened in it. No alarm is the right answer."""

    alarms: list[str]
    happened: Counter[str]
    entries: int


def live(url: str, folder: Path, seed: int, *, with_pack: bool) -> Judgement:
    """Let a history happen in the empty database at `url`; return what a verifier says of it."""
    chance, clock, database = random.Random(seed), Clock(), open_database(url)
    try:
        journal = init_log(database, folder / "home", origin=ORIGIN, now=clock)
        pin = journal.sequencer.signers[0].vkey
        store = SqlStore(database, journal, now=clock)
        house = house_in(store, clock, chance)
        trail = Trail(url, database, journal, pin, clock)
        history = History(house, trail, folder / "home", chance)
        for _ in range(chance.randint(*STEPS)):
            history.grow()
        alarms = [*_pending_alarms(history), *_alarms(history)]
        history.happened.update(f"run {house.status(run)}" for run in history.runs)
        history.happened.update(_told(history))
        if with_pack:
            alarms += _pack_alarms(history, folder / "pack")
        return Judgement(alarms, history.happened, trail.count())
    finally:
        database.close()


def _told(history: History) -> Iterator[str]:
    """Yield what is told of the requests of each run, what a rule of its own is about."""
    for run in history.runs:
        entries, rejected = history.house.entries(run), set[object]()
        for one in entries:
            request = one.data.get("request")
            if one.kind == "approval.denied":
                rejected.add(request)
            elif one.kind == "action.intended" and request in rejected:
                yield "effect after a rejection"
            elif one.kind == "approval.granted" and "for" in one.data:
                yield "approval in another's place"
            elif one.kind == "approval.granted" and "batch" in one.data:
                yield "approval of an item"
            elif one.kind == "break_glass.used":
                yield "glass broken"


def _alarms(history: History) -> list[str]:
    trail = history.trail
    how = Options(now=trail.clock, processes=1)
    return _said(verify_database(trail.url, [trail.pin], history.notes, tables=True, **how))


def _pending_alarms(history: History) -> list[str]:
    """On Postgres, let entries wait for their place while somebody looks."""
    if history.trail.database.dialect == "sqlite":
        return []
    with psycopg.connect(history.trail.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_number(ORIGIN),))
        start(history)
        history.house.settle()
        alarms = _alarms(history)
        if not history.trail.count() > _placed(history):
            alarms.append("no entry waits for its place")
        other.execute("SELECT pg_advisory_unlock(%s)", (lock_number(ORIGIN),))
    sequence_pending(history.trail.database, history.trail.journal.sequencer)
    return alarms


def _placed(history: History) -> int:
    with history.trail.database.read() as connection:
        return head(connection).size


def _pack_alarms(history: History, folder: Path) -> list[str]:
    now = history.trail.clock
    export(history.house.store, Request(out=folder), person=OPERATOR, now=now())
    report = verify_pack(folder, [history.trail.pin], history.notes, now=now, processes=1)
    return [f"pack: {one}" for one in _said(report)]


def _said(report: Report) -> Iterator[str]:
    if report.malformed:
        yield report.malformed
    told = [one for one in report.semantics if one[0] not in OPEN]
    for code, text in (*report.failures, *report.unproven, *report.warnings, *told):
        yield f"{code}: {text}"


class Databases:
    """Empty databases, each a copy of one with the schema of this release."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self._folder, self._server = folder, server
        self._file = folder / "schema.db"
        _upgraded(str(self._file))

    @contextmanager
    def one(self, number: int) -> Iterator[tuple[str, Path]]:
        """Give an empty database and a folder, both gone afterwards."""
        folder = self._folder / f"h{number}"
        folder.mkdir()
        try:
            if self._server is not None and number % EACH_POSTGRES == 0:
                with postgres.database(self._server) as url:
                    yield url, folder
            else:
                yield str(shutil.copy(self._file, folder / "interlock.db")), folder
        finally:
            shutil.rmtree(folder)


def _upgraded(url: str) -> None:
    database = open_database(url)
    upgrade(database.engine)
    database.close()


def judge(numbers: Sequence[int], server: str | None) -> dict[int, Judgement]:
    """Return what was said of each of these histories; a number is the seed of its history."""
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases(Path(folder), server)
        found = {}
        for number in numbers:
            with databases.one(number) as (url, place):
                found[number] = live(url, place, number, with_pack=number % EACH_PACK == 1)
        return found


def main() -> None:
    """Let the histories happen, and print every alarm that somebody would have had."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--histories", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=0, help="the number of the first history")
    asked.add_argument("--postgres", default=postgres.AUTO)
    options = asked.parse_args()
    began = time.perf_counter()
    numbers = range(options.seed, options.seed + options.histories)
    if options.postgres == "none":
        found = judge(numbers, None)
    else:
        with postgres.server(options.postgres) as server:
            found = judge(numbers, server)
    happened = sum((one.happened for one in found.values()), Counter[str]())
    alarms = {number: one.alarms for number, one in found.items() if one.alarms}
    for number, said in alarms.items():
        print(f"history {number}: {'; '.join(said)}")
    for what, count in sorted(happened.items()):
        print(f"{count:>7} x {what}")
    last_line(
        {
            "histories": len(found),
            "entries": sum(one.entries for one in found.values()),
            "false_alarms": len(alarms),
            "seconds": round(time.perf_counter() - began, 1),
        }
    )


if __name__ == "__main__":
    main()
