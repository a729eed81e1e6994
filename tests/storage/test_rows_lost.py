"""A connection that breaks or freezes around the commit: in doubt, then looked up."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from storage.rows import DatabaseRows
from workflows.actions.base import Happened
from workflows.errors import InDoubtError, NotPerformedError, TransientReadError

ROWS = DatabaseRows(lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))
PURGE = "DELETE FROM account WHERE seen < :before"


class When(StrEnum):
    """At which word of ours the line goes wrong, and how."""

    BEFORE_DELETE = "the delete is never sent"
    BEFORE_COMMIT = "the commit is never sent"
    AFTER_COMMIT = "the commit is sent and its answer lost"
    FROZEN_DELETE = "the delete is sent and nobody answers"
    FROZEN_COMMIT = "the commit is sent and nobody answers"


class Line:
    """A line to Postgres that goes wrong at one moment."""

    def __init__(self, server: str, when: When) -> None:
        folder = parse_qs(urlsplit(server).query)["host"][0]
        with psycopg.connect(server) as connection:
            self._path = f"{folder}/.s.PGSQL.{connection.info.port}"
        self._when = when
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_frozen, self._is_answered = threading.Event(), threading.Event()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, server: str) -> str:
        database = urlsplit(server).path.lstrip("/")
        port = self._listener.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/{database}"

    def close(self) -> None:
        self._is_frozen.set()
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._path)
                self._ends += [client, server]
                for source, sink, looks in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._carry,
                        args=(source, sink),
                        kwargs={"looks": looks},
                        daemon=True,
                    ).start()

    def _carry(self, source: socket.socket, sink: socket.socket, *, looks: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                if looks and self._goes_wrong(chunk, source, sink):
                    continue
                if not looks and self._is_frozen.is_set():
                    self._is_answered.set()
                    continue
                sink.sendall(chunk)

    def _goes_wrong(self, chunk: bytes, client: socket.socket, server: socket.socket) -> bool:
        word = b"COMMIT" if "COMMIT" in self._when.name else b"DELETE FROM account"
        if word not in chunk:
            return False
        if self._when.name.startswith("BEFORE"):
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)
            return True
        self._is_frozen.set()  # Nothing comes back from here on.
        server.sendall(chunk)
        if self._when is When.AFTER_COMMIT:
            self._is_answered.wait(10)
            client.shutdown(socket.SHUT_RDWR)
        return True


@pytest.fixture
def bad_line(blank_postgres_url: str) -> Iterator[Callable[[When], str]]:
    with psycopg.connect(blank_postgres_url) as connection:
        connection.execute("CREATE TABLE account (id TEXT, seen INTEGER)")
        connection.execute("INSERT INTO account SELECT 'acc', n FROM generate_series(1, 10) n")
    lines: list[Line] = []

    def open_line(when: When) -> str:
        lines.append(Line(blank_postgres_url, when))
        return lines[-1].url(blank_postgres_url)

    yield open_line
    for line in lines:
        line.close()


def execute(url: str, timeout: float = 5) -> int:
    return ROWS.execute(
        url, PURGE, {"before": 100}, expected=None, key="k", records=True, timeout=timeout
    )


def left(url: str) -> int:
    with psycopg.connect(url) as connection:
        return int(connection.execute("SELECT count(*) FROM account").fetchone()[0])


def test_a_line_that_breaks_before_the_commit_changed_nothing(
    bad_line: Callable[[When], str], blank_postgres_url: str
) -> None:
    with pytest.raises(NotPerformedError) as caught:
        execute(bad_line(When.BEFORE_DELETE))
    assert caught.value.error_class == "unreachable"
    assert left(blank_postgres_url) == 10


@pytest.mark.parametrize(
    ("when", "happened", "rows"),
    [(When.BEFORE_COMMIT, Happened.NO, 10), (When.AFTER_COMMIT, Happened.YES, 0)],
)
def test_a_line_that_breaks_at_the_commit_leaves_a_doubt_that_can_be_settled(
    bad_line: Callable[[When], str],
    blank_postgres_url: str,
    when: When,
    happened: Happened,
    rows: int,
) -> None:
    with pytest.raises(InDoubtError) as caught:
        execute(bad_line(when))
    assert caught.value.error_class == "reply_lost"
    assert ROWS.happened(blank_postgres_url, key="k", timeout=5) is happened
    assert left(blank_postgres_url) == rows


def test_a_line_that_freezes_at_the_commit_ends_in_time_and_in_doubt(
    bad_line: Callable[[When], str], blank_postgres_url: str
) -> None:
    started = time.monotonic()

    with pytest.raises(InDoubtError) as caught:
        execute(bad_line(When.FROZEN_COMMIT), timeout=3)  # Enough to come as far as the commit.

    assert caught.value.error_class == "timeout"
    assert time.monotonic() - started < 30  # Nobody would ever answer.
    assert ROWS.happened(blank_postgres_url, key="k", timeout=5) is Happened.YES


def test_a_line_that_freezes_before_the_commit_changed_nothing(
    bad_line: Callable[[When], str], blank_postgres_url: str
) -> None:
    with pytest.raises(NotPerformedError) as caught:
        execute(bad_line(When.FROZEN_DELETE), timeout=2)
    assert caught.value.error_class == "timeout"
    assert left(blank_postgres_url) == 10


def test_a_server_that_accepts_and_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://someone@127.0.0.1:{listener.getsockname()[1]}/x"
        started = time.monotonic()

        with pytest.raises(TransientReadError) as caught:
            ROWS.query(url, "SELECT 1 AS one", {}, limit=1, timeout=2)

    assert caught.value.error_class in {"unreachable", "timeout"}
    assert time.monotonic() - started < 30  # It would never say anything.
