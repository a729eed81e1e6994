"""What time it is by the database's clock, for a process whose machine may have another one.

Requests expire by the clock of the database, wherever somebody clicks. A machine that is three
days ahead would otherwise ask until another day, end what is still open, and find every approval
too old to be used.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from storage.journal import utc_now
from storage.transaction import Database
from workflows.errors import StorageError

EVERY = 60.0  # Seconds of the machine's own ticks that are trusted between two looks.


def clock_of(database: Database) -> Callable[[], datetime]:
    """Return how to tell the time beside this database: on SQLite this machine does.

    Raises:
        StorageError: the server does not say what time it is.
    """
    return utc_now if database.dialect == "sqlite" else ServerClock(database)


class _Read(NamedTuple):
    at: datetime
    ticks: float


class ServerClock:
    """The clock of a Postgres server, carried on by this machine's ticks. Safe between threads."""

    def __init__(self, database: Database, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._ticks = ticks
        self._looking = threading.Lock()
        self._read = self._look()

    def __call__(self) -> datetime:
        """Return the moment; while the server cannot be asked, that of the last look goes on."""
        known = self._read
        passed = self._ticks() - known.ticks
        if passed > EVERY and self._looking.acquire(blocking=False):
            known = self._look_again(known)
        return known.at + timedelta(seconds=self._ticks() - known.ticks)

    def _look_again(self, known: _Read) -> _Read:
        try:
            self._read = self._look()
        except StorageError:
            return known
        finally:
            self._looking.release()
        return self._read

    def _look(self) -> _Read:
        with self._database.read() as connection:
            at: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return _Read(at, self._ticks())
