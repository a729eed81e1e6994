"""Each target of the audit trail beside its measure, and beside what this machine can do at best.

    python -m bench.audit [--entries 100000] [--full] [--json] [--postgres URL, auto or none]

`--full` takes a million entries, summaries and payloads. Where `make bench-env` has installed it,
the PyPI package auditchain appends beside ours. `bench.search` and `bench.erasure` say more of
these two. Trust the ratios, not the rates.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import erasure, postgres, search
from bench.append import append_rate
from bench.audit_log import (
    add_batch,
    batch_rate,
    begin,
    build_rate,
    bytes_rate,
    fsync_rate,
    raw_rates,
)
from bench.audit_postgres import ready
from bench.figures import percentiles, table
from bench.peers import HOUSE, PEERS_PYTHON
from bench.process import freeze
from bench.progress import Progress
from bench.raw import sqlite_rate
from bench.verification import apart
from storage.database import open_database
from storage.evidence.export import Request, export
from storage.heads import head
from storage.journal import utc_now
from storage.log_setup import open_journal
from storage.proofs import StoredHashes, inclusion, tlog_proof
from storage.store import SqlStore
from storage.verify import Options, verify_pack
from workflows.people import PersonId

Figures = dict[str, float]
MILLION = 1_000_000
PROOFS = 500
PAIRS, WRITERS = 5, 8
DELAY_US = 2_000  # How long a server that waits for others waits with a flush.
PENDING = 80  # Hundreds of entries that wait for their places.
TOGETHER = 1_000  # Entries of one commit while a log is built.
NEVER = 10**9  # Every so-many-th signature: none but the first.
GOALS = {
    "append_1 / fsync": "≥ 0.20",
    "append_1 / auditchain_1": "≥ 3",
    "append_1 / auditchain_wal_1": "",
    "append_100 / build": "≥ 0.5",
    "append_100 / bytes": "",
    "postgres_8 / inline_8": "≥ 1.4",
    "delayed_8 / inline_8": "≥ 3",
    "oldest_pending_s": "≤ 5 s",
    "sequencing_1": "≥ 10,000 /s",
    "sequencing_8": "≥ 10,000 /s",
    "quick / raw_tree": "≥ 0.5",
    "unsigned": "≥ 40,000 /s",
    "full_1 / raw_ed25519": "≥ 0.75",
    "full_2 / full_1": "≥ 1.7",
    "verify_mb": "≤ 200 MB at 1 M",
    "proof_p99_ms": "≤ 10 ms at 1 M",
    "proof_bytes": "≤ 1,200 at 1 M",
    "export_and_verify_s": "≤ 30 s at 100 k",
    "ranked_p99_ms": "≤ 50 ms at 1 M",
    "recency_p99_ms": "≤ 10 ms at 1 M",
    "overwritten_s": "≤ 10 s at 1 M",
    "left_in_files": "0",
}


def main() -> None:
    """Measure everything, and print it beside the targets."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--entries", type=int, default=100_000)
    asked.add_argument("--full", action="store_true", help="a million entries")
    asked.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked.add_argument("--seconds", type=float, default=2.0, help="for each slice of appends")
    asked.add_argument("--postgres", default=postgres.AUTO)
    asked.add_argument("--peer", type=Path, default=PEERS_PYTHON, help="python with auditchain")
    options = asked.parse_args()
    entries = MILLION if options.full else options.entries
    freeze()
    with tempfile.TemporaryDirectory() as folder:
        tell("appends on SQLite")
        found = {"entries": float(entries), "load_before": os.getloadavg()[0]}
        found |= appends(Path(folder), options.seconds, options.peer)
        if options.postgres != "none":
            tell("writers on Postgres")
            with postgres.server(options.postgres) as server:
                found |= writers(server, Path(folder), options.seconds)
        tell(f"a log of {entries} entries")
        found |= reading(Path(folder), entries)
        tell(f"searches among {entries} summaries, and an erasure")
        found |= finding(entries) | erasing(Path(folder) / "erasure", entries)
        found["load_after"] = os.getloadavg()[0]
    found |= ratios(found)
    if not options.json:
        print(table(["figure", "measured", "target"], [row(name, found) for name in found]))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


def tell(words: str) -> None:
    """Say what is measured now, beside the figures."""
    print(f"{time.strftime('%H:%M:%S')} {words} ...", file=sys.stderr, flush=True)


def row(name: str, found: Figures) -> list[object]:
    """Return a line of the table."""
    return [name, round(found[name], 3), GOALS.get(name, "")]


def appends(folder: Path, seconds: float, peer: Path) -> Figures:
    """Measure appends on SQLite, slice by slice beside what they are compared with."""
    rounds = [one_round(folder / f"round{number}", seconds, peer) for number in range(3)]
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def one_round(folder: Path, seconds: float, peer: Path) -> Figures:
    """Return the rates of one moment, so that their ratios mean something."""
    for name in ("ours", "peer"):
        (folder / name).mkdir(parents=True)
    found = {
        "fsync": fsync_rate(folder, seconds / 2),
        "raw_sqlite": sqlite_rate(folder / "raw.db", seconds / 2),
        "append_1": append_rate(folder / "ours", 1, seconds),
        "append_100": batch_rate(folder, seconds),
        "build": build_rate(seconds / 2),
        "bytes": bytes_rate(seconds / 2),
    }
    if peer.exists():
        words = [peer, "-m", "bench.drive_auditchain", folder / "peer", str(seconds)]
        done = subprocess.run(words, cwd=HOUSE, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found |= json.loads(done.stdout)
    return found


def writers(server: str, folder: Path, seconds: float) -> Figures:
    """Measure eight writers on Postgres in pairs, with and without a global lock; places too.

    Once more on a server whose flushes wait 2 ms for others, as on a slow disk.
    """
    with ready(server, folder, WRITERS) as asked:
        pairs, delayed = (
            [
                [
                    asked.rate(writers=WRITERS, seconds=seconds, is_inline=inline, delay_us=delay)
                    for inline in (False, True)
                ]
                for _ in range(PAIRS)
            ]
            for delay in (0, DELAY_US)
        )
        placed = {
            f"sequencing_{count}": asked.sequencing_rate(writers=count, batches=PENDING)
            for count in (1, WRITERS)
        }
        oldest = asked.oldest
    return placed | {
        "postgres_8": statistics.median(ours for ours, _ in pairs),
        "inline_8": statistics.median(locked for _, locked in pairs),
        "postgres_8 / inline_8": statistics.median(ours / locked for ours, locked in pairs),
        "delayed_8 / inline_8": statistics.median(ours / locked for ours, locked in delayed),
        "oldest_pending_s": oldest,
    }


def reading(folder: Path, entries: int) -> Figures:
    """Build a log of that size; measure its verification, proofs and export."""
    url, home = str(folder / "log.db"), folder / "log-home"
    database, journal = begin(url, home)
    began = time.perf_counter()
    progress = Progress("a log to read", entries)
    for number in range(0, entries, TOGETHER):
        add_batch(database, journal, size=TOGETHER)
        progress.at(number + TOGETHER)
    found = {"built_per_s": entries / (time.perf_counter() - began)}
    pin, public = journal.sequencer.signers[0].vkey, journal.writer.public
    database.close()
    found |= raw_rates(url, public)
    ways: dict[str, Options] = {
        "quick": {"quick": True, "processes": 1},
        "unsigned": {"sample": NEVER, "processes": 1},
        "full_1": {"processes": 1},
        "full_2": {"processes": 2},
    }
    for name, how in ways.items():
        seconds, cpu, megabytes = apart(url, pin, how)
        found[f"{name}_s"] = seconds
        if how.get("processes") == 1:
            found[name] = entries / cpu  # A measure for each core, whatever else is at work.
        found["verify_mb"] = max(found.get("verify_mb", 0.0), megabytes)
    return found | proofs(url) | exported(url, home, pin, folder / "pack")


def proofs(url: str) -> Figures:
    """Return what a proof of any entry costs, from a fresh look at the database."""
    chance, spent, sizes = random.Random(7), [], []
    database = open_database(url)
    for _ in range(PROOFS):
        with database.read() as connection:
            newest = head(connection)
            index = chance.randrange(newest.size)
            began = time.perf_counter()
            proof = inclusion(StoredHashes(connection), index, newest.size)
            spent.append((time.perf_counter() - began) * 1000)
            sizes.append(len(tlog_proof(index, proof, newest.note).encode()))
    database.close()
    return {**percentiles("proof", spent), "proof_bytes": max(sizes)}


def exported(url: str, home: Path, pin: str, pack: Path) -> Figures:
    """Return how long a pack of the whole log takes to write, and to verify on one core."""
    database = open_database(url)
    store = SqlStore(database, open_journal(database, home), now=utc_now)
    began = time.perf_counter()
    export(store, Request(out=pack), person=PersonId("os:bench"), now=utc_now())
    written = time.perf_counter() - began
    database.close()
    began = time.perf_counter()
    report = verify_pack(pack, [pin], processes=1)
    read = time.perf_counter() - began
    if report.exit:
        raise RuntimeError(f"the pack of the bench is not verified: {report.lines()}")
    return {"export_s": written, "pack_verify_s": read, "export_and_verify_s": written + read}


def finding(documents: int, rounds: int = search.ROUNDS) -> Figures:
    """Return how long the slowest kind of search takes, by rank and by recency."""
    with search.filled("", documents) as database:
        told = search.measured(database, documents, rounds)
    return {
        f"{name}_p99_ms": max(told[f"{one}_p99_ms"] for one in queries)
        for name, queries in (("ranked", search.RANKED), ("recency", search.RECENT))
    }


def erasing(folder: Path, entries: int) -> Figures:
    """Return how long a person's words are still on the disk, and how many of them stay."""
    folder.mkdir()
    told = erasure.figures(folder, entries)
    return {name: told[name] for name in ("overwritten_s", "left_in_files")}


def ratios(found: Figures) -> Figures:
    """Return the ratios of the targets that this run can tell."""
    told = {}
    if "full_1_s" in found:
        told["full_2 / full_1"] = found["full_1_s"] / found["full_2_s"]
    for name in GOALS:
        over, is_ratio, under = name.partition(" / ")
        if is_ratio and name not in told | found and over in found and under in found:
            told[name] = found[over] / found[under]
    return told


if __name__ == "__main__":
    main()
