"""Bring a database to the schema of this release, and say whether this release can work on it.

A migration keeps the release before working, so that processes can be replaced one after the
other. How far back that holds stands in the database, since old code cannot know new schemas.

The migrations themselves stand in `migrations/`; each run is one transaction on both databases.
"""

import re
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from storage.database_errors import storage_refusals
from workflows.errors import UnusableDatabaseError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
TABLE = "alembic_version"
OURS = re.compile(r"[0-9]{4}")  # As our migrations are numbered; most other programs' have hashes.
KNOWN = (
    "audit_entry",
    "schema_floor",
)  # Where neither is, the numbers are those of another program.
# Alembic keeps what it migrates in its module, so a process migrates one database at a time.
_ONE_AT_A_TIME = threading.Lock()
# The newest revision of the release before this one: its code works beside this schema.
WORKS_WITH = "0002"


def configuration() -> "Config":
    """Return alembic's settings, which need no file beside ours."""
    from alembic.config import Config  # noqa: PLC0415 - 10 MB that a process at rest does not need.

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; one that is there already stays untouched.

    Raises:
        UnusableDatabaseError: a newer release has brought it further, or our tables are in a
            schema that nobody looks into.
        StorageUnavailableError: there is no room for the tables, or nobody to make them.
    """
    with storage_refusals(), engine.connect() as connection:
        found = _revisions(connection)
        if found == {newest()}:
            return
        if not found and (elsewhere := tables_elsewhere(engine)) is not None:
            raise elsewhere  # A second log under the keys and name of the first would be no proof.
        if _are_newer(found):
            raise of_newer_release()
        connection.rollback()
        upgrade_inside(connection)
        connection.commit()


def upgrade_inside(connection: Connection) -> None:
    """Bring the database to the newest revision inside the transaction of `connection`.

    Raises:
        UnusableDatabaseError: it is empty, and cannot hold every text.
    """
    from alembic import command  # noqa: PLC0415 - as above.

    _require_encoding(connection)
    config = configuration()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")
    connection.execute(text("DELETE FROM schema_floor"))
    connection.execute(text("INSERT INTO schema_floor VALUES (:one)"), {"one": WORKS_WITH})


def is_current(engine: Engine) -> bool:
    """Say whether the database has exactly the schema of this release."""
    with storage_refusals(), engine.connect() as connection:
        return _revisions(connection) == {newest()}


def is_empty(engine: Engine) -> bool:
    """Say whether no release has made its tables in the database yet."""
    with storage_refusals(), engine.connect() as connection:
        return not _revisions(connection)


def is_usable(engine: Engine) -> bool:
    """Say whether this release can work on the database: it has its schema, or the next one's."""
    with storage_refusals(), engine.connect() as connection:
        found = _revisions(connection)
        return found == {newest()} or (_are_newer(found) and _floor(connection) <= newest())


def require_usable(engine: Engine) -> None:
    """Return if this release can work on the database.

    Raises:
        UnusableDatabaseError: it has another schema, or none yet.
    """
    if is_usable(engine):
        _require_seen(engine)
        return
    if is_empty(engine):
        if (elsewhere := tables_elsewhere(engine)) is not None:
            raise elsewhere
        raise UnusableDatabaseError(
            "The database has no tables yet.", hint="Begin a log with `interlock init`."
        )
    if is_newer(engine):
        raise of_newer_release()
    raise UnusableDatabaseError(
        "The database has another schema than this release.", hint="Run `interlock migrate`."
    )


def is_newer(engine: Engine) -> bool:
    """Say whether a newer release than this one has made or migrated the database."""
    with storage_refusals(), engine.connect() as connection:
        return _are_newer(_revisions(connection))


def of_newer_release() -> UnusableDatabaseError:
    """Return the refusal of such a database: migrating it here is refused as well."""
    return UnusableDatabaseError(
        "A newer release has brought this database further.", hint="Use that release."
    )


def tables_elsewhere(engine: Engine) -> UnusableDatabaseError | None:
    """Return the refusal of a server's database whose tables of ours are where nobody looks.

    None where there are none in any schema, or the address itself says which one is meant.
    """
    if engine.dialect.name == "sqlite" or "search_path" in str(engine.url.query.get("options")):
        return None
    query = (
        "SELECT DISTINCT nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND relname = 'schema_floor' ORDER BY nspname LIMIT 5"
    )
    with storage_refusals(), engine.connect() as connection:
        found = ", ".join(str(one) for one in connection.execute(text(query)).scalars())
    if not found:
        return None
    return UnusableDatabaseError(
        f"The database has our tables where search_path does not lead: {found}.",
        hint="Have it lead there again, by ALTER ROLE … SET search_path, or by"
        " ?options=-csearch_path%3DNAME at the end of INTERLOCK_DATABASE_URL.",
    )


def revision_of(engine: Engine) -> str:
    """Return the revision a database has, "" for one without tables."""
    with storage_refusals(), engine.connect() as connection:
        return max(_revisions(connection), default="")


@cache
def newest() -> str:
    """Return the revision of this release: migrations are one line, numbered by their files.

    Looked at once: an upgrade may change the files under a process that is of the release before.
    """
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("0*.py"))


def _require_encoding(connection: Connection) -> None:
    """Refuse to begin on a server's database that cannot hold every text, as names and words are.

    One that is in use already goes on; it refuses what it cannot hold.

    Raises:
        UnusableDatabaseError: its encoding is not UTF8.
    """
    if connection.dialect.name == "sqlite" or _revisions(connection):
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnusableDatabaseError(
            f"The database has the encoding {encoding}, which cannot hold every text.",
            hint="Make another one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
            " LOCALE 'C.UTF-8'.",
        )


def _require_seen(engine: Engine) -> None:
    """Refuse where tables of a schema before ours hide some of ours.

    Raises:
        UnusableDatabaseError: which ones they are.
    """
    if engine.dialect.name == "sqlite":
        return
    query = (
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
        " (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('schema_floor'))"
        " AND to_regclass(quote_ident(relname)) <> oid ORDER BY relname LIMIT 5"
    )
    with storage_refusals(), engine.connect() as connection:
        hidden = ", ".join(str(one) for one in connection.execute(text(query)).scalars())
    if hidden:
        raise UnusableDatabaseError(
            f"Tables of another schema stand before ours: {hidden}.",
            hint="Have search_path name the schema of Interlock's tables first, by ALTER ROLE …"
            " SET search_path, or by ?options=-csearch_path%3DNAME at the end of"
            " INTERLOCK_DATABASE_URL.",
        )


def _are_newer(revisions: set[str]) -> bool:
    return bool(revisions) and min(revisions) > newest()


def _floor(connection: Connection) -> str:
    return str(connection.execute(text("SELECT revision FROM schema_floor")).scalar_one())


def _revisions(connection: Connection) -> set[str]:
    """Return the revisions that the database says it has.

    Raises:
        UnusableDatabaseError: they are those of another program, which migrates as we do.
    """
    tables = inspect(connection)
    if not tables.has_table(TABLE):
        return set()
    found = set(connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalars())  # noqa: S608 - a constant of ours.
    is_ours = all(OURS.fullmatch(one) for one in found) and any(map(tables.has_table, KNOWN))
    if found and not is_ours:
        raise UnusableDatabaseError(
            "The database is that of another program.",
            hint="Give Interlock a database of its own.",
        )
    return found
