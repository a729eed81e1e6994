"""Statements act as the role that the policy names, and cannot become another."""

from pathlib import Path

import psycopg
import pytest

from storage.rows import DatabaseRows
from tests.world import NOON
from workflows.actions.base import Happened
from workflows.errors import ActionFailedError

ROWS = DatabaseRows(lambda: NOON)
SETUP = """
CREATE TABLE account (id text); INSERT INTO account VALUES ('a'), ('b');
CREATE TABLE payroll (pay int); INSERT INTO payroll VALUES (1);
DROP ROLE IF EXISTS clerk; DROP ROLE IF EXISTS looker;
CREATE ROLE clerk; CREATE ROLE looker;
GRANT SELECT, DELETE ON account TO clerk; GRANT SELECT ON account TO looker;
GRANT CREATE, USAGE ON SCHEMA public TO clerk;
"""


@pytest.fixture
def url(blank_postgres_url: str) -> str:
    with psycopg.connect(blank_postgres_url, autocommit=True) as connection:
        connection.execute(SETUP)
    return blank_postgres_url


def test_a_statement_may_do_what_its_role_may_and_no_more(url: str) -> None:
    def read(statement: str, role: str | None) -> list[dict[str, object]]:
        return list(ROWS.query(url, statement, {}, limit=9, timeout=5, role=role))

    def delete(table: str, role: str) -> int:
        statement = f"DELETE FROM {table}"
        return ROWS.execute(
            url, statement, {}, expected=None, key="r/s", records=True, timeout=5, role=role
        )

    assert read("SELECT pay FROM payroll", None) == [{"pay": 1}]
    for statement, role in (("SELECT pay FROM payroll", "looker"), ("SELECT 1 AS n", "nobody")):
        with pytest.raises(ActionFailedError):
            read(statement, role)
    with pytest.raises(ActionFailedError, match="permission denied"):
        ROWS.affected(url, "DELETE FROM account", {}, shown=1, timeout=5, role="looker")
    with pytest.raises(ActionFailedError, match="permission denied"):
        delete("payroll", "clerk")
    assert delete("account", "clerk") == 2
    assert ROWS.happened(url, key="r/s", timeout=5, role="clerk") is Happened.YES
    assert read("SELECT current_user AS who", "looker") == [{"who": "looker"}]


def test_a_role_on_a_database_that_knows_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.db").touch()

    with pytest.raises(ActionFailedError, match="SQLite knows no roles"):
        ROWS.query(
            f"sqlite:///{tmp_path / 't.db'}", "SELECT 1", {}, limit=1, timeout=5, role="clerk"
        )
