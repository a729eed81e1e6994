"""`interlock run` while nobody serves."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.journeys.company import SHIPPED

WRONG = ["run", "refund-customer", "who=x", "--channel", "ops"]
AGAIN = "Correct these fields and run it again."


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    CliRunner().invoke(main, ["init"])


def test_wrong_values_are_told_in_sentences_for_the_command_line() -> None:
    told = CliRunner().invoke(main, WRONG)

    assert told.exit_code == 2
    assert "who: there is no such field" in told.output
    assert told.output.endswith(f". {AGAIN}\n")
    assert "form" not in told.output


def test_the_hint_about_wrong_values_is_data_where_json_was_asked_for() -> None:
    told = json.loads(CliRunner().invoke(main, [*WRONG, "--json"]).output)

    assert told["hint"] == AGAIN
    assert told["message"].endswith(".")
    assert "who" in told["fields"]
