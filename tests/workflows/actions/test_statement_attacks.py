"""Statements that want out of the data are refused, however they are written."""

import pytest

from storage.rows import DatabaseRows
from tests.world import NOON
from workflows.actions.base import Call, Secrets
from workflows.actions.sql import SqlCall, SqlExecute, SqlQuery, SqlQueryCall
from workflows.actions.statement import parse
from workflows.errors import ActionFailedError
from workflows.services import Services

# A database that is not there: what is refused never gets as far.
NOWHERE = Services.model_validate(
    {"databases": {"crm": {"url": "sqlite:////nowhere/crm.db", "statements": ["select", "update"]}}}
)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_catalog.pg_read_binary_file('x')",
        "SELECT \"pg_read_file\"('x')",
        "SELECT PG_LS_DIR ('.')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT * FROM dblink('host=x', 'DROP TABLE a') AS t(a int)",
        "SELECT dblink_exec('host=x', 'DELETE FROM a')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT pg_sleep(1000)",
        "SELECT pg_sleep_for('1 hour')",
        "SELECT [load_extension] ('x')",
        "SELECT set_config('role', 'postgres', false)",
        "SELECT query_to_xml('DELETE FROM a', true, true, '')",
        "SELECT pg_advisory_lock(1)",
        "UPDATE a SET b = pg_reload_conf()",
        "WITH x AS (SELECT pg_notify('c', 'p')) SELECT * FROM x",
        "SELECT load_extension('evil.so')",
        "SELECT writefile('x', 'y')",
    ],
)
def test_a_function_that_reaches_out_of_the_data_is_refused(statement: str) -> None:
    with pytest.raises(ActionFailedError, match="reaches out of the data") as refusal:
        parse(statement)
    assert refusal.value.error_class == "statement_refused"


@pytest.mark.parametrize(
    "statement",
    [
        "COPY a TO PROGRAM 'sh'",
        "SET ROLE postgres",
        "RESET ROLE",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "EXPLAIN ANALYZE DELETE FROM a",
        "ATTACH DATABASE 'x' AS y",
        "PRAGMA writable_schema = 1",
        "VACUUM INTO 'x'",
        "DROP TABLE a",
        "GRANT ALL ON a TO b",
        "SELECT 1; DELETE FROM a",
        "SELECT 1 -- DELETE",
        "SELECT U&'\\0070'",
    ],
)
def test_what_is_no_plain_statement_on_rows_is_refused(statement: str) -> None:
    with pytest.raises(ActionFailedError):
        parse(statement)


def test_a_column_that_is_only_called_like_one_is_fine() -> None:
    assert parse("SELECT pg_sleep FROM nap WHERE lo_x = 1").verb == "SELECT"


class Untold:
    def reveal(self, name: str) -> str:
        raise AssertionError(name)


def a_call() -> Call:
    secrets: Secrets = Untold()
    return Call(key="run/step", timeout=1.0, secrets=secrets)


def test_a_kind_of_statement_that_is_not_listed_does_not_reach_the_database() -> None:
    rows = DatabaseRows(lambda: NOON)
    delete = SqlCall(database="crm", statement="DELETE FROM a")
    values = SqlQueryCall(database="crm", statement="VALUES (1)")

    for plan_or_perform in (SqlExecute(NOWHERE, rows).plan, SqlExecute(NOWHERE, rows).perform):
        with pytest.raises(ActionFailedError, match="DELETE may not run on crm"):
            plan_or_perform(delete, a_call())
    with pytest.raises(ActionFailedError, match="VALUES may not run on crm"):
        SqlQuery(NOWHERE, rows).perform(values, a_call())
