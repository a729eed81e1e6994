"""`sql.query` and `sql.execute`, over real databases."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.rows import DatabaseRows
from workflows.actions.base import Call, Effect, Happened
from workflows.actions.sql import SqlCall, SqlExecute, SqlQuery, SqlQueryCall
from workflows.errors import ActionFailedError, NotPerformedError
from workflows.services import Services

Calls = Callable[..., Call]
PURGE = "DELETE FROM account WHERE seen < :before"
ROWS = DatabaseRows(lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "crm.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE account (id TEXT PRIMARY KEY, seen INTEGER, note TEXT)")
        rows = [(f"acc_{number:03d}", number, "n" * number) for number in range(100)]
        connection.executemany("INSERT INTO account VALUES (?, ?, ?)", rows)
    return file


def services(path: Path, **database: object) -> Services:
    target = {"url": f"sqlite:///{path}", **database}
    return Services.model_validate({"databases": {"crm": target}})


def purge(before: int = 42, statement: str = PURGE) -> SqlCall:
    return SqlCall(database="crm", statement=statement, parameters={"before": before})


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM account").fetchone()[0])


def test_rows_come_back_and_say_when_there_are_more(path: Path, a_call: Calls) -> None:
    query = SqlQuery(services(path), ROWS)
    asked = SqlQueryCall(
        database="crm", statement="SELECT id FROM account ORDER BY id", parameters={}, limit=2
    )

    got = query.perform(asked, a_call())

    assert got.model_dump() == {
        "rows": [{"id": "acc_000"}, {"id": "acc_001"}],
        "count": 2,
        "is_cut": True,
    }


def test_json_that_is_nested_too_deeply_is_refused_in_words(
    postgres_url: str, a_call: Calls
) -> None:
    known = Services.model_validate({"databases": {"crm": {"secret": "crm_url"}}})
    text = "SELECT (repeat('[', :n) || repeat(']', :n))::jsonb AS deep"
    query = SqlQuery(known, ROWS)
    call = a_call(secrets={"crm_url": postgres_url})
    flat = SqlQueryCall(database="crm", statement=text, parameters={"n": 90})
    deep = SqlQueryCall(database="crm", statement=text, parameters={"n": 300})

    assert query.perform(flat, call).count == 1
    with pytest.raises(ActionFailedError, match="nested deeper than 100 levels"):
        query.perform(deep, call)


def test_a_query_that_changes_rows_is_sent_to_the_other_action(path: Path, a_call: Calls) -> None:
    asked = SqlQueryCall(database="crm", statement=PURGE, parameters={"before": 1})

    with pytest.raises(ActionFailedError, match=r"changes rows.*sql\.execute"):
        SqlQuery(services(path), ROWS).perform(asked, a_call())
    assert count(path) == 100


def test_a_plan_says_how_many_rows_and_shows_the_first_twenty(path: Path, a_call: Calls) -> None:
    plan = SqlExecute(services(path), ROWS).plan(purge(), a_call())

    assert plan.summary == "Delete 42 rows in crm"
    assert plan.lines[:3] == (PURGE, ":before = 42", "id=acc_000, seen=0, note=")
    assert plan.lines[-1] == "… and 22 more"
    assert len(plan.lines) == 2 + 20 + 1
    assert count(path) == 100


def test_a_plan_that_writes_the_time_is_the_same_plan_a_moment_later(
    path: Path, a_call: Calls
) -> None:
    action = SqlExecute(services(path), ROWS)
    touch = purge(7, "UPDATE account SET note = random() WHERE seen < :before")

    first, second = action.plan(touch, a_call()), action.plan(touch, a_call())

    assert first == second
    assert first.lines[-1].startswith("7 rows, bound by their number only")
    assert action.perform(touch, a_call(approved=first.data)).rows == 7


def test_what_was_approved_runs_and_anything_else_does_not(path: Path, a_call: Calls) -> None:
    action = SqlExecute(services(path), ROWS)
    approved = action.plan(purge(), a_call()).data
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE account SET note = 'wanted' WHERE id = 'acc_003'")

    with pytest.raises(NotPerformedError, match="other rows"):
        action.perform(purge(), a_call(approved=approved))
    again = action.plan(purge(), a_call()).data
    done = action.perform(purge(), a_call(approved=again))

    assert done.rows == 42
    assert count(path) == 58


def test_whether_it_happened_is_known_under_its_key(path: Path, a_call: Calls) -> None:
    action = SqlExecute(services(path), ROWS)

    assert action.probe(purge(), a_call()) is Happened.NO
    action.perform(purge(), a_call())

    assert action.probe(purge(), a_call()) is Happened.YES
    assert action.perform(purge(), a_call()).rows == 42


def test_without_a_record_whether_it_happened_is_unknown(path: Path, a_call: Calls) -> None:
    action = SqlExecute(services(path, records_effects=False), ROWS)
    action.perform(purge(), a_call())

    assert action.probe(purge(), a_call()) is Happened.UNKNOWN


@pytest.mark.parametrize(
    ("statement", "effect"),
    [
        (PURGE, Effect.DESTRUCTIVE),
        ("UPDATE account SET seen = 1", Effect.WRITE),
        ("INSERT INTO account VALUES (1)", Effect.WRITE),
        ("REPLACE INTO account VALUES (1)", Effect.DESTRUCTIVE),
        ("DROP TABLE account", Effect.DESTRUCTIVE),
    ],
)
def test_a_statement_after_which_rows_are_gone_is_destructive(
    path: Path, statement: str, effect: Effect
) -> None:
    action = SqlExecute(services(path), ROWS)

    assert action.effect_of({"database": "crm", "statement": statement}) is effect


def test_a_delete_that_was_let_through_as_a_write_does_not_run(path: Path, a_call: Calls) -> None:
    with pytest.raises(ActionFailedError, match="let through as write"):
        SqlExecute(services(path), ROWS).perform(purge(), a_call(effect=Effect.WRITE))
    assert count(path) == 100


def test_a_value_cannot_become_part_of_the_statement(path: Path, a_call: Calls) -> None:
    nasty = "0 OR 1=1; DROP TABLE account; --"
    call = SqlCall(database="crm", statement=PURGE, parameters={"before": nasty})

    done = SqlExecute(services(path), ROWS).perform(call, a_call())

    # To SQLite every number is less than any text; the point is that the table is there.
    assert done.rows + count(path) == 100


def test_the_address_may_be_a_secret(path: Path, a_call: Calls) -> None:
    target = Services.model_validate({"databases": {"crm": {"secret": "crm-address"}}})
    known = a_call(secrets={"crm-address": f"sqlite:///{path}"})

    assert SqlExecute(target, ROWS).perform(purge(), known).rows == 42
    with pytest.raises(ActionFailedError, match="no secret named crm-address"):
        SqlExecute(target, ROWS).perform(purge(), a_call())


def test_an_unknown_database_and_a_select_to_execute_are_told(path: Path, a_call: Calls) -> None:
    action = SqlExecute(services(path), ROWS)

    with pytest.raises(ActionFailedError, match="no database named erp"):
        action.plan(SqlCall(database="erp", statement="DELETE FROM a"), a_call())
    with pytest.raises(ActionFailedError, match=r"changes no rows.*sql\.query"):
        action.plan(SqlCall(database="crm", statement="SELECT 1"), a_call())


def test_a_parameter_that_is_no_single_value_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError):
        SqlCall.model_validate(
            {"database": "crm", "statement": PURGE, "parameters": {"before": [1, 2]}}
        )


def test_the_statement_must_be_written_out_in_a_definition() -> None:
    assert "statement" in SqlExecute.literals & SqlQuery.literals
