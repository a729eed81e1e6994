"""`interlock find` beside a bot that may be serving."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.journeys.company import SHIPPED


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    CliRunner().invoke(main, ["init"])


def test_a_search_without_hits_ends_with_one_and_says_so_in_json() -> None:
    told = CliRunner().invoke(main, ["find", "kettle", "after:7d", "--json"])

    assert told.exit_code == 1
    assert json.loads(told.output) == {"hits": [], "more_uncounted": False, "page": 1, "total": 0}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["kettle", "outcom:done"], "Did you mean “outcome:”?"),
        (["by:Rita Moreno"], "Nobody called “Rita Moreno”"),  # One argument of the shell is one.
        (["by:me"], "Nobody called “me”"),  # The terminal is nobody of Slack's.
    ],
)
def test_a_condition_that_names_nothing_ends_with_two(typed: list[str], told: str) -> None:
    found = CliRunner().invoke(main, ["find", *typed])

    assert found.exit_code == 2
    assert told in found.output


def test_a_word_that_is_to_be_missing_is_no_option() -> None:
    told = CliRunner().invoke(main, ["find", "kettle", "-most", "-denied", "--page", "2"])

    assert told.exit_code == 1
    assert "Nothing speaks of that." in told.output


def test_an_option_that_does_not_exist_is_told_and_not_searched() -> None:
    told = CliRunner().invoke(main, ["find", "kettle", "--josn"])

    assert told.exit_code == 2
    assert "No such option" in told.output
