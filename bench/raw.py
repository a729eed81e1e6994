"""What a database itself commits on this disk: the measure that ours is compared with.

One row of 500 bytes in each transaction, one client, as durable as our own: SQLite with WAL
and `synchronous = FULL`, Postgres as the server is set.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

BODY = "x" * 500
SLICE = 0.5  # Seconds.
FILLS = 9_000  # Rows of more pages than the log has when SQLite writes it into the file.


def sqlite_rate(path: Path, seconds: float) -> float:
    """Return how many one-row transactions plain `sqlite3` commits a second.

    Its log has its length by then, as that of a bot that serves: a file that grows has to have
    its new length written with each commit.
    """
    driver = sqlite3.connect(path, isolation_level=None)
    driver.execute("PRAGMA journal_mode = WAL")
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    driver.execute("BEGIN IMMEDIATE")
    driver.executemany("INSERT INTO t (body) VALUES (?)", [(BODY,)] * FILLS)
    driver.execute("COMMIT")
    driver.execute("PRAGMA wal_checkpoint(RESTART)")

    def commit() -> None:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("INSERT INTO t (body) VALUES (?)", (BODY,))
        driver.execute("COMMIT")

    try:
        return repeat(commit, seconds)
    finally:
        driver.close()


def here(seconds: float = SLICE) -> float:
    """Return the rate of `sqlite_rate` in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return sqlite_rate(Path(folder) / "raw.db", seconds)


def postgres_rate(url: str, seconds: float = SLICE) -> float:
    """Return how many one-row transactions a server commits a second for one client."""
    with psycopg.connect(url, autocommit=True) as driver:
        driver.execute("CREATE TABLE raw (id bigserial PRIMARY KEY, body text)")
        return repeat(
            lambda: driver.execute("INSERT INTO raw (body) VALUES (%s)", (BODY,)), seconds
        )


def lengthen(path: Path, call: Callable[[], object]) -> None:
    """Call until the log beside an SQLite file has its length, and is written from its beginning.

    Bytes 12 to 15 of that log count how often it was begun (sqlite.org/fileformat2.html, 4.1).
    """
    with Path(f"{path}-wal").open("rb", buffering=0) as log:

        def begun() -> bytes:
            log.seek(12)
            return log.read(4)

        first = begun()
        while begun() == first:
            call()


def repeat(call: Callable[[], object], seconds: float) -> float:
    """Return how often `call` completes a second."""
    began, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        call()
        count += 1
    return count / spent
