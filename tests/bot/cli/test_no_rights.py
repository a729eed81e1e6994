"""Commands of an account that may not use the bot's files."""

import errno
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.lock_file import ServeLock


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


def test_a_disk_that_takes_no_changes_is_told_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    assert said("init").exit_code == 0

    def refuse(*_: object, **__: object) -> ServeLock:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "serve.lock"))

    monkeypatch.setattr(ServeLock, "take", refuse)  # Only root can mount such a disk.
    told = said("cancel", "a-run", "--reason", "No longer needed")

    assert told.exit_code == 2
    assert told.stderr == (
        f"interlock: {tmp_path}/serve.lock cannot be written: Read-only file system. Have the"
        " folder mounted so that it takes changes (for a systemd unit, name it in ReadWritePaths),"
        " or set INTERLOCK_HOME to another one.\n"
    )
