"""`interlock init` and `migrate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_ORIGIN", "acme.example/audit")
    return tmp_path / "home"


def test_init_prints_the_key_to_keep_outside(home: Path) -> None:
    made = CliRunner().invoke(main, ["init", "--json"])
    data = json.loads(made.output)

    assert made.exit_code == 0
    assert data["vkey"].startswith("acme.example/audit+")
    assert (home / "policy.yaml").exists()


def test_a_second_init_is_refused_in_a_sentence() -> None:
    CliRunner().invoke(main, ["init"])
    again = CliRunner().invoke(main, ["init"])

    assert again.exit_code == 2
    assert "holds a log already" in again.output


def test_a_refusal_is_json_where_json_was_asked_for() -> None:
    CliRunner().invoke(main, ["init"])
    again = json.loads(CliRunner().invoke(main, ["init", "--json"]).output)

    assert again["ok"] is False
    assert again["refusal"] == "UnusableDatabaseError"
    assert again["hint"]


def test_migrating_a_current_database_changes_nothing() -> None:
    CliRunner().invoke(main, ["init"])
    told = CliRunner().invoke(main, ["migrate", "--json"])

    assert json.loads(told.output) == {"changed": False}
