"""A schema of its own for each workspace in one Postgres database.

A connection to such an address finds the tables of its schema and no others, so whatever runs
on it, our tables and those of the job queue, is that workspace's alone.
"""

import re

from storage.database import open_database, postgres_address
from storage.postgres_database import with_schema
from workflows.errors import UnusableDatabaseError

PREFIX = "interlock_"
_NAME = re.compile(r"[A-Z0-9]{2,40}")


def address_in_schema(url: str, owner: str) -> str:
    """Return the address of the schema of `owner` in the Postgres database at `url`."""
    found = with_schema(postgres_address(url), _schema_of(owner))
    return found.set(drivername="postgresql").render_as_string(hide_password=False)


def make_schema(url: str, owner: str) -> None:
    """Make the schema of `owner` in the database at `url`; one that is there stays.

    Raises:
        UnusableDatabaseError: the role may not make one.
        StorageUnavailableError: the database cannot be reached.
    """
    name = _schema_of(owner)
    database = open_database(url)
    try:
        with database.begin() as tx:
            asked = "SELECT has_database_privilege(current_database(), 'CREATE')"
            known = "SELECT 1 FROM pg_namespace WHERE nspname = ?"
            if tx.run(known, [name]).fetchone() is not None:
                return
            if not tx.run(asked, []).fetchone()[0]:
                raise UnusableDatabaseError(
                    f"This role may not make the schema {name}.",
                    hint=f"Make it with: CREATE SCHEMA {name} AUTHORIZATION the-role;"
                    " or GRANT CREATE ON DATABASE to the role.",
                )
            tx.run(f"CREATE SCHEMA IF NOT EXISTS {name}", [])
    finally:
        database.close()


def _schema_of(owner: str) -> str:
    if _NAME.fullmatch(owner) is None:
        raise UnusableDatabaseError(f"{owner!r} is not the id of a workspace.")
    return f"{PREFIX}{owner.lower()}"
