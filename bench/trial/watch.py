"""Looks at a trial's database from outside, as anybody could, and never writes.

Each look opens a connection and closes it, so that nothing of ours keeps an SQLite file open
while the process that serves it dies and the next one recovers it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection, NullPool, Row, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database import is_postgres, postgres_address, sqlite_path
from storage.history import read_run
from workflows.entry import Entry
from workflows.store import Subject

ENDS = frozenset({"done", "denied", "expired", "withdrawn", "failed", "aborted", "cancelled"})


class AwayError(Exception):
    """The database does not answer now."""


class Watch:
    """A reader of one database."""

    def __init__(self, database: str) -> None:
        if is_postgres(database):
            self._engine = create_engine(postgres_address(database), poolclass=NullPool)
        else:
            path = f"sqlite:///file:{sqlite_path(database)}?mode=ro&uri=true"
            self._engine = create_engine(path, poolclass=NullPool)
        self.repeated: set[str] = set()  # Subjects for which two runs were started.
        self._subjects: dict[str, str] = {}
        self._looking = Lock()

    def runs(self) -> dict[str, tuple[str, str]]:
        """Return for each subject the run that was started for it and where it stands."""
        with self._looking:
            found: dict[str, tuple[str, str]] = {}
            for row in self._rows("SELECT id, status FROM run ORDER BY started_at, id"):
                run, status = map(str, row)
                subject = self._subject(run)
                if subject in found:
                    self.repeated.add(subject)
                found[subject] = (run, status)
            return found

    def _subject(self, run: str) -> str:
        """Return what a run was started for; it stands among its inputs."""
        if run not in self._subjects:
            part = self.entries(run)[0].parts["input"].value
            self._subjects[run] = str(json.loads(part or b"{}").get("subject", ""))
        return self._subjects[run]

    def open_requests(self) -> dict[str, list[str]]:
        """Return the open requests of each run that has some."""
        rows = self._rows("SELECT run_id, id FROM approval_request WHERE outcome = 'open'")
        found: dict[str, list[str]] = {}
        for row in rows:
            run, request = map(str, row)
            found.setdefault(run, []).append(request)
        return found

    def cards(self, run: str) -> list[Subject]:
        """Return the kinds of message that people were sent, or are to be sent, for a run."""
        rows = self._rows("SELECT subject FROM outbox WHERE run_id = :run", run=run)
        return [Subject(row[0]) for row in rows]

    def entries(self, run: str) -> Sequence[Entry]:
        """Return a run's entries in their order."""
        with self._connected() as connection:
            return read_run(connection, run)

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])

    def _rows(self, statement: str, **values: str) -> Sequence[Row[Any]]:
        with self._connected() as connection:
            return connection.execute(text(statement), values).all()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise AwayError(str(error)) from error
