"""The schema: migrations give exactly the models, and the database guards the entries itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from storage.database import Database, open_database
from storage.dispatch.jobs_schema import NEWEST_STEP, TABLES, bring_up, shipped_steps
from storage.journal import Journal
from storage.log_setup import open_journal
from storage.migrate import is_current, newest, require_usable, upgrade
from storage.models import SEARCH_OBJECTS, Base
from workflows.errors import StorageUnavailableError, UnusableDatabaseError


def is_ours(found: SchemaItem, name: str | None, *_more: object) -> bool:
    """Whether the models describe it; the search index stands in its migration alone.

    So do an index over what lines say, which only Postgres can tell of, and the tables of the
    job queue, which are Procrastinate's own.
    """
    table = getattr(getattr(found, "table", None), "name", "")
    if name in TABLES or table in TABLES or name == OVER_LINES:
        return False
    return name not in SEARCH_OBJECTS and f"{table}.{name}" not in SEARCH_OBJECTS


OVER_LINES = "ix_audit_entry_about"
CHANGED_LAST = "procrastinate_trigger_function_status_events_update_v1"
COMPARED = {"compare_type": True, "include_object": is_ours}


@pytest.fixture
def database_url(blank_url: str) -> str:
    return blank_url


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    return database.engine


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_an_empty_database_is_brought_to_the_schema_of_the_models(engine: Engine) -> None:
    assert not is_current(engine)
    upgrade(engine)
    assert is_current(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARED)
        drift = compare_metadata(context, Base.metadata)
    assert drift == []


def test_an_upgrade_done_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)

    assert is_current(engine)


@pytest.mark.parametrize("revision", ["ae1027a6acf", "9999", "0012"])
def test_a_database_that_another_program_migrates_is_told(blank_url: str, revision: str) -> None:
    with closing(open_database(blank_url)) as database:
        with database.begin() as tx:
            tx.connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
            tx.connection.execute(text(f"INSERT INTO alembic_version VALUES ('{revision}')"))
        for looks in (upgrade, is_current, require_usable):
            with pytest.raises(UnusableDatabaseError, match="that of another program"):
                looks(database.engine)


def test_a_disk_without_room_for_the_tables_is_told(blank_sqlite_url: str) -> None:
    with closing(open_database(blank_sqlite_url)) as database:
        event.listen(database.engine, "connect", _leave_no_room)
        with pytest.raises(StorageUnavailableError, match="disk is full"):
            upgrade(database.engine)


def _leave_no_room(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA max_page_count = 20")


def test_an_upgrade_that_fails_leaves_nothing_behind(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", lambda *_a, **_k: broken())
        with pytest.raises(DBAPIError):
            upgrade(engine)

    upgrade(engine)
    assert is_current(engine)


def broken() -> None:
    raise DBAPIError("CREATE INDEX", None, RuntimeError("disk"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET line = line",
        "UPDATE audit_entry SET idx = 7",
        "UPDATE audit_entry SET idx = NULL",
        "UPDATE audit_entry SET leaf = leaf, idx = 7",
        "UPDATE audit_entry SET kind = 'run.started'",
        "INSERT INTO audit_entry (line, leaf) SELECT line, leaf FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_an_entry(
    database: Database, journal: Journal, statement: str
) -> None:
    assert journal.origin
    with pytest.raises(DBAPIError), database.begin() as tx:
        tx.connection.execute(text(statement))


def test_a_table_of_entries_cannot_be_emptied_on_postgres(blank_postgres_url: str) -> None:
    database = open_database(blank_postgres_url)
    upgrade(database.engine)
    with pytest.raises(DBAPIError, match="never deleted"), database.begin() as tx:
        tx.connection.execute(text("TRUNCATE audit_entry CASCADE"))
    database.close()


def test_on_postgres_an_entry_without_a_place_receives_it_and_nothing_else(
    blank_postgres_url: str,
) -> None:
    database = open_database(blank_postgres_url)
    upgrade(database.engine)
    line = (Path(__file__).parent / "vectors.jsonl").read_text("utf-8").splitlines()[1]
    with database.begin() as tx:
        tx.driver.execute("INSERT INTO audit_entry (line, leaf) VALUES (%s, %s)", (line, bytes(32)))
    for change in ("seq = seq", "seq = seq + 1", "line = line || ' '", "leaf = sha256(leaf)"):
        for also in ("", ", idx = 0"):
            if (change, also) == ("seq = seq", ", idx = 0"):
                continue
            with pytest.raises(DBAPIError, match="only ever receives"), database.begin() as tx:
                tx.connection.execute(text(f"UPDATE audit_entry SET {change}{also}"))
    with database.begin() as tx:
        placed = tx.connection.execute(text("UPDATE audit_entry SET idx = 0")).rowcount
    with pytest.raises(DBAPIError, match="never deleted"), database.begin() as tx:
        tx.connection.execute(text("DELETE FROM audit_entry"))
    database.close()

    assert placed == 1


def test_a_new_step_of_the_job_queue_has_a_migration_that_takes_it() -> None:
    assert shipped_steps()[-1] == NEWEST_STEP


def test_the_job_queue_takes_the_steps_it_lacks_and_no_other(blank_postgres_url: str) -> None:
    database = open_database(blank_postgres_url)
    upgrade(database.engine)
    with database.begin() as tx:
        tx.driver.execute(f"DROP FUNCTION {CHANGED_LAST} CASCADE")
        tx.driver.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{shipped_steps()[-2]}'")
    for _ in range(2):  # The second time nothing is left to do, and nothing is done twice.
        with database.begin() as tx:
            bring_up(tx.connection)
    with database.begin() as tx:
        found = tx.driver.execute(
            f"SELECT to_regproc('{CHANGED_LAST}'),"
            " obj_description(to_regclass('procrastinate_jobs'), 'pg_class')"
        ).fetchone()
    database.close()

    assert found == (CHANGED_LAST, NEWEST_STEP)


def test_a_database_on_sqlite_has_no_job_queue(blank_sqlite_url: str) -> None:
    database = open_database(blank_sqlite_url)
    upgrade(database.engine)
    with database.begin() as tx:
        found = tx.driver.execute(
            "SELECT count(*) FROM sqlite_master WHERE name LIKE 'procrastinate%'"
        ).fetchone()
    database.close()

    assert found == (0,)


def as_a_newer_release_left_it(database: Database, *, works_with: str) -> None:
    with database.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        tx.connection.execute(text(f"UPDATE schema_floor SET revision = '{works_with}'"))


def test_the_release_before_goes_on_while_processes_are_replaced(
    database: Database, journal: Journal, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    as_a_newer_release_left_it(database, works_with=newest())
    opened = open_journal(database, home)

    assert opened.origin == journal.origin
    assert "finish the upgrade" in caplog.text
    with pytest.raises(UnusableDatabaseError, match="newer release"):
        upgrade(database.engine)


def test_a_release_older_than_that_is_refused(
    database: Database, journal: Journal, home: Path
) -> None:
    assert journal.origin
    as_a_newer_release_left_it(database, works_with="9998")
    with pytest.raises(UnusableDatabaseError, match="newer release") as refused:
        open_journal(database, home)

    assert refused.value.hint == "Use that release."  # `interlock migrate` would be refused.
