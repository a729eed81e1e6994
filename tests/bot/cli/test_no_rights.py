"""Commands of an account that may not use the bot's files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the system refuse the database, as it does to all but the bot's own account."""
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    file = str(tmp_path / "interlock.db")

    def refuse(_: str) -> Path:
        raise PermissionError(13, "Permission denied", file)  # Root is refused nothing for real.

    monkeypatch.setattr("bot.cli.reading.sqlite_path", refuse)
    return file


def said(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_file_that_an_account_may_not_use_is_named(closed: str) -> None:
    told = said("runs")

    assert told.exit_code == 2
    assert told.stderr == (
        f"interlock: This account may not use {closed}."
        " Run the command as the account that the bot runs as.\n"
    )


def test_programs_are_told_so_in_json(closed: str) -> None:
    told = said("runs", "--json")
    data = json.loads(told.stdout)

    assert told.exit_code == 2
    assert (data["ok"], data["refusal"]) == (False, "StorageError")
    assert closed in data["message"]
