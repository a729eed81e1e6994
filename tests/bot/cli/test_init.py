"""`interlock init` and `migrate`."""

import json
import shlex
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

import bot
from bot.app_manifest import manifest_of
from bot.cli import main
from bot.http import PATH
from bot.settings import Settings, read_settings
from bot.starter import settings_text
from bot.workspaces.installing import REDIRECT
from storage.database import open_database
from storage.history import read_entry

ROOT = Path(bot.__file__).parents[1]


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


def test_what_it_says_to_type_next_can_be_typed_in_a_home_with_a_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "my home"
    monkeypatch.setenv("INTERLOCK_HOME", str(home))
    steps = json.loads(CliRunner().invoke(main, ["init", "--json"]).output)["next"]
    typed = [shlex.split(one.partition(": ")[2] or one.partition(", then: ")[2]) for one in steps]

    assert ["interlock", "check", str(home / "workflows")] in typed
    assert any(str(home / "interlock.env;") in words for words in typed)


def test_a_second_init_is_refused_in_a_sentence() -> None:
    CliRunner().invoke(main, ["init"])
    again = CliRunner().invoke(main, ["init"])

    assert again.exit_code == 2
    assert "holds a log already" in again.output


def test_what_an_init_that_was_cut_short_left_out_is_made_by_the_next(home: Path) -> None:
    first = CliRunner().invoke(main, ["init"]).output
    CliRunner().invoke(main, ["keys", "rotate", "--log"])
    (home / "interlock.env").unlink()  # It is killed once the log has begun.
    again = CliRunner().invoke(main, ["init"])
    third = CliRunner().invoke(main, ["init"])

    assert again.exit_code == 0
    assert "had begun; made what" in again.output
    assert again.output.splitlines()[1:] == first.splitlines()[1:]
    assert read_settings_of(home / "interlock.env").origin == "acme.example/audit"
    assert (third.exit_code, "holds a log already" in third.output) == (2, True)


def test_an_init_cut_short_is_not_made_into_the_successor_of_a_log(home: Path) -> None:
    CliRunner().invoke(main, ["init"])
    head = CliRunner().invoke(main, ["audit", "head"]).output
    (home / "interlock.env").unlink()
    (home / "head.txt").write_text(head.replace("acme.example", "other.example"))
    again = CliRunner().invoke(main, ["init", "--after", str(home / "head.txt")])

    assert again.exit_code == 2
    assert "holds a log already" in again.output
    assert "`interlock init` alone makes the rest" in again.output
    assert not (home / "interlock.env").exists()


def test_the_log_of_another_home_is_not_taken_for_one_that_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", f"sqlite:///{tmp_path}/shared.db")
    CliRunner().invoke(main, ["init"])
    (tmp_path / "head").write_text(CliRunner().invoke(main, ["audit", "head"]).output)
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "second"))
    other = CliRunner().invoke(main, ["init"])
    monkeypatch.setenv("INTERLOCK_ORIGIN", "acme.example/audit/2")
    successor = CliRunner().invoke(main, ["init", "--after", str(tmp_path / "head")])

    assert (other.exit_code, "holds a log already" in other.output) == (2, True)
    assert successor.output.endswith(", and another database if INTERLOCK_DATABASE_URL is set.\n")
    assert not (tmp_path / "second" / "interlock.env").exists()


def test_whoever_names_no_log_hears_that_its_name_is_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("INTERLOCK_ORIGIN")
    made = CliRunner().invoke(main, ["init"]).output

    assert "a log keeps its name for ever" in made
    assert made.splitlines()[-1].startswith("  interlock.localhost/audit+")


@pytest.mark.parametrize("command", [["runs"], ["find", "x"]])
def test_a_database_without_a_log_is_named_by_its_setting(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    told = CliRunner().invoke(main, command).output

    assert "no log in the database of INTERLOCK_DATABASE_URL yet" in told


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


def read_settings_of(file: Path) -> Settings:
    lines = [one for one in file.read_text().splitlines() if one and one[0] != "#"]
    return read_settings(dict(one.split("=", 1) for one in lines))


def test_it_leaves_settings_and_a_manifest_that_are_whole(home: Path) -> None:
    printed = CliRunner().invoke(main, ["init"]).output.splitlines()
    settings = home / "interlock.env"
    lines = [one for one in settings.read_text().splitlines() if one and one[0] != "#"]
    given = dict(one.split("=", 1) for one in lines)
    known = {str(one.validation_alias) for one in Settings.model_fields.values()}
    link = next(one.strip() for one in printed if "https://" in one)
    manifest = json.loads(parse_qs(urlsplit(link).query)["manifest_json"][0])

    assert settings.stat().st_mode & 0o077 == 0
    assert given["INTERLOCK_HOME"] == str(home)
    assert set(given) <= known
    assert read_settings(given).origin == "acme.example/audit"
    assert (home / "slack-manifest.yml").read_text() == (ROOT / "manifest.yml").read_text()
    assert manifest == json.loads(json.dumps(manifest_of(Settings())))
    assert [one[2:4] for one in printed if one[3:4] == "."] == ["1.", "2.", "3.", "4.", "5.", "6."]
    assert printed[-1].startswith("  acme.example/audit+")  # Scripts take the key from there.


@pytest.mark.parametrize("ending", ["", "_FILE"])
def test_the_settings_it_leaves_lead_to_the_log_that_it_began(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    address = f"sqlite:///{tmp_path}/elsewhere & far.db"
    (tmp_path / "address of it").write_text(address)
    given = str(tmp_path / "address of it") if ending else address
    monkeypatch.setenv(f"INTERLOCK_DATABASE_URL{ending}", given)
    CliRunner().invoke(main, ["init"])
    lines = (home / "interlock.env").read_text().splitlines()
    assigned = dict(one.split("=", 1) for one in lines if "=" in one and one[0] != "#")
    read = {name: "".join(shlex.split(value)) for name, value in assigned.items()}

    assert read[f"INTERLOCK_DATABASE_URL{ending}"] == given
    assert read_settings(read).database_url == address


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://bot:hunter2@db.example.com/ops",
        "postgresql://db.example.com/ops?user=bot&password=hunter2",
    ],
)
def test_a_password_of_the_database_is_left_to_fill_in(tmp_path: Path, address: str) -> None:
    text = settings_text(
        home=tmp_path, origin="o", channel="", environment={"INTERLOCK_DATABASE_URL": address}
    )

    assert "hunter2" not in text
    assert shlex.quote(address.replace("hunter2", "PUT_ITS_PASSWORD_HERE")) in text


def test_what_stands_there_already_stays(home: Path) -> None:
    home.mkdir()
    for name in ("policy.yaml", "interlock.env", "slack-manifest.yml"):
        (home / name).write_text("mine")
    told = json.loads(CliRunner().invoke(main, ["init", "--json"]).output)

    assert told["files"] == []
    assert {one.read_text() for one in home.glob("*.y*ml")} == {"mine"}
    assert (home / "interlock.env").read_text() == "mine"


def test_the_manifest_follows_the_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("INTERLOCK_COMMAND", "/change")
    monkeypatch.setenv("INTERLOCK_HTTP", "127.0.0.1:3000")
    monkeypatch.setenv("INTERLOCK_PUBLIC_URL", "https://ops.example.com")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    told = json.loads(CliRunner().invoke(main, ["init", "--manifest", "--json"]).output)
    manifest = told["manifest"]
    command = manifest["features"]["slash_commands"][0]

    assert not home.exists()
    assert command["command"] == "/change"
    assert command["url"] == f"https://ops.example.com{PATH}"
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["oauth_config"]["redirect_urls"] == [f"https://ops.example.com{REDIRECT}"]


def test_a_successor_names_the_head_of_the_log_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    CliRunner().invoke(main, ["init"])
    head = json.loads(CliRunner().invoke(main, ["audit", "head", "--json"]).output)
    note = tmp_path / "head"
    note.write_text(CliRunner().invoke(main, ["audit", "head"]).output)  # With the key below it.
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "second"))
    itself = CliRunner().invoke(main, ["init", "--after", str(note)])
    monkeypatch.setenv("INTERLOCK_ORIGIN", "acme.example/audit/2")
    begun = CliRunner().invoke(main, ["init", "--after", str(note)])
    second = open_database(str(tmp_path / "second" / "interlock.db"))
    with closing(second), second.read() as connection:
        first = read_entry(connection, 0)
    verified = CliRunner().invoke(main, ["audit", "verify"])

    assert itself.exit_code == 2
    assert "INTERLOCK_ORIGIN=acme.example/audit/2" in itself.output
    assert begun.exit_code == 0, begun.output
    root = head["note"].splitlines()[2]
    assert first is not None
    assert first.data["predecessor"] == {
        "log": "acme.example/audit",
        "size": head["size"],
        "root": root,
    }
    assert verified.exit_code == 3, verified.output  # No key from outside was given.


@pytest.mark.parametrize("content", [b"nothing of a head\n", b"", b"\xff\xfe\x00"])
def test_what_is_no_head_begins_no_successor(home: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head").write_bytes(content)
    told = CliRunner().invoke(main, ["init", "--after", str(tmp_path / "head")])

    assert told.exit_code == 2
    assert "This is no head of a log" in told.output
    assert not home.exists()
