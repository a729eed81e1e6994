"""One log, built once for a module of tests, and copies of it for each test to break."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from storage.database import is_postgres, open_database
from tests.conftest import new_database
from tests.storage.trail import Clock, Trail, begin_trail, with_writer

NUMBERS = itertools.count(1)
Growth = Callable[[Trail], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Original:
    """A log that nobody touched, closed, with the notes that people outside hold of it."""

    trail: Trail
    notes: tuple[str, ...]

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Trail]:
        """Give a copy of it, with the same keys, at the same moment."""
        with _copy(self.trail.url, folder) as url:
            database = open_database(url)
            clock = Clock()
            clock.at = self.trail.clock.at
            try:
                copy = Trail(url, database, self.trail.journal, self.trail.pin, clock)
                copy.journal = with_writer(copy, copy.journal.writer)  # It has seen no other.
                yield copy
            finally:
                database.close()


def grown(url: str, home: Path, growth: Growth) -> Original:
    """Begin a log at `url` and let it grow; `growth` returns the notes kept outside."""
    database = open_database(url)
    trail = begin_trail(url, database, home)
    notes = growth(trail)
    # A Postgres database is copied only while nobody is connected to it, a file when it is whole.
    database.close()
    return Original(trail, notes)


@contextmanager
def _copy(url: str, folder: Path) -> Iterator[str]:
    if not is_postgres(url):
        yield str(shutil.copy(url, folder / "copy.db"))
        return
    with psycopg.connect(url) as own:
        original = own.info.dbname
    name = f"copy_{os.getpid()}_{next(NUMBERS)}"
    server = url.replace(f"/{original}?", "/postgres?", 1)
    yield new_database(server, name, template=original)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
