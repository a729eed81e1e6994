"""`interlock move`, as an operator types it."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.lock_file import ServeLock


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    made = CliRunner().invoke(main, ["init"])
    assert made.exit_code == 0, made.output
    return tmp_path / "home"


def types(*words: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=answers)


def test_the_log_of_the_home_moves_and_goes_on_there(
    blank_postgres_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads(types("audit", "head", "--json").output)
    moved = types("move", "--to", blank_postgres_url)
    refused = types("audit", "head")
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", blank_postgres_url)
    after = json.loads(types("audit", "head", "--json").output)

    assert moved.exit_code == 0, moved.output
    assert f"Moved {before['size']} entries to postgresql://" in moved.stdout
    assert "Now set INTERLOCK_DATABASE_URL" in moved.stdout
    assert "audit_entry: 3 of 3" in moved.stderr
    assert refused.exit_code == 2
    assert "This log moved to postgresql://" in refused.output
    assert (after["note"], after["vkey"]) == (before["note"], before["vkey"])
    assert (home / "interlock.db").exists()


def test_where_to_is_taken_from_the_settings(
    blank_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    types("audit", "head")
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", blank_postgres_url)
    told = json.loads(types("move", "--json").stdout)

    assert (told["ok"], told["is_new"], told["size"]) == (True, True, 3)
    assert told["rows"]["audit_entry"] == 3
    assert told["left"] == []


def test_nothing_moves_while_a_process_serves(blank_postgres_url: str, home: Path) -> None:
    with ServeLock.take(home, now=datetime.now(UTC)):
        refused = types("move", "--to", blank_postgres_url)
        elsewhere = types("move", "--take-back", "--yes")

    assert (refused.exit_code, elsewhere.exit_code) == (2, 2)
    assert "already serves" in refused.output


def test_a_file_of_another_home_is_not_moved_while_that_is_served(
    blank_postgres_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "mine"))
    with ServeLock.take(home, now=datetime.now(UTC)):
        refused = types("move", "--from", f"sqlite:{home}/interlock.db", "--to", blank_postgres_url)

    assert refused.exit_code == 2
    assert "Stop it first" in refused.output


def test_a_move_is_taken_back_after_a_question(blank_postgres_url: str, home: Path) -> None:
    types("audit", "head")
    types("move", "--to", blank_postgres_url)
    no = types("move", "--take-back", answers="n\n")
    yes = types("move", "--take-back", answers="y\n")
    again = types("move", "--take-back", "--yes")
    head = types("audit", "head")
    unasked = types("move", "--take-back", "--json")

    file = f"sqlite:///{home}/interlock.db"
    assert no.exit_code == 1
    assert f"Let the log go on at {file}?" in no.stderr
    assert "two histories" in no.stderr
    assert f"The log goes on at {file}, not at postgresql://" in yes.stdout
    assert again.stdout == f"The log at {file} had not moved.\n"
    assert head.exit_code == 0, head.output
    assert (unasked.exit_code, json.loads(unasked.stdout)["ok"]) == (2, False)


def test_the_way_back_that_a_copy_names_is_that_of_this_very_copy(
    blank_postgres_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    types("move", "--to", blank_postgres_url)
    back = f"sqlite:{tmp_path}/back.db"
    types("move", "--from", blank_postgres_url, "--to", back)
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", blank_postgres_url)
    refused = types("audit", "head")
    typed = shlex.split(refused.output.rpartition("`interlock ")[2].partition("`")[0])
    told = types(*typed, "--yes")
    old = types("runs", "--json")
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", f"sqlite:///{home}/interlock.db")
    first = types("runs", "--json")

    assert typed[:3] == ["move", "--take-back", "--from"]
    assert told.stdout.startswith("The log goes on at postgresql://")
    assert (json.loads(old.stdout), old.stderr) == ({"runs": []}, "")
    assert json.loads(first.stdout) == {"runs": []}
    assert first.stderr.startswith("This log moved to postgresql://")


def test_without_a_place_to_go_nothing_moves() -> None:
    refused = types("move")

    assert refused.exit_code == 2
    assert "--to postgresql://" in refused.output


def test_a_log_that_is_not_there_is_not_moved(blank_postgres_url: str, tmp_path: Path) -> None:
    refused = types("move", "--from", str(tmp_path / "none.db"), "--to", blank_postgres_url)

    assert refused.exit_code == 2
    assert "There is no file" in refused.output
    assert refused.output.endswith(" Say where the log is: --from.\n")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    "address", ["postgresql:interlock", "postgres:/db/interlock", "me@db:5432/interlock", "sqlite:"]
)
def test_an_address_that_lacks_a_slash_is_no_new_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = types("move", "--to", address)

    assert refused.exit_code == 2
    assert refused.output.startswith("interlock: This is not the address of a database. Give")
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


def test_a_word_that_is_no_address_is_no_new_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    types("init")
    refused = types("move", "--to", "db.example.com")
    with_sign = types("move", "--to", "postgresql://me:pass@wo:rd@db/interlock")

    assert (refused.exit_code, with_sign.exit_code) == (2, 2)
    assert "--to sqlite:db.example.com for a file" in refused.output
    assert with_sign.output.startswith("interlock: The port in the database's address is no number")
    assert "rd@db" not in with_sign.output
    assert not (tmp_path / "db.example.com").exists()
