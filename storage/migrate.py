"""Bring a database to the schema of this release, and say whether it is there.

The migrations themselves stand in `migrations/`; each run is one transaction on both databases.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration() -> Config:
    """Return alembic's settings, which need no file beside ours."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; one that is there already stays untouched."""
    with engine.connect() as connection:
        if _revisions(connection) == _newest():
            return
        connection.rollback()
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def is_current(engine: Engine) -> bool:
    """Say whether the database has exactly the schema of this release."""
    with engine.connect() as connection:
        return _revisions(connection) == _newest()


def _revisions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _newest() -> set[str]:
    return set(ScriptDirectory.from_config(configuration()).get_heads())
