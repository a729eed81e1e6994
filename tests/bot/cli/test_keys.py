"""`interlock keys`: two machines with homes of their own on one Postgres, and one on SQLite."""

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.holder import Holder
from bot.key_orders import KeyDesk, RotateOrder
from bot.opening import open_memory
from bot.settings import read_settings
from storage.keys import LOG_KEY, WRITER_KEY


class Machine:
    """A home, and what is typed there."""

    def __init__(self, home: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self._database = database
        self._monkeypatch = monkeypatch

    def types(self, *words: str, answers: str = "") -> Result:
        self.enter()
        return CliRunner().invoke(main, list(words), input=answers)

    def told(self, *words: str) -> dict[str, Any]:
        done = self.types(*words, "--json")
        found = json.loads(done.output)
        assert isinstance(found, dict)
        return found

    def enter(self) -> None:
        self._monkeypatch.setenv("INTERLOCK_HOME", str(self.home))
        self._monkeypatch.setenv("INTERLOCK_DATABASE_URL", self._database)


@pytest.fixture
def first(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "first", address(database_url), monkeypatch)
    made = machine.types("init")
    assert made.exit_code == 0, made.output
    return machine


@pytest.fixture
def second(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, first: Machine
) -> Machine:
    """Give a machine that has been handed the log key and the policy, and nothing else."""
    home = tmp_path / "second"
    (home / "keys").mkdir(parents=True)
    (home / "workflows").mkdir()
    shutil.copy(first.home / "policy.yaml", home / "policy.yaml")
    shutil.copy(first.home / "keys" / LOG_KEY, home / "keys" / LOG_KEY)
    return Machine(home, address(database_url), monkeypatch)


def address(url: str) -> str:
    return url if "://" in url else f"sqlite:///{url}"


def test_a_second_machine_joins_with_one_line(first: Machine, second: Machine) -> None:
    refused = second.types("audit", "head")
    asked = second.told("keys", "new", "--holder", "worker-2")
    enrolled = first.types("keys", "enrol", asked["line"])
    head = second.types("audit", "head")

    assert refused.exit_code == 2
    assert "interlock keys new" in refused.output
    assert stat.S_IMODE((second.home / "keys" / WRITER_KEY).stat().st_mode) == 0o600
    assert enrolled.output == f"Enrolled {asked['id']} of worker-2, entry 1.\n"
    assert head.exit_code == 0, head.output


def test_the_line_stays_the_same_until_it_is_used(first: Machine, second: Machine) -> None:
    asked, again = second.told("keys", "new"), second.told("keys", "new")
    first.types("keys", "enrol", asked["line"])
    after = second.types("keys", "new")

    assert asked == again
    assert asked["is_enrolled"] is False
    assert "enrolled already" in after.output


def test_a_home_without_the_log_key_is_told_to_bring_it(first: Machine, second: Machine) -> None:
    assert first.home.exists()
    (second.home / "keys" / LOG_KEY).unlink()

    assert "needs a copy of keys/log.pem" in second.types("keys", "new").output


def test_the_list_shows_every_key_and_which_are_here(first: Machine, second: Machine) -> None:
    asked = second.told("keys", "new", "--holder", "worker-2")
    first.types("keys", "enrol", asked["line"])
    here, there = first.told("keys", "list")["keys"], second.told("keys", "list")["keys"]
    shown = second.types("keys", "list").output.splitlines()

    assert [(one["role"], one["file"]) for one in here] == [
        ("entry", "writer.pem"),
        ("log", "log.pem"),
        ("entry", None),
    ]
    assert [one["file"] for one in there] == [None, "log.pem", "writer.pem"]
    assert there[2] == {
        "id": asked["id"],
        "role": "entry",
        "holder": "worker-2",
        "state": "in force",
        "added_at": 1,
        "ended_at": None,
        "revoked_from": None,
        "vkey": "",
        "file": "writer.pem",
    }
    assert shown[2].endswith("added by #1, in force  worker-2  here: keys/writer.pem")


@pytest.mark.parametrize("words", [("retire",), ("revoke", "--from", "1")])
def test_a_key_that_nobody_knows_is_refused_before_the_question(
    first: Machine, words: tuple[str, ...]
) -> None:
    told = first.types("keys", words[0], "0" * 16, *words[1:], answers="y\n")

    assert told.exit_code == 2
    assert "The log knows no key" in told.stderr
    assert "?" not in told.output


def test_a_key_is_ended_after_a_question(first: Machine, second: Machine) -> None:
    asked = second.told("keys", "new", "--holder", "worker-2")
    first.types("keys", "enrol", asked["line"])
    no = first.types("keys", "retire", asked["id"], answers="n\n")
    yes = first.types("keys", "retire", asked["id"], answers="y\n")
    revoked = first.types("keys", "revoke", asked["id"], "--from", "1", "--yes")
    refused = second.types("audit", "head")

    assert no.exit_code == 1
    assert f"The key {asked['id']} is retired, entry 2." in yes.output
    assert f"The key {asked['id']} is revoked, entry 2." in revoked.output
    assert "It is doubtful from #1 on." in revoked.output
    assert refused.exit_code == 2
    assert "was ended: revoked by entry 2" in refused.output


def test_a_home_replaces_its_own_key(first: Machine) -> None:
    before = first.told("keys", "list")["keys"][0]["id"]
    done = first.types("keys", "rotate")
    keys = first.told("keys", "list")["keys"]

    assert done.exit_code == 0, done.output
    assert [one["state"] for one in keys] == ["retired", "in force", "in force"]
    assert keys[0]["id"] == before
    assert keys[0]["file"] == f"writer-{before}.pem"
    assert keys[2]["file"] == "writer.pem"


def test_the_key_of_the_heads_is_replaced_and_the_old_one_ended(first: Machine) -> None:
    old = first.told("keys", "list")["keys"][1]["id"]
    done = first.types("keys", "rotate", "--log")
    ended = first.types("keys", "retire", old, "--yes")
    keys = [one for one in first.told("keys", "list")["keys"] if one["role"] == "log"]

    assert done.exit_code == 0, done.output
    assert "Bring keys/log.pem to every other machine" in done.output
    assert ended.exit_code == 0, ended.output
    assert [(one["state"], one["file"]) for one in keys] == [
        ("retired", f"log-{old}.pem"),
        ("in force", "log.pem"),
    ]
    assert first.types("audit", "head").exit_code == 0


def test_a_process_that_serves_the_home_changes_its_keys(first: Machine) -> None:
    first.enter()
    settings = read_settings()
    memory = open_memory(settings)
    desk = KeyDesk(memory=memory, settings=settings)
    before = memory.journal.writer.id

    def carry_out(order: object, person: Any) -> Any:  # noqa: ANN401  as the holder hands it on
        assert isinstance(order, RotateOrder)
        return desk.carry_out(order, person=person)

    holder = Holder(settings.home, carry_out)
    holder.start()
    try:
        told = first.told("keys", "rotate", "--holder", "first")
    finally:
        holder.stop()
        memory.database.close()

    assert told["served"] is True
    assert told["key"]["id"] == memory.journal.writer.id != before
    assert told["key"]["holder"] == "first"


def test_a_stolen_key_is_answered_with_steps_that_name_it(first: Machine) -> None:
    by_role = {one["role"]: one["id"] for one in first.told("keys", "list")["keys"]}
    every = first.types("keys", "stolen").output
    one = first.types("keys", "stolen", by_role["entry"]).output
    unknown = first.types("keys", "stolen", "0123456789abcdef")

    assert f"`interlock keys revoke {by_role['log']} --from N`" in every
    assert f"`interlock keys revoke {by_role['entry']} --from N`" in every
    assert "The log knows of no head outside" in every
    assert by_role["log"] not in one
    assert "1. `interlock keys rotate` on this machine" in one
    assert (unknown.exit_code, "knows no key" in unknown.output) == (2, True)


def test_two_keys_for_heads_that_were_stolen_are_replaced_by_one(first: Machine) -> None:
    first.types("keys", "rotate", "--log")
    told, shown = first.told("keys", "stolen"), first.types("keys", "stolen").output
    old, new = (one["id"] for one in first.told("keys", "list")["keys"] if one["role"] == "log")
    asked = first.types("keys", "revoke", old, "--from", "1", answers="n\n")
    listed = first.types("keys", "list").output

    assert shown.count("rotate --log") == 1
    assert all(f"{number}. {step}" in shown for number, step in enumerate(told["steps"], start=1))
    assert shown.count(" --from N`") == 3
    assert "Every head of more than 1 entry that it alone signed" in asked.stderr
    assert f"{new}  heads    added by #1, in force  the whole log" in listed


@pytest.mark.parametrize("words", [("retire",), ("revoke", "--from", "0")])
def test_with_json_a_key_is_ended_without_a_question_or_not_at_all(
    first: Machine, words: tuple[str, ...]
) -> None:
    told = first.told("keys", words[0], "0" * 16, *words[1:])

    assert "add --yes" in told["message"]


def test_rubbish_is_refused_in_a_sentence(first: Machine) -> None:
    refused = first.types("keys", "enrol", "writer-key:nonsense")

    assert refused.exit_code == 2
    assert "no line of `interlock keys new`" in refused.output


def test_keys_of_a_log_that_never_began_are_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path / "home", address(str(tmp_path / "none.db")), monkeypatch)

    for words in (["new"], ["list"]):
        refused = machine.types("keys", *words)
        assert refused.exit_code == 2
        assert "interlock init" in refused.output
    assert not (tmp_path / "home").exists()
