"""Workspaces in schemas of one Postgres: each finds its own tables and job queue, no other's."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, make_url, text

from storage.database import open_database
from storage.dispatch.jobs_schema import TABLES
from storage.log_setup import init_log, open_journal
from storage.migrate import is_current, upgrade
from storage.postgres_database import schema_of, with_schema
from storage.schemas import address_in_schema, make_schema
from storage.store import SqlStore
from storage.verify import verify_database
from tests.storage.dispatching import begin_run, rest, serving, until
from tests.storage.job_queue import dispatcher_of, jobs
from tests.storage.run_drafts import HandClock
from workflows.dispatch import Handler
from workflows.entry import RunId
from workflows.errors import UnknownRunError, UnusableDatabaseError

ACME, GLOBEX = "T0ACME", "T0GLOBEX"


@pytest.fixture
def stores(
    blank_postgres_url: str, tmp_path: Path, clock: HandClock
) -> Iterator[dict[str, SqlStore]]:
    """Give the store of each of two workspaces."""
    made = {}
    for owner in (ACME, GLOBEX):
        make_schema(blank_postgres_url, owner)
        database = open_database(address_in_schema(blank_postgres_url, owner))
        journal = init_log(database, tmp_path / owner, origin=f"host.example/{owner}", now=clock)
        made[owner] = SqlStore(database, journal, now=clock)
    yield made
    for store in made.values():
        store.database.close()


def test_each_has_the_whole_schema_and_nothing_stands_where_all_look(
    stores: dict[str, SqlStore], blank_postgres_url: str
) -> None:
    with psycopg.connect(blank_postgres_url) as connection:
        found = connection.execute(
            "SELECT table_schema, count(*) FROM information_schema.tables"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()

    assert [name for name, _ in found] == ["interlock_t0acme", "interlock_t0globex"]
    assert len({count for _, count in found}) == 1
    assert all(is_current(store.database.engine) for store in stores.values())
    assert set(TABLES) < set(inspect(stores[ACME].database.engine).get_table_names())


def test_a_run_of_one_is_unknown_to_the_other(stores: dict[str, SqlStore]) -> None:
    begin_run(stores[ACME], "r1")

    assert stores[ACME].run(RunId("r1")).id == "r1"
    with pytest.raises(UnknownRunError):
        stores[GLOBEX].run(RunId("r1"))


def test_a_job_of_one_is_done_by_its_own_workers_alone(stores: dict[str, SqlStore]) -> None:
    acme, globex = (dispatcher_of(stores[owner]) for owner in (ACME, GLOBEX))
    done: list[tuple[str, RunId]] = []

    def handler_of(owner: str) -> Handler:
        def handle(run: RunId) -> None:
            rest(stores[owner], run)
            done.append((owner, run))

        return handle

    with serving(acme, handler_of(ACME)), serving(globex, handler_of(GLOBEX)):
        begin_run(stores[ACME], "r1", acme)
        begin_run(stores[GLOBEX], "r2", globex)
        until(lambda: len(done) == 2 and not jobs(stores[ACME]) and not jobs(stores[GLOBEX]))

    assert sorted(done) == [(ACME, "r1"), (GLOBEX, "r2")]


def test_a_log_opens_again_in_its_schema(
    stores: dict[str, SqlStore], blank_postgres_url: str, tmp_path: Path, clock: HandClock
) -> None:
    assert stores
    database = open_database(address_in_schema(blank_postgres_url, GLOBEX))
    opened = open_journal(database, tmp_path / GLOBEX, now=clock)
    with pytest.raises(UnusableDatabaseError):
        open_journal(database, tmp_path / ACME, origin=f"host.example/{ACME}", now=clock)
    database.close()

    assert opened.origin == f"host.example/{GLOBEX}"


def test_a_schema_that_is_there_stays(blank_postgres_url: str) -> None:
    make_schema(blank_postgres_url, ACME)
    database = open_database(address_in_schema(blank_postgres_url, ACME))
    upgrade(database.engine)
    make_schema(blank_postgres_url, ACME)
    with database.read() as connection:
        found = connection.execute(text("SELECT current_schema()")).scalar_one()
    database.close()

    assert found == "interlock_t0acme"


def test_a_role_that_may_not_make_one_is_told_what_to_do(blank_postgres_url: str) -> None:
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"DROP ROLE IF EXISTS guest_{name}")
        connection.execute(f"CREATE ROLE guest_{name} LOGIN")
    guest = make_url(blank_postgres_url).set(username=f"guest_{name}", password=None)
    try:
        with pytest.raises(UnusableDatabaseError, match="may not make the schema"):
            make_schema(guest.render_as_string(hide_password=False), ACME)
    finally:
        with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE guest_{name}")


@pytest.mark.parametrize("owner", ["", "T0'; DROP", "t0acme", "T0ACME.x", "../T0"])
def test_only_ids_of_workspaces_name_schemas(blank_postgres_url: str, owner: str) -> None:
    with pytest.raises(UnusableDatabaseError, match="not the id of a workspace"):
        make_schema(blank_postgres_url, owner)


def test_options_of_an_address_stay_beside_its_schema() -> None:
    url = make_url("postgresql://host/name?options=-c%20work_mem=8MB")

    assert schema_of(url) == ""
    assert schema_of(with_schema(url, "interlock_t0acme")) == "interlock_t0acme"
    assert "work_mem=8MB" in str(with_schema(url, "interlock_t0acme").query["options"])


def test_options_of_an_address_count_where_we_say_nothing(blank_postgres_url: str) -> None:
    url = make_url(blank_postgres_url).update_query_dict(
        {"options": "-c work_mem=8MB -c synchronous_commit=off"}
    )
    database = open_database(url.render_as_string(hide_password=False))
    with database.read() as connection:
        mine = connection.execute(text("SHOW work_mem")).scalar_one()
        ours = connection.execute(text("SHOW synchronous_commit")).scalar_one()
    database.close()

    assert (mine, ours) == ("8MB", "on")


def test_each_log_is_verified_in_its_own_schema(
    stores: dict[str, SqlStore], blank_postgres_url: str
) -> None:
    vkeys = {owner: store.journal.sequencer.signers[0].vkey for owner, store in stores.items()}
    with stores[ACME].database.begin() as tx:
        tx.connection.execute(text("DROP TRIGGER audit_entry_only_place ON audit_entry"))
    acme, globex = (
        verify_database(address_in_schema(blank_postgres_url, owner), [vkeys[owner]])
        for owner in (ACME, GLOBEX)
    )
    crossed = verify_database(address_in_schema(blank_postgres_url, GLOBEX), [vkeys[ACME]])

    assert (acme.failures, globex.failures) == ([], [])
    assert [code for code, _ in acme.warnings] == ["trigger"]
    assert [code for code, _ in globex.warnings] == []
    assert crossed.failures
