"""Statements on databases of others: exactly the approved rows, once, or nothing at all."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from storage.row_values import gather, json_value
from storage.rows import DatabaseRows
from storage.target_session import open_session
from workflows.actions.base import Affected, Happened
from workflows.errors import (
    ActionFailedError,
    NotPerformedError,
    TransientReadError,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PURGE = "DELETE FROM account WHERE seen < :before"
ROWS = DatabaseRows(lambda: NOON)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    driver = make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url
    engine = create_engine(driver, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def count(url: str) -> int:
    return int(ask(url, "SELECT count(*) FROM account")[0][0])


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with one hundred accounts, seen in the years 0 to 99."""
    url = f"sqlite:///{tmp_path / 'target.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("blank_postgres_url")
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE account (id TEXT PRIMARY KEY, seen INTEGER)"))
        connection.execute(
            text("INSERT INTO account VALUES (:id, :seen)"),
            [{"id": f"acc_{number:03d}", "seen": number} for number in range(100)],
        )
    return url


def affected(url: str, statement: str = PURGE, **values: object) -> Affected:
    return ROWS.affected(url, statement, values or {"before": 42}, shown=3, timeout=5)


def execute(
    url: str,
    statement: str = PURGE,
    *,
    expected: Affected | None = None,
    key: str = "run-1/purge",
    records: bool = True,
    rows: DatabaseRows = ROWS,
    timeout: float = 5,
    **values: object,
) -> int:
    return rows.execute(
        url,
        statement,
        values or {"before": 42},
        expected=expected,
        key=key,
        records=records,
        timeout=timeout,
    )


def query(
    url: str, statement: str, *, limit: int = 100, timeout: float = 5, **values: object
) -> list[dict[str, Any]]:
    return ROWS.query(url, statement, values, limit=limit, timeout=timeout)


# Reading


def test_a_query_returns_rows_by_their_columns_up_to_the_limit(target: str) -> None:
    found = query(target, "SELECT id, seen FROM account WHERE seen > :n ORDER BY id", limit=2, n=50)

    assert found == [{"id": "acc_051", "seen": 51}, {"id": "acc_052", "seen": 52}]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM account",
        "INSERT INTO account VALUES ('x', 1)",
        "CREATE TABLE more (id INTEGER)",
        "WITH gone AS (DELETE FROM account RETURNING *) SELECT * FROM gone",
    ],
)
def test_a_query_can_change_nothing_whatever_it_says(target: str, statement: str) -> None:
    with pytest.raises(ActionFailedError):
        query(target, statement)

    assert count(target) == 100


def test_a_query_of_a_table_that_is_not_there_is_refused(target: str) -> None:
    with pytest.raises(ActionFailedError, match="nowhere") as caught:
        query(target, "SELECT * FROM nowhere")
    assert caught.value.error_class == "statement_refused"


def test_two_columns_of_one_name_are_refused(target: str) -> None:
    with pytest.raises(ActionFailedError, match="same name"):
        query(target, "SELECT id, id FROM account")


def test_rows_over_the_limit_of_bytes_are_an_error(target: str) -> None:
    wide = "SELECT id, " + " || ".join(["CAST(:x AS TEXT)"] * 20) + " AS wide FROM account"

    with pytest.raises(ActionFailedError, match="more than"):
        query(target, wide, x="x" * 1000)


def test_a_query_that_takes_too_long_is_stopped(target: str) -> None:
    endless = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) AS n FROM n"
    )
    started = time.monotonic()

    with pytest.raises(TransientReadError, match="too long") as caught:
        query(target, endless, timeout=0.5)
    assert caught.value.error_class == "timeout"
    assert time.monotonic() - started < 30  # By itself it would never end.


def test_a_statement_that_begins_when_time_is_over_is_stopped_too(target: str) -> None:
    endless = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) AS n FROM n"
    )
    started = time.monotonic()

    with open_session(target, timeout=0.2, is_read=True) as session:
        while not session.is_late:
            time.sleep(0.01)  # Between two statements nobody is there to be interrupted.
        with pytest.raises(DBAPIError):
            session.connection.exec_driver_sql(endless)

    assert time.monotonic() - started < 30


def test_a_percent_sign_is_left_alone(target: str) -> None:
    found = query(target, "SELECT count(*) AS n FROM account WHERE id LIKE 'acc_09%'")

    assert found == [{"n": 10}]


def test_a_value_is_taken_for_what_it_is_compared_with(blank_postgres_url: str) -> None:
    ask_nothing(blank_postgres_url, "CREATE TABLE visit (day DATE, cents NUMERIC, at TIMESTAMPTZ)")
    ask_nothing(
        blank_postgres_url, "INSERT INTO visit VALUES ('2024-05-06', 1.10, '2024-05-06 12:00Z')"
    )

    found = query(
        blank_postgres_url,
        "SELECT day, cents, at, cents::text AS said FROM visit"
        " WHERE day < :day AND cents > :cents AND at < :at",
        day="2025-01-01",
        cents=1,
        at="2025-01-01T00:00:00Z",
    )

    at = "2024-05-06T12:00:00+00:00"
    assert found == [{"day": "2024-05-06", "cents": "1.10", "at": at, "said": "1.10"}]


# Planning


def test_a_plan_shows_the_rows_and_changes_none(target: str) -> None:
    found = affected(target)

    assert found.count == 42
    assert [row["id"] for row in found.shown] == ["acc_000", "acc_001", "acc_002"]
    assert count(target) == 100


def test_the_same_rows_give_the_same_plan_and_other_rows_another(target: str) -> None:
    before = affected(target)
    assert affected(target) == before
    ask_nothing(target, "UPDATE account SET seen = 41 WHERE id = 'acc_000'")

    after = affected(target)

    assert after.count == before.count
    assert after.digest != before.digest


def ask_nothing(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.execute(text(statement))


def test_an_insert_is_bound_by_its_count(target: str) -> None:
    statement = "INSERT INTO account SELECT id || :end, seen FROM account"

    found = affected(target, statement, end="x")

    assert found == Affected(count=100, digest="")
    assert count(target) == 100


def test_an_update_that_writes_the_time_is_bound_by_its_count(target: str) -> None:
    statement = "UPDATE account SET id = id || CURRENT_TIMESTAMP WHERE seen < :before"

    assert affected(target, statement, before=7) == Affected(count=7, digest="")


# Executing


def test_what_was_approved_is_what_runs(target: str) -> None:
    assert execute(target, expected=affected(target)) == 42
    assert count(target) == 58


def test_another_count_than_approved_changes_nothing(target: str) -> None:
    approved = affected(target)
    ask_nothing(target, "INSERT INTO account VALUES ('acc_new', 1)")

    with pytest.raises(
        NotPerformedError, match="touch 43 rows now, but 42 were approved"
    ) as caught:
        execute(target, expected=approved)
    assert caught.value.error_class == "plan_changed"
    assert count(target) == 101
    assert ROWS.happened(target, key="run-1/purge", timeout=5) is Happened.NO


def test_the_same_count_of_other_rows_changes_nothing(target: str) -> None:
    approved = affected(target)
    ask_nothing(target, "UPDATE account SET seen = 500 WHERE id = 'acc_000'")
    ask_nothing(target, "UPDATE account SET seen = 1 WHERE id = 'acc_099'")

    with pytest.raises(NotPerformedError, match="other rows"):
        execute(target, expected=approved)
    assert count(target) == 100


def test_a_second_attempt_under_one_key_does_nothing_and_says_the_same(target: str) -> None:
    execute(target)
    ask_nothing(target, "INSERT INTO account VALUES ('acc_new', 1)")

    assert execute(target) == 42
    assert count(target) == 59
    assert execute(target, key="run-2/purge") == 1


def test_two_attempts_at_once_change_the_rows_once(target: str) -> None:
    statement = "UPDATE account SET seen = seen + 1000 WHERE seen >= :least"
    results: list[Any] = []

    def attempt() -> None:
        try:
            results.append(execute(target, statement, least=0))
        except NotPerformedError as refusal:
            results.append(refusal.error_class)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 100 in results
    assert set(results) <= {100, "locked"}
    assert ask(target, "SELECT max(seen) FROM account") == [(1099,)]


def test_whether_it_happened_can_be_looked_up(target: str) -> None:
    assert ROWS.happened(target, key="run-1/purge", timeout=5) is Happened.NO
    execute(target)

    assert ROWS.happened(target, key="run-1/purge", timeout=5) is Happened.YES
    assert ROWS.happened(target, key="run-2/purge", timeout=5) is Happened.NO
    assert ask(target, 'SELECT key, "rows" FROM interlock_effect') == [("run-1/purge", 42)]


def test_a_database_that_wants_no_record_gets_none(target: str) -> None:
    execute(target, records=False)

    assert count(target) == 58
    with pytest.raises(Exception, match="interlock_effect"):
        ask(target, "SELECT * FROM interlock_effect")


def test_a_statement_that_breaks_a_rule_changes_nothing(target: str) -> None:
    with pytest.raises(ActionFailedError) as caught:
        execute(target, "UPDATE account SET id = 'same' WHERE seen < :before")
    assert caught.value.error_class == "statement_refused"
    assert not caught.value.partly
    assert count(target) == 100
    assert ROWS.happened(target, key="run-1/purge", timeout=5) is Happened.NO


def test_a_locked_table_is_told_in_time_and_nothing_is_done(target: str) -> None:
    with connected(target) as connection:
        connection.execute(text("UPDATE account SET seen = seen"))
        started = time.monotonic()

        with pytest.raises(NotPerformedError) as caught:
            execute(target, timeout=0.5)

    assert caught.value.error_class in {"locked", "timeout"}
    assert time.monotonic() - started < 30  # The lock is held until it has been told.
    assert count(target) == 100


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://h/d",
        "sqlite:///a?mode=x",
        "postgresql://user:pass@wo:rd@h/d",  # The port would be `rd@h`.
    ],
)
def test_an_address_we_cannot_use_is_refused(url: str) -> None:
    with pytest.raises(ActionFailedError, match="address cannot be used"):
        query(url, "SELECT 1 AS one")


def test_a_file_that_is_not_there_is_unreachable_and_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"

    with pytest.raises(NotPerformedError) as caught:
        execute(f"sqlite:///{missing}")
    assert caught.value.error_class == "unreachable"
    assert not missing.exists()


def test_a_file_whose_name_holds_signs_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE account (id TEXT, seen INTEGER)")
    address = str(path).replace("?", "%3F").replace("#", "%23")

    assert query(f"sqlite:///{address}", "SELECT * FROM account") == []


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(TransientReadError) as caught:
        query("postgresql://nobody:opensesame@127.0.0.1:1/none", "SELECT 1 AS one", timeout=2)
    assert caught.value.error_class == "unreachable"
    assert "opensesame" not in str(caught.value)


def test_a_role_that_may_not_make_tables_still_executes_and_leaves_doubt_unknown(
    blank_postgres_url: str,
) -> None:
    role = f"purger_{time.monotonic_ns()}"
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE account (id TEXT, seen INTEGER)")
        connection.execute("INSERT INTO account VALUES ('a', 1)")
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT SELECT, DELETE ON account TO {role}")
    limited = make_url(blank_postgres_url).set(username=role).render_as_string(hide_password=False)

    assert execute(limited) == 1
    assert ROWS.happened(limited, key="run-1/purge", timeout=5) is Happened.UNKNOWN
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")


# Values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (2**53, "9007199254740992"),
        (2**53 - 1, 2**53 - 1),
        (float("nan"), "nan"),
        (1.5, 1.5),
        (Decimal("1.10"), "1.10"),
        (NOON, "2026-03-02T12:00:00+00:00"),
        (b"\x00\xff", "AP8="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": [Decimal(1), None]}, {"a": ["1", None]}),
        ("broken \udcff", "broken ?"),
    ],
)
def test_values_without_a_word_in_json_become_text(value: object, expected: object) -> None:
    assert json_value(value) == expected


def test_a_digest_knows_no_order_and_the_first_rows_have_one() -> None:
    rows: list[dict[str, Any]] = [{"id": number, "name": str(number)} for number in range(500)]

    found = gather(iter(rows), shown=3)

    assert found == gather(reversed(rows), shown=3)
    assert found.shown == tuple(rows[:3])
    assert found.digest != gather(rows[1:], shown=3).digest
