"""Eight processes appending to one log on Postgres, beside the same with one global lock.

The lock is what a chain without sequencing needs: whoever appends holds it until the commit.
"""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import psycopg
from psycopg import sql

from bench import postgres
from bench.audit_log import ORIGIN, add_batch, add_run, begin
from storage.database import open_database
from storage.log_setup import open_journal
from storage.sequencing import lock_number, sequence_pending

RUN_ENTRIES = 5
PENDING = "SELECT count(*) FROM audit_entry WHERE idx IS NULL"
OLDEST = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(ts::timestamptz)), 0)::float8"
    " FROM audit_entry WHERE idx IS NULL"
)
SETTING = sql.SQL("ALTER DATABASE {} SET {} TO {}")
JOB_SECONDS = 1.0  # How often the job places what nobody else did.


def work(url: str, home: Path, seconds: float, *, is_inline: bool) -> float:
    """Append runs for so long, one in each transaction; return how many entries a second."""
    database = open_database(url)
    journal = open_journal(database, home)
    began, count = time.monotonic(), 0
    while (spent := time.monotonic() - began) < seconds:
        with database.begin() as tx:
            if is_inline:
                journal.sequencer.take_lock(tx)
            add_run(journal, tx)
        count += RUN_ENTRIES
    database.close()
    return count / spent


def pend(url: str, home: Path, batches: int) -> None:
    """Append so many hundreds of entries."""
    database = open_database(url)
    journal = open_journal(database, home)
    for _ in range(batches):
        add_batch(database, journal)
    database.close()


class Writers:
    """Processes that append, begun once for every measure."""

    def __init__(self, server: str, folder: Path, pool: ProcessPoolExecutor) -> None:
        self._server, self._folder, self._pool = server, folder, pool
        self._homes = itertools.count(1)
        self.oldest = 0.0  # So many seconds at most an entry was seen without its place.

    def rate(self, *, writers: int, seconds: float, is_inline: bool, delay_us: int = 0) -> float:
        """Return how many entries a second so many writers append, each run in one commit.

        With `delay_us` the server waits so long with each flush for others to join it.
        """
        home = self._home()
        with postgres.database(self._server) as url:
            if delay_us:
                _delay(url, delay_us)
            database, journal = begin(url, home)
            doing = [
                self._pool.submit(work, url, home, seconds, is_inline=is_inline)
                for _ in range(writers)
            ]
            with psycopg.connect(url, autocommit=True) as other:
                while wait(doing, timeout=JOB_SECONDS).not_done:
                    found = other.execute(OLDEST).fetchone()
                    self.oldest = max(self.oldest, found[0] if found else 0.0)
                    sequence_pending(database, journal.sequencer)
            database.close()
            return sum(one.result() for one in doing)

    def sequencing_rate(self, *, writers: int, batches: int) -> float:
        """Return how many entries a second get their places, once left without by `writers`."""
        home = self._home()
        with postgres.database(self._server) as url:
            database, journal = begin(url, home)
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("SELECT pg_advisory_lock(%s)", (lock_number(ORIGIN),))
                doing = [
                    self._pool.submit(pend, url, home, batches // writers) for _ in range(writers)
                ]
                for one in doing:
                    one.result()
                pending = other.execute(PENDING).fetchone()
                other.execute("SELECT pg_advisory_unlock(%s)", (lock_number(ORIGIN),))
            began = time.perf_counter()
            sequence_pending(database, journal.sequencer)
            spent = time.perf_counter() - began
            database.close()
        return (pending[0] if pending else 0) / spent

    def _home(self) -> Path:
        return self._folder / f"writers{next(self._homes)}"


def _delay(url: str, microseconds: int) -> None:
    """Have each flush of a database wait so long for others, also where they wait for a lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        for name, value in (("commit_delay", microseconds), ("commit_siblings", 0)):
            connection.execute(SETTING.format(database, sql.Identifier(name), sql.Literal(value)))


@contextmanager
def ready(server: str, folder: Path, most: int) -> Iterator[Writers]:
    """Give that many processes, their imports over."""
    with ProcessPoolExecutor(most, mp_context=get_context("spawn")) as pool:
        list(pool.map(pause, [1.0] * most))
        yield Writers(server, folder, pool)


def pause(seconds: float) -> None:
    """Keep a process busy so long that each of the others is begun as well."""
    time.sleep(seconds)
