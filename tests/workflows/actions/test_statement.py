"""One plain statement, with named values: nothing else gets near a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.actions.statement import check_parameters, parse
from workflows.errors import ActionFailedError


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("SELECT 1", "SELECT"),
        ("select a from b;", "SELECT"),
        ("VALUES (1)", "VALUES"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT"),
        ("WITH x AS (DELETE FROM b RETURNING *) SELECT * FROM x", "SELECT"),
        ("WITH old AS (SELECT id FROM a) DELETE FROM a WHERE id IN (SELECT id FROM old)", "DELETE"),
        ("INSERT INTO a SELECT * FROM b", "INSERT"),
        ("UPDATE a SET b = 'DELETE; it''s'", "UPDATE"),
        ("REPLACE INTO a VALUES (1)", "REPLACE"),
        ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", "MERGE"),
    ],
)
def test_a_statement_is_known_by_what_it_does(text: str, verb: str) -> None:
    assert parse(text).verb == verb


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "DROP TABLE a",
        "ATTACH 'x' AS y",
        "PRAGMA writable_schema = 1",
        "COPY a TO PROGRAM 'sh'",
        "EXPLAIN ANALYZE DELETE FROM a",
        "CALL purge()",
        "DO $$ BEGIN END $$",
        "SELECT 1; DELETE FROM a",
        "DELETE FROM a;;",
        "SELECT 1 -- and more",
        "SELECT 1 /* and more */",
        r"SELECT E'\'; DELETE FROM a; --'",
        "SELECT 'open",
        'SELECT "open',
        "SELECT `a`",
        "SELECT U&'x'",
        "SELECT 1\0",
        "SELECT ' :name'",
    ],
)
def test_what_is_not_one_plain_statement_is_refused(text: str) -> None:
    with pytest.raises(ActionFailedError) as caught:
        parse(text)
    assert caught.value.error_class == "statement_refused"


def test_names_are_found_and_casts_and_times_are_not_taken_for_them() -> None:
    statement = parse("SELECT :a, b::text, '12:30' FROM c WHERE d = :e_1")

    assert statement.names == {"a", "e_1"}


def test_values_that_do_not_fit_the_names_are_refused() -> None:
    statement = parse("DELETE FROM a WHERE b < :before")

    check_parameters(statement, {"before": 1})
    with pytest.raises(ActionFailedError, match="No value for :before"):
        check_parameters(statement, {})
    with pytest.raises(ActionFailedError, match="has no :after"):
        check_parameters(statement, {"before": 1, "after": 2})


@pytest.mark.parametrize(
    ("text", "is_steady"),
    [
        ("DELETE FROM a WHERE b < now()", True),
        ("UPDATE a SET b = :b", True),
        ("UPDATE a SET b = now()", False),
        ("UPDATE a SET b = datetime('now')", False),
        ("INSERT INTO a VALUES (1)", False),
    ],
)
def test_rows_that_change_with_each_try_are_not_compared(text: str, *, is_steady: bool) -> None:
    assert parse(text).is_steady is is_steady


@given(st.text(alphabet="'\";:-/*$`eEuU& \\\nSELECTDFROM()x1", max_size=40))
def test_no_text_is_ever_taken_for_one_statement_when_a_sign_ends_it(text: str) -> None:
    try:
        statement = parse("SELECT " + text + " ; DELETE FROM a")
    except ActionFailedError:
        return
    raise AssertionError(statement)
