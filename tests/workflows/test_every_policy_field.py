"""Every field of a policy does something: with the field taken away, its scenario fails.

The tables stand in `policy_fields/`, one file for each part of the policy: whoever adds a field
adds a row to one of them, or a file with `ROWS` of its own.
"""

import importlib
from pathlib import Path

import pytest

from tests.workflows.definition_kit import demo_policy
from tests.workflows.policy_fields.harness import Bench, Row, every_field
from workflows.errors import InterlockError

TABLES = [
    importlib.import_module(f"tests.workflows.policy_fields.{file.stem}")
    for file in sorted((Path(__file__).parent / "policy_fields").glob("*.py"))
    if file.stem != "harness"
]
ROWS: list[Row] = [row for table in TABLES for row in table.ROWS]


def test_every_field_of_a_policy_has_a_row() -> None:
    assert {one.field for one in ROWS} == every_field().keys()


def test_no_field_has_two_rows() -> None:
    assert len({one.field for one in ROWS}) == len(ROWS)


def test_a_field_that_is_replaced_by_itself_changes_nothing() -> None:
    policy = demo_policy()

    for field in every_field():
        same = Row(field=field, scenario=lambda _: None, instead=lambda old: old)
        assert same.taken_away(policy).canonical == policy.canonical


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.field)
def test_the_field_does_what_its_scenario_shows(row: Row, tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        row.scenario(bench)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.field)
def test_without_the_field_its_scenario_fails(row: Row, tmp_path: Path) -> None:
    fails = (AssertionError, pytest.fail.Exception, InterlockError)
    with Bench(tmp_path, row.taken_away) as bench, pytest.raises(fails):
        row.scenario(bench)
