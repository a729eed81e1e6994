"""Units: kept as a whole or not at all, alone or in a group, on both databases."""

import os
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import IntegrityError

from storage.database import Database, Transaction, open_database
from storage.group_commit import MOST_BODIES, Turn
from storage.migrate import upgrade
from storage.sqlite_database import SqliteDatabase
from tests.open_files import open_files
from workflows.errors import StorageUnavailableError, UnusableDatabaseError

LONG = 20.0


@pytest.fixture
def numbers(database: Database) -> Database:
    """A database with one table of numbers."""
    with database.begin() as tx:
        tx.connection.execute(text("CREATE TABLE number (n INTEGER PRIMARY KEY)"))
    return database


def add(tx: Transaction, number: int) -> None:
    tx.connection.execute(text("INSERT INTO number VALUES (:n)"), {"n": number})


def stored(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT n FROM number ORDER BY n")).scalars())


def kept(database: Database) -> list[int]:
    with database.read() as connection:
        return stored(connection)


def at_once(*bodies: Callable[[], None]) -> list[BaseException | None]:
    """Run each body in a thread of its own; return what each raised."""
    raised: list[BaseException | None] = [None] * len(bodies)

    def call(place: int) -> None:
        try:
            bodies[place]()
        except BaseException as error:  # noqa: BLE001  the test looks at it
            raised[place] = error

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def test_a_unit_is_kept_as_a_whole(numbers: Database) -> None:
    with numbers.begin() as tx:
        add(tx, 1)
        add(tx, 2)

    assert kept(numbers) == [1, 2]


def test_a_unit_that_raises_leaves_nothing(numbers: Database) -> None:
    undone: list[str] = []

    def body(tx: Transaction) -> None:
        tx.on_rollback(lambda: undone.append("undone"))
        tx.after_commit(lambda: undone.append("never"))
        add(tx, 1)
        raise LookupError("mine")

    with pytest.raises(LookupError), numbers.begin() as tx:
        body(tx)

    assert kept(numbers) == []
    assert undone == ["undone"]


def test_what_follows_a_commit_runs_after_it(numbers: Database) -> None:
    seen: list[list[int]] = []
    with numbers.begin() as tx:
        tx.after_commit(lambda: seen.append(kept(numbers)))
        add(tx, 1)
        assert seen == []

    assert seen == [[1]]


def test_an_end_runs_once_and_takes_the_unit_with_it_when_it_fails(numbers: Database) -> None:
    calls: list[int] = []

    def end(_tx: Transaction) -> None:
        calls.append(1)
        raise RuntimeError("cannot seal")

    def body() -> None:
        with numbers.begin() as tx:
            add(tx, 1)
            tx.at_end(end)
            tx.at_end(end)

    with pytest.raises(RuntimeError, match="cannot seal"):
        body()

    assert calls == [1]
    assert kept(numbers) == []


def test_a_unit_inside_a_unit_is_refused(numbers: Database) -> None:
    with (
        pytest.raises(RuntimeError, match="already open"),
        numbers.begin() as tx,
        numbers.begin(),
    ):
        add(tx, 1)

    with numbers.begin() as tx:
        add(tx, 2)
    assert kept(numbers) == [2]


def test_a_snapshot_does_not_see_what_is_committed_after_it(numbers: Database) -> None:
    with numbers.read() as connection:
        assert stored(connection) == []
        with numbers.begin() as tx:
            add(tx, 1)
        assert stored(connection) == []

    assert kept(numbers) == [1]


def test_a_constraint_that_is_hurt_is_not_a_refusal_of_ours(numbers: Database) -> None:
    with numbers.begin() as tx:
        add(tx, 1)
    with pytest.raises(IntegrityError), numbers.begin() as tx:
        add(tx, 1)

    assert kept(numbers) == [1]


def test_many_threads_are_all_kept_and_one_that_fails_takes_back_only_itself(
    numbers: Database,
) -> None:
    def body(number: int) -> Callable[[], None]:
        def run() -> None:
            with numbers.begin() as tx:
                add(tx, number)
                if number % 5 == 0:
                    raise LookupError(number)

        return run

    raised = at_once(*(body(number) for number in range(60)))

    assert kept(numbers) == [number for number in range(60) if number % 5]
    assert [error is not None for error in raised] == [number % 5 == 0 for number in range(60)]


def test_a_reader_cannot_write(numbers: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"), numbers.read() as connection:
        connection.execute(text("INSERT INTO number VALUES (1)"))


class Line:
    """Threads that wait for the writer, so that the next commit is one of many."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.release = threading.Event()
        self.inside = threading.Event()
        self.told: list[str] = []
        self.path = database.engine.url.database

    def first(self) -> None:
        with self.database.begin() as tx:
            add(tx, 1_000)
            self.inside.set()
            assert self.release.wait(LONG)
        self.told.append("first")

    def second(self, number: int, *, end: Callable[[Transaction], None] | None = None) -> None:
        assert self.inside.wait(LONG)
        with self.database.begin() as tx:
            add(tx, number)
            if end is not None:
                tx.at_end(end)
        self.told.append(f"second {number}")

    def let_go(self, waiting: int) -> None:
        assert self.inside.wait(LONG)
        turns = self.database._turns  # type: ignore[attr-defined]  # noqa: SLF001  to know who waits
        deadline = time.monotonic() + LONG
        while len(turns._line) < waiting and time.monotonic() < deadline:  # noqa: SLF001
            time.sleep(0.001)
        self.release.set()


@pytest.fixture
def queue(blank_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    # However slowly those in the line come to their turn here, the group waits for them.
    monkeypatch.setattr("storage.group_commit.MOST_SECONDS", LONG)
    with closing(open_database(blank_sqlite_url)) as database:
        with database.begin() as tx:
            tx.connection.execute(text("CREATE TABLE number (n INTEGER PRIMARY KEY)"))
        yield Line(database)


def test_those_who_wait_are_committed_together(queue: Line) -> None:
    ends: list[int] = []

    def end(tx: Transaction) -> None:
        ends.append(len(stored(tx.connection)))

    at_once(
        queue.first,
        lambda: queue.second(1, end=end),
        lambda: queue.second(2, end=end),
        lambda: queue.let_go(2),
    )

    assert ends == [3]
    assert kept(queue.database) == [1, 2, 1_000]


def test_a_commit_that_fails_fails_for_all_and_nobody_was_told_before(queue: Line) -> None:
    def end(_tx: Transaction) -> None:
        assert queue.told == []
        raise sqlite3.OperationalError("disk I/O error")

    raised = at_once(
        queue.first,
        lambda: queue.second(1, end=end),
        lambda: queue.second(2),
        lambda: queue.let_go(2),
    )

    assert [type(error) for error in raised[:3]] == [sqlite3.OperationalError] * 3
    assert queue.told == []
    assert kept(queue.database) == []
    with queue.database.begin() as tx:
        add(tx, 7)
    assert kept(queue.database) == [7]


def test_the_first_of_a_group_fails_alone(queue: Line) -> None:
    def first() -> None:
        with queue.database.begin() as tx:
            add(tx, 1_000)
            queue.inside.set()
            assert queue.release.wait(LONG)
            raise LookupError("mine")

    raised = at_once(first, lambda: queue.second(1), lambda: queue.let_go(1))

    assert [type(error) for error in raised] == [LookupError, type(None), type(None)]
    assert kept(queue.database) == [1]


def test_the_last_of_a_group_fails_alone_and_the_others_are_kept(queue: Line) -> None:
    def failing() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin() as tx:
            add(tx, 2)
            raise LookupError("mine")

    raised = at_once(queue.first, failing, lambda: queue.let_go(1))

    assert [type(error) for error in raised] == [type(None), LookupError, type(None)]
    assert kept(queue.database) == [1_000]


def test_what_may_have_to_be_taken_back_is_written_to_no_file(queue: Line) -> None:
    """SQLite keeps the pages that a body of a group changes; words in such a file would stay."""
    known, opened = set(open_files()), set[str]()
    with queue.database.begin() as tx:
        tx.driver.execute("CREATE TABLE word (n INTEGER PRIMARY KEY, words TEXT)")
        tx.driver.executemany("INSERT INTO word (words) VALUES (?)", [("x" * 1_000,)] * 400)

    def second() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin() as tx:
            tx.driver.execute("UPDATE word SET words = words || 'y'")
            opened.update(set(open_files()) - known)

    raised = at_once(queue.first, second, lambda: queue.let_go(1))

    assert raised == [None] * 3
    assert opened <= {queue.path, f"{queue.path}-wal", f"{queue.path}-shm"}


def test_a_group_ends_though_more_keep_coming(queue: Line) -> None:
    count = MOST_BODIES + 20
    ends: list[int] = []

    def end(tx: Transaction) -> None:
        ends.append(len(stored(tx.connection)))

    at_once(
        queue.first,
        *(lambda n=n: queue.second(n, end=end) for n in range(count)),
        lambda: queue.let_go(count),
    )

    assert len(ends) >= 2
    assert len(kept(queue.database)) == count + 1


def test_who_waits_too_long_is_told_and_the_others_go_on(queue: Line) -> None:
    def impatient() -> None:
        assert queue.inside.wait(LONG)
        try:
            with queue.database.begin(lock_timeout_ms=50):
                pass
        finally:
            queue.release.set()

    raised = at_once(queue.first, impatient)

    assert raised[0] is None
    assert isinstance(raised[1], StorageUnavailableError)
    assert kept(queue.database) == [1_000]


def test_a_transaction_that_sqlite_gave_up_keeps_nobody(queue: Line) -> None:
    def given_up() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin() as tx:
            tx.driver.execute("ROLLBACK")  # What SQLite does by itself on a full disk.

    raised = at_once(queue.first, given_up, lambda: queue.let_go(1))

    assert [type(error) for error in raised[:2]] == [StorageUnavailableError] * 2
    assert kept(queue.database) == []


def test_a_body_that_fails_because_sqlite_gave_up_takes_the_whole_group_with_it(
    queue: Line,
) -> None:
    def given_up() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin() as tx:
            tx.driver.execute("ROLLBACK")  # What SQLite does by itself on a full disk.
            raise sqlite3.OperationalError("database or disk is full")

    raised = at_once(queue.first, given_up, lambda: queue.let_go(1))

    assert isinstance(raised[0], StorageUnavailableError)
    assert raised[1] is not None
    assert queue.told == []
    assert kept(queue.database) == []
    with queue.database.begin() as tx:
        add(tx, 7)
    assert kept(queue.database) == [7]


def test_a_turn_that_comes_as_its_thread_gives_up_is_handed_on(
    queue: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Turn):
        __slots__ = ()

        def wait(self, timeout: float = -1) -> bool:
            if timeout != 0.05:
                return super().wait(timeout)
            queue.release.set()
            assert super().wait(LONG)
            return False  # Its time was over a moment before.

    def impatient() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin(lock_timeout_ms=50) as tx:
            add(tx, 1)

    monkeypatch.setattr("storage.group_commit.Turn", Late)
    raised = at_once(queue.first, impatient)

    assert raised[0] is None
    assert isinstance(raised[1], StorageUnavailableError)
    assert kept(queue.database) == [1_000]
    with queue.database.begin() as tx:
        add(tx, 7)
    assert kept(queue.database) == [7, 1_000]


def test_a_savepoint_that_cannot_be_ended_fails_the_group_and_the_writer_goes_on(
    queue: Line,
) -> None:
    def broken() -> None:
        assert queue.inside.wait(LONG)
        with queue.database.begin() as tx:
            tx.driver.execute("RELEASE body")  # So that ending it later is an error.

    raised = at_once(queue.first, broken, lambda: queue.let_go(1))

    assert [type(error) for error in raised[:2]] == [sqlite3.OperationalError] * 2
    assert kept(queue.database) == []
    with queue.database.begin() as tx:
        add(tx, 7)
    assert kept(queue.database) == [7]


def test_a_lock_of_another_process_is_a_refusal_with_a_hint(blank_sqlite_url: str) -> None:
    database = open_database(blank_sqlite_url)
    database._driver.execute("PRAGMA busy_timeout = 10")  # type: ignore[attr-defined]  # noqa: SLF001
    other = sqlite3.connect(blank_sqlite_url, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailableError, match=r"locked.*Try again"), database.begin():
        pass
    other.execute("ROLLBACK")

    with database.begin():
        pass
    other.close()
    database.close()


def test_sqlite_is_opened_with_the_settings_that_we_rely_on(blank_sqlite_url: str) -> None:
    database = open_database(blank_sqlite_url)
    with database.begin() as tx:
        found = {
            name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "secure_delete",
                "wal_autocheckpoint",
                "temp_store",
            )
        }
    database.close()

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "wal_autocheckpoint": 6000,
        "temp_store": 2,
    }


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///some.db?synchronous=off",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://somewhere/else",
        "://",
    ],
)
def test_an_address_that_is_no_safe_database_is_refused(url: str) -> None:
    with pytest.raises(UnusableDatabaseError):
        open_database(url)


@pytest.mark.parametrize(
    "place",
    [
        "interlock:pass@wo:rd@db-1/interlock",  # The port would be `rd@db-1`.
        "interlock@db-1:5432,db-2:5432/interlock",
        "interlock@db-1,db-2:5433/interlock",
        "interlock@/interlock?host=db-1&host=db-2",
        "interlock@/interlock?host=db-1,db-2&port=5433",
    ],
)
def test_an_address_whose_servers_are_unclear_is_refused_without_repeating_it(place: str) -> None:
    with pytest.raises(UnusableDatabaseError, match="port") as refused:
        open_database(f"postgresql://{place}")

    assert "host=db-1,db-2&port=" in str(refused.value.hint)
    assert "rd@" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("sslmode=requir", 'invalid sslmode value: "requir"'),
        ("sslmod=require", 'invalid connection option "sslmod"'),
        ("keepalives=yes", 'invalid integer value "yes" for connection option "keepalives"'),
    ],
)
def test_an_option_that_the_driver_does_not_know_is_told_and_no_server_is_blamed(
    option: str, told: str
) -> None:
    with pytest.raises(UnusableDatabaseError, match=told):
        open_database(f"postgresql://nobody@127.0.0.1:1/nothing?{option}")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.db").write_bytes(b"noise" * 1_000)

    with pytest.raises(UnusableDatabaseError, match="backup"):
        open_database(str(tmp_path / "noise.db"))


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailableError, match=r"path.*interlock\.db in INTERLOCK_HOME"):
        open_database(str(tmp_path / "nowhere" / "interlock.db"))


def test_a_server_that_is_not_there_is_refused() -> None:
    with pytest.raises(StorageUnavailableError, match="server"):
        open_database("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2")


@pytest.mark.parametrize("wrong", ["/nothing_of_that_name?", "nobody_of_that_name"])
def test_a_server_that_lets_nobody_in_says_where_to_look(
    blank_postgres_url: str, wrong: str
) -> None:
    address = make_url(blank_postgres_url)
    named = {"database": wrong[1:-1]} if wrong.startswith("/") else {"username": wrong}

    with pytest.raises(StorageUnavailableError, match="does not let the bot in") as refused:
        open_database(address.set(**named).render_as_string(hide_password=False))
    assert "user, password and database" in str(refused.value.hint)


@pytest.fixture
def guest(blank_postgres_url: str) -> Iterator[str]:
    """Give the address under a user who owns nothing there."""
    name = f"guest_{os.getpid()}"
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        yield make_url(blank_postgres_url).set(username=name).render_as_string(hide_password=False)
        connection.execute(f"DROP ROLE {name}")


def test_a_server_without_a_connection_to_spare_is_not_one_that_is_away(
    guest: str, blank_postgres_url: str
) -> None:
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {make_url(guest).username} CONNECTION LIMIT 0")

    with pytest.raises(StorageUnavailableError, match="out of memory or connections") as full:
        open_database(guest)

    assert "raise max_connections" in str(full.value.hint)  # `interlock doctor` shows it, too.


def test_a_user_who_may_make_no_tables_is_told_what_is_missing(guest: str) -> None:
    database = open_database(guest)
    with pytest.raises(UnusableDatabaseError, match="does not let its user") as refused:
        upgrade(database.engine)
    database.close()

    assert "OWNER TO" in str(refused.value.hint)


def test_a_table_of_another_program_by_a_name_of_ours_is_told(blank_postgres_url: str) -> None:
    with psycopg.connect(blank_postgres_url) as connection:
        connection.execute("CREATE TABLE run (number integer)")
    database = open_database(blank_postgres_url)
    with pytest.raises(UnusableDatabaseError, match="tables of another program"):
        upgrade(database.engine)
    database.close()


# What a standby says, word for word; a server that is none has to be told to.
AS_A_STANDBY = """DO $$ BEGIN
RAISE EXCEPTION 'cannot set transaction read-write mode during recovery' USING ERRCODE = '0A000';
END $$"""
ONLY_READ = "SET TRANSACTION READ ONLY; CREATE TABLE made (number integer)"


@pytest.mark.parametrize("statement", [AS_A_STANDBY, ONLY_READ])
def test_a_server_that_takes_no_changes_says_where_they_belong(
    blank_postgres_url: str, statement: str
) -> None:
    database = open_database(blank_postgres_url)
    with (
        pytest.raises(StorageUnavailableError, match="takes no changes: it is a standby"),
        database.begin() as tx,
    ):
        tx.connection.exec_driver_sql(statement)
    database.close()


def end_session(url: str, tx: Transaction) -> None:
    (pid,) = tx.run("SELECT pg_backend_pid()").fetchone()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_connection_that_ends_in_a_unit_is_told_once_and_replaced(
    blank_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(blank_postgres_url)

    def unit(*said: str) -> None:
        with database.begin() as tx:
            end_session(blank_postgres_url, tx)
            for one in said:
                tx.run(one)

    def other_words() -> None:
        with database.begin() as tx:
            end_session(blank_postgres_url, tx)
            tx.connection.exec_driver_sql("SELECT 1")

    def look() -> None:
        with database.read() as looking:
            assert looking.connection.dbapi_connection is not None
            looking.connection.dbapi_connection.close()
            looking.connection.cursor().execute("SELECT 1")

    for lost in (partial(unit, "SELECT 1"), unit, other_words, look):
        with pytest.raises(StorageUnavailableError, match="cannot be reached"):
            lost()
    with database.begin() as tx:
        assert tx.run("SELECT 1").fetchone() == (1,)
    database.close()

    assert [one.getMessage() for one in caplog.records] == []


def set_read_only(url: str, value: str, *, ends_sessions: bool = False) -> None:
    name = make_url(url).database
    said = "-c default_transaction_read_only=off"
    with psycopg.connect(url, autocommit=True, options=said) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
        if ends_sessions:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_a_database_that_is_set_to_be_read_only_is_read_and_not_written(
    blank_postgres_url: str,
) -> None:
    set_read_only(blank_postgres_url, "on")
    database = open_database(blank_postgres_url)
    with database.read() as looking:
        assert looking.exec_driver_sql("SELECT 1").scalar() == 1
    for write in (lambda: database.begin().__enter__(), lambda: upgrade(database.engine)):
        with pytest.raises(StorageUnavailableError, match="takes no changes") as refused:
            write()
        assert "take default_transaction_read_only back" in str(refused.value.hint)
    database.close()


def test_a_process_that_runs_writes_nothing_once_the_database_was_set_to_be_read_only(
    blank_postgres_url: str,
) -> None:
    database = open_database(blank_postgres_url)
    with database.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE made (number integer)")
    set_read_only(blank_postgres_url, "on", ends_sessions=True)
    for _ in range(3):
        with pytest.raises(StorageUnavailableError, match="takes no changes"):
            database.begin().__enter__()
    with database.read() as looking:
        assert looking.exec_driver_sql("SELECT count(*) FROM made").scalar() == 0
    set_read_only(blank_postgres_url, "off")
    with database.begin() as tx:
        tx.connection.exec_driver_sql("INSERT INTO made VALUES (2)")
    with database.read() as looking:
        assert looking.exec_driver_sql("SELECT number FROM made").scalar() == 2
    database.close()


def test_time_in_the_line_counts_as_waiting_for_another_process(
    blank_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [0.0]
    monkeypatch.setattr("storage.group_commit.monotonic", lambda: moment[0])
    database = open_database(blank_sqlite_url)
    assert isinstance(database, SqliteDatabase)
    other = sqlite3.connect(blank_sqlite_url, isolation_level=None, check_same_thread=False)
    turns, is_inside, said = database._turns, threading.Event(), list[str]()  # noqa: SLF001 - there is no other sign of who waits.
    give_on = turns._give_on  # noqa: SLF001 - as above.

    def ahead() -> None:
        with database.begin():
            is_inside.set()
            while not turns._line:  # noqa: SLF001 - as above.
                time.sleep(0.001)
            moment[0] += 59.9
            raise LookupError("mine")

    def to_another_process_first() -> None:
        if turns._line:  # noqa: SLF001 - as above.
            other.execute("BEGIN IMMEDIATE")
            database._driver.set_trace_callback(said.append)  # noqa: SLF001 - what SQLite is told.
        give_on()

    monkeypatch.setattr(turns, "_give_on", to_another_process_first)
    running = threading.Thread(target=lambda: at_once(ahead))
    running.start()
    assert is_inside.wait(LONG)
    with pytest.raises(StorageUnavailableError), database.begin(lock_timeout_ms=60_000):
        pass
    running.join()
    other.close()
    database.close()

    # It waits for the file itself only as long as the line has left of its minute.
    assert said == ["PRAGMA busy_timeout = 100", "BEGIN IMMEDIATE", "PRAGMA busy_timeout = 1500"]


def test_postgres_commits_last_and_its_waits_are_bounded(blank_postgres_url: str) -> None:
    database = open_database(blank_postgres_url)
    with database.begin(lock_timeout_ms=120, statement_timeout_ms=340) as tx:
        found = [
            tx.connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in (
                "synchronous_commit",
                "transaction_isolation",
                "lock_timeout",
                "statement_timeout",
            )
        ]
    with database.begin() as tx:
        again = tx.connection.exec_driver_sql("SHOW lock_timeout").scalar()
    database.close()

    assert found == ["on", "read committed", "120ms", "340ms"]
    assert again == "30s"


def test_only_a_unit_commits(blank_sqlite_url: str) -> None:
    database = open_database(blank_sqlite_url)

    assert isinstance(database, SqliteDatabase)
    with database.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        with pytest.raises(RuntimeError, match=r"Only database\.begin"):
            tx.connection.commit()
    database.close()
