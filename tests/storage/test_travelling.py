"""Statements that wait for the next journey to the server, and looks that ask all at once."""

import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy import Connection, text

from storage.database import Database, Transaction, open_database
from workflows.errors import StorageError

COUNT = ("SELECT count(*) FROM number", ())


@pytest.fixture
def numbers(database: Database) -> Database:
    """A database with one table of numbers."""
    with database.begin() as tx:
        tx.run("CREATE TABLE number (n INTEGER PRIMARY KEY)")
    return database


def add(tx: Transaction, number: int) -> None:
    tx.later("INSERT INTO number VALUES (?)", (number,))


def stored(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT n FROM number ORDER BY n")).scalars())


def test_what_waits_is_said_before_sqlalchemy_speaks(numbers: Database) -> None:
    with numbers.begin() as tx:
        add(tx, 1)
        seen = stored(tx.connection)
        add(tx, 2)
    with numbers.read() as connection:
        kept = stored(connection)

    assert (seen, kept) == ([1], [1, 2])


def test_a_look_asks_all_its_questions_of_one_moment(numbers: Database) -> None:
    with numbers.begin() as tx:
        add(tx, 1)
    with numbers.glance() as look:
        first, again = look.ask(COUNT, COUNT)
        with numbers.begin() as tx:
            add(tx, 2)
        (later,) = look.ask(COUNT)

    assert (first, again, later) == ([(1,)], [(1,)], [(2,)])


def test_what_is_said_between_two_questions_of_a_look_is_not_seen_by_the_second(
    blank_postgres_url: str,
) -> None:
    database = open_database(blank_postgres_url)
    with database.begin() as tx:
        tx.run("CREATE TABLE number (n INTEGER PRIMARY KEY)")
    looks: list[list[list[object]]] = []

    def look() -> None:
        with database.glance() as glanced:
            looks.append(glanced.ask(COUNT, ("SELECT pg_sleep(1)", ()), COUNT))

    looking = threading.Thread(target=look)
    looking.start()
    time.sleep(0.5)
    with database.begin() as tx:
        add(tx, 1)
    looking.join()
    with database.glance() as glanced:
        after = glanced.ask(COUNT)

    assert (looks[0][0], looks[0][2], after) == ([(0,)], [(0,)], [[(1,)]])
    database.close()


def test_nothing_is_kept_of_a_look(numbers: Database) -> None:
    with numbers.glance() as look, pytest.raises(Exception, match="read"):
        look.run("INSERT INTO number VALUES (1)")
    with numbers.glance() as look, pytest.raises(Exception, match="read"):
        look.ask(COUNT, ("INSERT INTO number VALUES (1)", ()))
    with numbers.glance() as look:
        assert look.ask(COUNT) == [[(0,)]]


def test_what_touches_no_row_is_refused_by_the_commit_at_the_latest(numbers: Database) -> None:
    move = "UPDATE number SET n = ? WHERE n = ?"

    def change() -> None:
        with numbers.begin() as tx:
            for number in (1, 2, 3):
                add(tx, number)
            tx.run("SELECT 1")  # The cursors of what waited are used again.
            tx.later(move, (10, 1), refusal="There is no 1.")
            add(tx, 4)
            tx.later(move, (20, 5), refusal="There is no 5.")
            tx.later(move, (30, 6), refusal="There is no 6.")

    with pytest.raises(StorageError, match="There is no 5"):
        change()
    with numbers.begin() as tx:
        add(tx, 1)
        tx.later(move, (10, 1), refusal="There is no 1.")
    with numbers.read() as connection:
        assert stored(connection) == [10]


def test_a_unit_that_failed_and_was_kept_quiet_says_so_at_the_commit(
    blank_postgres_url: str,
) -> None:
    """Postgres answers such a COMMIT with a rollback and no error."""
    database = open_database(blank_postgres_url)

    def swallow() -> None:
        with database.begin() as tx, suppress(Exception):
            tx.run("SELECT 1 / 0")

    with pytest.raises(StorageError, match="nothing was recorded"):
        swallow()
    database.close()


def test_statements_prepared_in_a_journey_that_failed_work_in_the_next(
    blank_postgres_url: str,
) -> None:
    """The driver believes prepared what such a journey never prepared, until it is told."""
    database = open_database(blank_postgres_url)
    with database.begin() as tx:
        tx.run("CREATE TABLE number (n INTEGER PRIMARY KEY, told TEXT)")
        tx.run("INSERT INTO number VALUES (0, '')")
    for _ in range(12):  # The driver prepares what it has seen five times.
        with suppress(StorageError), database.begin() as tx:
            tx.later("INSERT INTO number (n) VALUES (?)", (0,))
            tx.later("UPDATE number SET told = ? WHERE n = ?", ("x", 0))
    with database.begin() as tx:
        tx.later("UPDATE number SET told = ? WHERE n = ?", ("at last", 0))
        tx.later("UPDATE number SET n = ? WHERE n = ?", (1, 0))

    with database.glance() as look:
        assert look.ask(("SELECT n, told FROM number", ())) == [[(1, "at last")]]
    database.close()
