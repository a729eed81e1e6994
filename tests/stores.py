"""A store whose log has just begun, by a clock that the test holds."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from storage.database import open_database
from storage.log_setup import init_log
from storage.store import SqlStore
from storage.transaction import Database

ORIGIN = "interlock.example/audit/T0"


def begun(
    database: Database, folder: Path, now: Callable[[], datetime], *, origin: str = ORIGIN
) -> SqlStore:
    """Begin a log in an empty database, with its keys below `folder`."""
    return SqlStore(database, init_log(database, folder / "home", origin=origin, now=now), now=now)


@contextmanager
def opened(url: str, folder: Path, now: Callable[[], datetime]) -> Iterator[SqlStore]:
    """Begin a log in the empty database at `url`, and close that in the end."""
    with closing(open_database(url)) as database:
        yield begun(database, folder, now)
