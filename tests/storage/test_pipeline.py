"""Statements said to Postgres together, on one connection, beside its driver's own cursors."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from storage.pipeline import MOST_PREPARED, OFTEN, Pipeline

MUCH = bytes(4 * 1024 * 1024)
AT = datetime(2026, 3, 1, 9, 30, 0, 250, tzinfo=UTC)


@pytest.fixture(scope="module")
def lines(postgres_server: str) -> Iterator[Pipeline]:
    """One connection, with a table for the length of the connection."""
    with psycopg.connect(postgres_server, autocommit=True) as driver:
        pipeline = Pipeline(driver)
        pipeline.say([("CREATE TEMPORARY TABLE line (n BIGINT PRIMARY KEY, said TEXT)", ())])
        yield pipeline


def said_by(pipeline: Pipeline, words: str, *values: object) -> list[Any]:
    return pipeline.say([(words, values)])[0].fetchall()


def test_values_come_back_as_they_went(lines: Pipeline) -> None:
    values = ["é?%s", 7, 2**40, True, None, b"\0\xff", AT, [1, 2]]
    words = (
        "SELECT ?::text, ?::int, ?::bigint, ?::bool, ?::text, ?::bytea, ?::timestamptz, ?::int[]"
    )

    assert said_by(lines, words, *values) == [tuple(values)]


def test_an_answer_tells_how_many_rows_were_touched_and_gives_each_row_once(
    lines: Pipeline,
) -> None:
    begun, added, found, ended = lines.say(
        [
            ("BEGIN", ()),
            ("INSERT INTO line VALUES (?, 'a'), (?, 'b')", (1, 2)),
            ("SELECT n FROM line ORDER BY n", ()),
            ("ROLLBACK", ()),
        ]
    )

    assert (added.rowcount, ended.statusmessage) == (2, "ROLLBACK")
    assert (found.fetchone(), list(found), found.fetchone()) == ((1,), [(2,)], None)
    assert begun.fetchall() == []


def test_much_travels_both_ways_in_one_journey(lines: Pipeline) -> None:
    """What neither side has room for would stop a client that writes all before it reads."""
    answers = lines.say([("SELECT ?::bytea", (MUCH,))] * 3)

    assert [one.fetchone() == (MUCH,) for one in answers] == [True] * 3


def test_what_follows_a_refusal_is_not_executed_and_the_connection_goes_on(
    lines: Pipeline,
) -> None:
    for number in range(2 * OFTEN):  # Before it is prepared, while it is, and after.
        with pytest.raises(psycopg.errors.UniqueViolation):
            lines.say(
                [
                    ("BEGIN", ()),
                    ("INSERT INTO line VALUES (1, ?), (1, ?)", ("a", "b")),
                    ("UPDATE line SET said = ? WHERE n = ?", ("c", number)),
                ]
            )
        lines.take_back()

    assert said_by(lines, "SELECT count(*) FROM line") == [(0,)]


def test_a_table_that_changed_is_refused_once_to_whoever_had_prepared_for_it(
    lines: Pipeline,
) -> None:
    lines.say([("CREATE TEMPORARY TABLE wide (n BIGINT)", ())])
    for _ in range(2 * OFTEN):
        said_by(lines, "SELECT * FROM wide")
    lines.say([("ALTER TABLE wide ADD COLUMN said TEXT", ())])

    with pytest.raises(psycopg.errors.FeatureNotSupported):
        said_by(lines, "SELECT * FROM wide")
    assert said_by(lines, "SELECT * FROM wide") == []


def test_no_more_than_so_many_statements_are_prepared_on_a_connection(
    postgres_server: str,
) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as driver:
        pipeline = Pipeline(driver)
        for number in range(MOST_PREPARED + 10):
            for _ in range(OFTEN + 1):
                said_by(pipeline, f"SELECT {number}")

        found = said_by(pipeline, "SELECT count(*) FROM pg_prepared_statements")
    assert found == [(MOST_PREPARED,)]


def test_a_server_that_ends_the_connection_is_an_error_and_the_connection_is_closed(
    postgres_server: str,
) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as driver:
        pipeline = Pipeline(driver)
        with pytest.raises(psycopg.OperationalError):
            pipeline.say([("SELECT pg_terminate_backend(pg_backend_pid())", ()), ("SELECT 1", ())])

        assert driver.closed
        pipeline.take_back()  # Nothing is open there any more.
