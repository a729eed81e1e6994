"""Where rehearsals stand: a folder of their own, and an empty log for each of them.

The schema is made once and copied, since that is quicker. When the ground is closed nothing of
it stays.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Self

from storage.database import open_database
from storage.log_setup import init_log
from storage.migrate import upgrade
from storage.store import SqlStore

ORIGIN = "rehearsal.invalid/audit"


class Ground:
    """A folder for rehearsals, until the end of a `with`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="interlock-rehearsal-")
        self._numbers = count(1)
        self._schema: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @contextmanager
    def store(self, now: Callable[[], datetime]) -> Iterator[SqlStore]:
        """Open a store in which nothing has happened yet."""
        here = Path(self._folder.name) / str(next(self._numbers))
        here.mkdir()
        file = Path(shutil.copy(self._made(), here / "interlock.db"))
        database = open_database(str(file))
        try:
            yield SqlStore(database, init_log(database, here, origin=ORIGIN, now=now), now=now)
        finally:
            database.close()
            shutil.rmtree(here)

    def _made(self) -> Path:
        if self._schema is None:
            file = Path(self._folder.name) / "schema.db"
            database = open_database(str(file))
            upgrade(database.engine)
            database.close()
            self._schema = file
        return self._schema
