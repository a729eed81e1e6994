"""What a workspace of a host is put together from, where its database is not as it should be."""

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from bot.core import Means
from bot.settings import read_settings
from bot.workspaces.ground import Ground, put_together_one
from bot.workspaces.register import opened_register
from storage.installations import Installation, Tokens
from storage.migrate import newest
from storage.schemas import PREFIX, make_schema
from workflows.errors import StorageError

PATIENCE = 10.0
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACME = Installation(
    id="T0ACME",
    name="Acme",
    app="A0APP",
    bot_user="U0BOT",
    scopes=(),
    installed_by="U0RITA",
    installed_at=NOON,
    tokens=Tokens(bot="xoxb-of-acme"),
)


def test_a_workspace_whose_log_cannot_be_read_keeps_no_connection(
    blank_postgres_url: str, tmp_path: Path
) -> None:
    environment = {
        "INTERLOCK_HOME": str(tmp_path / "host"),
        "INTERLOCK_ORIGIN": "host.example/audit",
        "INTERLOCK_WORKSPACES": ACME.id,
        "INTERLOCK_DATABASE_URL": blank_postgres_url,
        "INTERLOCK_HTTP": "127.0.0.1:8080",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "c" * 32,
        "SLACK_SIGNING_SECRET": "s" * 32,
    }
    means = Means(environment=environment)
    settings = read_settings(environment)
    with opened_register(settings, now=means.clock) as register:
        ground = Ground(settings=settings, environment=environment, register=register, means=means)
        make_schema(blank_postgres_url, ACME.id)
        lose_all_but_the_revision(blank_postgres_url)
        before = connections(blank_postgres_url)
        with ExitStack() as stack, pytest.raises(StorageError):
            put_together_one(ground, ACME, stack)
        ends = time.monotonic() + PATIENCE  # The server takes a moment to let one go.
        while (left := connections(blank_postgres_url) - before) and time.monotonic() < ends:
            time.sleep(0.01)

    assert left == set()


def lose_all_but_the_revision(url: str) -> None:
    schema = sql.Identifier(f"{PREFIX}{ACME.id.lower()}")
    with psycopg.connect(url) as connection:
        made = sql.SQL("CREATE TABLE {}.alembic_version AS SELECT {} AS version_num")
        connection.execute(made.format(schema, sql.Literal(newest())))


def connections(url: str) -> set[int]:
    """Return who else is connected to this database."""
    asked = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
    """
    with psycopg.connect(url) as connection:
        return {pid for (pid,) in connection.execute(asked)}
