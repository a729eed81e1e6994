"""Databases for every test: a real SQLite file, and a real Postgres on a Unix socket.

Folders with needs of their own have a conftest beside their tests.
"""

import atexit
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.folders import in_memory

# Before anything asks where temporary files belong; whoever sets TMPDIR has chosen already.
if "TMPDIR" not in os.environ and (memory := in_memory()) is not None:
    os.environ["TMPDIR"] = tempfile.tempdir = memory

# Postgres puts its socket there; without it the library guesses a place and warns.
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="interlock-runtime-")
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

from hypothesis import settings

from storage.database import open_database
from storage.migrate import upgrade
from storage.transaction import Database
from tests.once import WITH_TABLES, made_once
from tests.private_postgres import private_postgres

# A test judges what came out, never how long this machine took for it; and a red run is red again.
settings.register_profile("patient", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, print_blob=True)  # `make explore`.
settings.load_profile("patient")

# Tests end processes, never the machine, so nothing has to reach the disk. They make and drop
# thousands of databases, for each of which a server looks through all its buffers and logs files.
LIGHT = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
NUMBERS = itertools.count(1)
ORDERS: dict[str, psycopg.Connection] = {}  # To each server of this process.
# What a test takes where it takes long: whole companies, browsers, many examples in one test.
SECONDS = {"properties": 7.0, "crash": 5.0, "journeys": 4.0, "page": 1.5, "deploy": 2.0}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Find the tests without looking for rubbish meanwhile, and never among them afterwards.

    They and their modules are millions of objects, all of which stay: looking through them again
    and again takes as long as making them, in every worker. What tests themselves make is looked
    through less often than by default, which takes two thirds of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that mostly wait among those that compute, the longest of each first.

    Workers take file after file in this order, so none is left with a slow one at the end.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for one in items:
        files.setdefault(one.path, []).append(one)
    longest = sorted(files.values(), key=_seconds, reverse=True)
    slow = [one for one in longest if any(item.get_closest_marker("slow") for item in one)]
    others = iter([one for one in longest if one not in slow])
    mixed = [part for one in slow for part in (one, *itertools.islice(others, 4))]
    items[:] = [item for file in (*mixed, *others) for item in file]


def _seconds(file: list[pytest.Item]) -> float:
    """Return about how long the tests of a file take, by the folder they are in."""
    folder = file[0].path.parent.name
    return len(file) * SECONDS.get(folder, 0.2)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start one Postgres for the whole session; give its address.

    As root the server runs as another user, so its data lies in a folder of its own: another
    pytest session would close the shared one of all temporary folders to that user.
    """
    with private_postgres() as server:
        server.restart(**LIGHT)
        yield server.url
        if (kept := ORDERS.pop(server.url, None)) is not None:
            kept.close()


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with the schema of this release once, since copies of it are quicker."""
    file = tmp_path_factory.mktemp("schema") / "interlock.db"
    database = open_database(str(file))
    upgrade(database.engine)
    database.close()
    return file


@pytest.fixture(scope="session", autouse=True)
def _once(sqlite_schema: Path) -> Iterator[None]:
    """Make what is the same in every test once."""
    with made_once(sqlite_schema):
        yield


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: str) -> str:
    """Make a database with the schema of this release once; give its name."""
    name = f"schema_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    database = open_database(postgres_server.replace("/postgres?", f"/{name}?", 1))
    upgrade(database.engine)
    database.close()
    return name


@pytest.fixture
def sqlite_url(sqlite_schema: Path, tmp_path: Path) -> str:
    """Give the path of an SQLite file with the schema of this release and nothing in it."""
    url = str(shutil.copy(sqlite_schema, tmp_path / "interlock.db"))
    WITH_TABLES.add(url)
    return url


@pytest.fixture
def postgres_url(postgres_server: str, postgres_schema: str) -> Iterator[str]:
    """Create a database with the schema of this release and nothing in it; give its address."""
    for url in _database(postgres_server, template=postgres_schema):
        WITH_TABLES.add(conninfo_to_dict(url)["dbname"])
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give a database with the schema of this release and nothing in it, on both."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a database with the schema of this release and nothing in it, on both."""
    with closing(open_database(database_url)) as opened:
        yield opened


@pytest.fixture
def blank_sqlite_url(tmp_path: Path) -> str:
    """Give the path of an SQLite file that does not exist yet."""
    return str(tmp_path / "interlock.db")


@pytest.fixture
def blank_postgres_url(postgres_server: str) -> Iterator[str]:
    """Create a database without any table; give its address."""
    yield from _database(postgres_server, template="template1")


@pytest.fixture(params=["sqlite", "postgres"])
def blank_url(request: pytest.FixtureRequest) -> str:
    """Give a database without any table, once on SQLite and once on Postgres."""
    return str(request.getfixturevalue(f"blank_{request.param}_url"))


def new_database(server: str, name: str, *, template: str) -> str:
    """Make a database out of another to which nobody is connected; return its address."""
    # Copied as files, which costs the server less than half of writing them to its log.
    _order(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return server.replace("/postgres?", f"/{name}?", 1)


def _database(server: str, *, template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    yield new_database(server, name, template=template)
    _order(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _order(server: str, statement: str) -> None:
    """Have the server carry out a statement, over a connection that is kept for the next one."""
    kept = ORDERS.get(server)
    if kept is None or kept.closed:
        kept = ORDERS[server] = psycopg.connect(server, autocommit=True)
    kept.execute(statement)
