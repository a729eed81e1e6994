"""What alembic runs around the migrations: one at a time, and never waiting for long.

`storage.migrate` hands over the connection; there is no other way in.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from storage.base import UtcDateTime
from storage.models import Base

MIGRATION_LOCK = 0x494E5445524C4B  # "INTERLK": one number for every process that migrates.


def render_item(kind: str, found: object, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column kind as the plain type it stands for."""
    if kind == "type" and isinstance(found, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def guard(connection: Connection) -> None:
    """Let one process migrate at a time, and give up rather than block the bot."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    connection.exec_driver_sql("SET LOCAL statement_timeout = '15min'")
    connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": MIGRATION_LOCK})


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        transactional_ddl=True,
        compare_type=True,
    )
    guard(connection)
    context.run_migrations()


run(context.config.attributes["connection"])
