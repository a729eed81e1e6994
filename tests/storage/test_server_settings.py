"""What a DBA sets for the database or the role changes nothing, or is refused with what to do."""

import itertools
import os
import re
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from storage.database import open_database
from storage.log_setup import init_log
from storage.migrate import require_usable, upgrade
from storage.postgres_database import OPTIONS, with_schema
from storage.store import SqlStore
from storage.verify import verify_database
from tests.conftest import NUMBERS
from tests.world import Clock, Working
from workflows.errors import StorageError, StorageUnavailableError, UnusableDatabaseError

PROTOCOL_3 = 196608
ORIGIN = "interlock.example/audit/T0ABC"
SETTINGS = {
    "statement_timeout": "'5ms'",
    "lock_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'1ms'",
    "idle_session_timeout": "'250ms'",
    "transaction_timeout": "'250ms'",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "DateStyle": "'German, DMY'",
    "IntervalStyle": "sql_standard",
    "TimeZone": "'Asia/Kolkata'",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "quote_all_identifiers": "on",
    "default_text_search_config": "simple",
}

# What a role may have instead of what the bot asks of its sessions.
OTHERWISE = {
    "synchronous_commit": "off",
    "default_transaction_isolation": "serializable",
    "timezone": "Asia/Kolkata",
    "datestyle": "German, DMY",
    "quote_all_identifiers": "on",
}


def set_there(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for one in statements:
            connection.execute(one.replace("DATABASE here", f'DATABASE "{make_url(url).database}"'))


def worked_on(url: str, home: Path) -> tuple[str, list[str]]:
    """Make the tables, have a run approved and done; return its state and its effects."""
    with closing(open_database(url)) as database:
        upgrade(database.engine)
        clock = Clock()
        journal = init_log(database, home, origin=ORIGIN, now=clock)
        house = Working(SqlStore(database, journal, now=clock), clock)
        run = house.start()
        house.settle()
        house.approve(run)
        house.settle()
        return house.status(run), house.world.effects


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_the_database_give_way_to_ours(
    blank_postgres_url: str, home: Path, name: str
) -> None:
    set_there(blank_postgres_url, f"ALTER DATABASE here SET {name} = {SETTINGS[name]}")
    status, effects = worked_on(blank_postgres_url, home)
    report = verify_database(blank_postgres_url, [], processes=1)

    assert (status, len(effects)) == ("done", 1)
    assert (report.malformed, report.failures, report.warnings) == (None, [], [])


def test_triggers_that_a_role_switches_off_are_told(blank_postgres_url: str, home: Path) -> None:
    worked_on(blank_postgres_url, home)
    set_there(blank_postgres_url, "ALTER DATABASE here SET session_replication_role = replica")
    told = [words for _, words in verify_database(blank_postgres_url, [], processes=1).warnings]

    assert "The trigger audit_entry_no_delete is missing." in told


@pytest.fixture(params=["SQL_ASCII", "LATIN1", "WIN1252"])
def narrow_url(request: pytest.FixtureRequest, postgres_server: str) -> Iterator[str]:
    name = f"narrow_{next(NUMBERS)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{request.param}' LC_COLLATE 'C' LC_CTYPE 'C'"
            " TEMPLATE template0"
        )
        yield postgres_server.replace("/postgres?", f"/{name}?", 1)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_that_cannot_hold_every_text_is_refused_before_it_has_tables(
    narrow_url: str,
) -> None:
    with (
        closing(open_database(narrow_url)) as database,
        pytest.raises(UnusableDatabaseError, match="cannot hold every text") as refused,
    ):
        upgrade(database.engine)

    assert "ENCODING 'UTF8'" in refused.value.hint


def test_a_search_path_that_leads_nowhere_is_told(blank_postgres_url: str) -> None:
    set_there(blank_postgres_url, "ALTER DATABASE here SET search_path = nowhere")
    with (
        closing(open_database(blank_postgres_url)) as database,
        pytest.raises(UnusableDatabaseError, match="leads to no schema"),
    ):
        upgrade(database.engine)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("other", "has our tables where search_path does not lead: public"),
        ("other, public", "Tables of another schema stand before ours: audit_entry"),
    ],
)
def test_a_search_path_that_leads_elsewhere_since_is_refused_at_start(
    postgres_url: str, path: str, words: str
) -> None:
    set_there(
        postgres_url,
        "CREATE SCHEMA other",
        "CREATE TABLE other.audit_entry (a integer)",
        f"ALTER DATABASE here SET search_path = {path}",
    )
    with (
        closing(open_database(postgres_url)) as database,
        pytest.raises(UnusableDatabaseError, match=words) as refused,
    ):
        require_usable(database.engine)

    assert "SET search_path" in refused.value.hint


def test_no_second_log_begins_where_search_path_leads_since_unless_the_address_says_so(
    postgres_url: str, home: Path
) -> None:
    set_there(postgres_url, "CREATE SCHEMA other", "ALTER DATABASE here SET search_path = other")
    with pytest.raises(UnusableDatabaseError, match="does not lead: public"):
        worked_on(postgres_url, home)
    meant = with_schema(make_url(postgres_url), "other").render_as_string(hide_password=False)

    assert worked_on(meant, home)[0] == "done"


def test_a_process_whose_search_path_is_changed_tells_people_that_nothing_was_recorded(
    postgres_url: str, home: Path
) -> None:
    with closing(open_database(postgres_url)) as database:
        journal = init_log(database, home, origin=ORIGIN, now=Clock())
        house = Working(SqlStore(database, journal, now=Clock()), Clock())
        run = house.start()
        set_there(
            postgres_url,
            "ALTER DATABASE here SET search_path = nowhere",
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        for work in (house.start, house.settle, lambda: house.entries(run)):
            with pytest.raises(StorageUnavailableError, match="does not show its tables"):
                work()


def test_a_role_that_may_only_read_and_write_rows_can_serve(postgres_url: str, home: Path) -> None:
    role = f"rows_{next(NUMBERS)}"
    set_there(
        postgres_url,
        f"CREATE ROLE {role} LOGIN PASSWORD 'of-a-test'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    address = make_url(postgres_url).set(username=role, password="of-a-test")
    status, _ = worked_on(address.render_as_string(hide_password=False), home)

    assert status == "done"


def test_a_transaction_that_the_server_ends_for_its_time_is_told_as_that(
    blank_postgres_url: str,
) -> None:
    def take_long() -> None:
        with database.begin() as tx:
            tx.run("SET LOCAL transaction_timeout = '20ms'")
            tx.connection.exec_driver_sql("SELECT pg_sleep(5)")

    with closing(open_database(blank_postgres_url)) as database:
        with pytest.raises(StorageUnavailableError, match="a transaction that took too long"):
            take_long()
        with database.begin() as tx:
            assert tx.run("SELECT 1").fetchone() == (1,)


class Pooler(socketserver.BaseRequestHandler):
    """Hands on what a client says, but for the options of its session."""

    server_at = ""

    def handle(self) -> None:
        while True:
            (length,) = struct.unpack("!I", self.request.recv(4))
            said = self.request.recv(length - 4)
            if struct.unpack("!I", said[:4])[0] == PROTOCOL_3:
                break
            self.request.sendall(b"N")
        self.begin(said)

    def begin(self, said: bytes) -> None:
        words = said[4:-2].split(b"\0")
        kept = [pair for pair in zip(words[::2], words[1::2], strict=True) if pair[0] != b"options"]
        body = said[:4] + b"".join(one + b"\0" for pair in kept for one in pair) + b"\0"
        with self.session(body) as behind:
            self._hand_on(behind)

    def session(self, said: bytes) -> socket.socket:
        behind = socket.socket(socket.AF_UNIX)
        behind.connect(self.server_at)
        behind.sendall(struct.pack("!I", len(said) + 4) + said)
        return behind

    def _hand_on(self, behind: socket.socket) -> None:
        other = {behind: self.request, self.request: behind}
        while True:
            for one in select.select(list(other), [], [])[0]:
                said = one.recv(2**16)
                if not said:
                    return
                other[one].sendall(said)


class StrictPooler(Pooler):
    """Lets nobody in who has options for a session, as PgBouncer unless it is told otherwise."""

    def begin(self, _said: bytes) -> None:
        words = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
        self.request.sendall(b"E" + struct.pack("!I", len(words) + 4) + words)


class SharingPooler(Pooler):
    """Hands on the options, and each question to one of two sessions in turn."""

    def begin(self, said: bytes) -> None:
        with self.session(said) as one, self.session(said) as another:
            welcome = self._until_ready(one)
            self._until_ready(another)
            key = welcome.index(b"K\0\0\0") + 5  # It gives everybody a key of its own.
            self.request.sendall(welcome[:key] + b"\0\0\0\1" + welcome[key + 4 :])
            for behind in itertools.cycle([one, another]):
                asked = self.request.recv(2**16)
                if not asked:
                    return
                behind.sendall(asked)
                self.request.sendall(self._until_ready(behind))

    def _until_ready(self, behind: socket.socket) -> bytes:
        heard = b""
        while heard[-6:-1] != b"Z\0\0\0\5" and (more := behind.recv(2**16)):
            heard += more
        return heard


class FaithfulPooler(Pooler):
    """Hands on everything."""

    def begin(self, said: bytes) -> None:
        with self.session(said) as behind:
            self._hand_on(behind)


class AskingPooler(Pooler):
    """Asks everybody for a password."""

    def begin(self, _said: bytes) -> None:
        self.request.sendall(b"R" + struct.pack("!II", 8, 3))
        self.request.recv(1)


@contextmanager
def reached_through(pooler: type[Pooler], postgres_url: str) -> Iterator[URL]:
    """Give the address of a pooler before the server."""
    url = make_url(postgres_url)
    at = Path(str(url.query["host"]), f".s.PGSQL.{url.port or 5432}")
    handler = type("_", (pooler,), {"server_at": str(at)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield url.set(host="127.0.0.1", port=server.server_address[1], query={})
        server.shutdown()


@pytest.mark.parametrize(
    ("pooler", "told"),
    [
        (Pooler, "do not reach the Postgres server"),
        (StrictPooler, "refuses the settings of the bot's sessions"),
        (SharingPooler, "hands one session of ours to several of the Postgres server's"),
    ],
)
def test_a_pooler_that_does_not_work_per_session_with_our_settings_is_refused(
    postgres_url: str, pooler: type[Pooler], told: str
) -> None:
    with (
        reached_through(pooler, postgres_url) as before,
        pytest.raises(StorageError, match=told) as refused,
    ):
        open_database(before.render_as_string(hide_password=False))

    assert "pooler" in f"{refused.value} {refused.value.hint}"


DOCS = Path(__file__).resolve().parents[2] / "docs"
AS_WE_ASK = re.findall(
    r"^ALTER ROLE interlock (SET .+);$", (DOCS / "operations.md").read_text(), re.MULTILINE
)


def through_a_pooler_as(postgres_url: str, *settings: str) -> AbstractContextManager[URL]:
    """Give an address that hands no options on, for a role that has `settings` of its own."""
    role = f"behind_a_pooler_{next(NUMBERS)}"
    set_there(
        postgres_url,
        f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'of-a-test'",
        *(f"ALTER ROLE {role} {one}" for one in settings),
    )
    as_role = make_url(postgres_url).set(username=role, password="of-a-test")
    return reached_through(Pooler, as_role.render_as_string(hide_password=False))


@pytest.mark.parametrize("missing", range(len(AS_WE_ASK)), ids=list(OPTIONS))
def test_one_setting_that_a_role_has_otherwise_is_refused_behind_a_pooler(
    postgres_url: str, missing: int
) -> None:
    name = list(OPTIONS)[missing]
    other = OTHERWISE.get(name, "2min")
    settings = [*AS_WE_ASK[:missing], f"SET {name} = '{other}'", *AS_WE_ASK[missing + 1 :]]
    with (
        through_a_pooler_as(postgres_url, *settings) as before,
        pytest.raises(UnusableDatabaseError, match="do not reach the Postgres server"),
    ):
        open_database(before.render_as_string(hide_password=False))


def test_a_workspace_whose_schema_a_pooler_keeps_to_itself_is_refused(postgres_url: str) -> None:
    with through_a_pooler_as(postgres_url, *AS_WE_ASK) as before:
        url = with_schema(before, "interlock_t0123abcd").render_as_string(hide_password=False)
        with pytest.raises(UnusableDatabaseError, match="do not reach the Postgres server"):
            open_database(url)


def test_behind_a_pooler_that_works_per_session_the_role_may_have_our_settings(
    blank_postgres_url: str, home: Path
) -> None:
    with through_a_pooler_as(blank_postgres_url, *AS_WE_ASK) as before:
        status, _ = worked_on(before.render_as_string(hide_password=False), home)

    assert status == "done"


@pytest.mark.parametrize(
    ("pooler", "sslmode", "told"),
    [
        (AskingPooler, "disable", "asks for a password, and none is there"),
        (FaithfulPooler, "require", "speaks no TLS"),
        (FaithfulPooler, "verify-full", "does not prove who it is"),
    ],
)
def test_what_the_driver_lacks_is_told_and_nobody_is_sent_to_a_server_that_runs(
    postgres_url: str, pooler: type[Pooler], sslmode: str, told: str
) -> None:
    said = {"sslmode": sslmode, "passfile": "nowhere"}
    with (
        reached_through(pooler, postgres_url) as before,
        pytest.raises(StorageUnavailableError, match=told),
    ):
        open_database(before.set(query=said).render_as_string(hide_password=False))


@pytest.mark.parametrize(("said", "idle"), [({}, 10), ({"keepalives_idle": "60"}, 60)])
def test_a_server_whose_machine_falls_silent_is_believed_in_for_seconds(
    postgres_url: str, said: dict[str, str], idle: int
) -> None:
    with reached_through(FaithfulPooler, postgres_url) as before:
        address = before.set(query=said).render_as_string(hide_password=False)
        with (
            closing(open_database(address)) as database,
            database.read() as connection,
            socket.socket(fileno=os.dup(connection.connection.dbapi_connection.fileno())) as line,
        ):
            kept = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            unheard = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert (kept, unheard) == (idle, 20_000)
