"""Bring a database to the schema of this release, and say whether it is there.

The migrations themselves stand in `migrations/`; each run is one transaction on both databases.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
TABLE = "alembic_version"


def configuration() -> "Config":
    """Return alembic's settings, which need no file beside ours."""
    from alembic.config import Config  # noqa: PLC0415 - 10 MB that a process at rest does not need.

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; one that is there already stays untouched."""
    with engine.connect() as connection:
        if _revisions(connection) == {newest()}:
            return
        connection.rollback()
        upgrade_inside(connection)
        connection.commit()


def upgrade_inside(connection: Connection) -> None:
    """Bring the database to the newest revision inside the transaction of `connection`."""
    from alembic import command  # noqa: PLC0415 - as above.

    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Say whether the database has exactly the schema of this release."""
    with engine.connect() as connection:
        return _revisions(connection) == {newest()}


def newest() -> str:
    """Return the revision of this release: migrations are one line, numbered by their files."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("0*.py"))


def _revisions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table(TABLE):
        return set()
    return set(connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalars())  # noqa: S608 - a constant of ours.
