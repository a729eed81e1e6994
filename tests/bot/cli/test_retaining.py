"""Sweeps and holds from the command line, in a home where nobody serves."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.firings import next_firing
from bot.opening import open_memory
from bot.settings import Settings
from bot.sweeping import Sweeping
from storage.evidence.shipped.verify import Holds as FollowsHolds
from storage.store import SqlStore
from tests.journeys.company import SHIPPED
from workflows.loading import load_policy
from workflows.people import PersonId


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    for name in ("SLACK_BOT_TOKEN", "INTERLOCK_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    interlock("init")
    return tmp_path / "home"


def interlock(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def told(*words: str) -> dict[str, Any]:
    return dict(json.loads(interlock(*words, "--json").stdout))


def test_a_hold_is_set_listed_and_lifted_once() -> None:
    name = str(told("audit", "hold", "set", "workflow:deploy", "--reason", "case 12")["hold"])
    (shown,) = told("audit", "hold", "list")["holds"]

    assert (shown["hold"], shown["reason"]) == (name, "case 12")
    assert interlock("audit", "hold", "lift", name, "--reason", "closed").exit_code == 0
    assert (
        f"No hold {name} is in force"
        in interlock("audit", "hold", "lift", name, "--reason", "closed").stderr
    )


def test_a_reason_moves_nothing_on_the_terminal_of_whoever_reads_it() -> None:
    reason = "red \x1b[31m, \x9b2J, \u202eturned"
    interlock("audit", "hold", "set", "workflow:deploy", "--reason", reason)
    shown = CliRunner().invoke(main, ["audit", "hold", "list"], color=True).output
    refused = interlock("audit", "hold", "lift", "\u202eh-1\x9b2J", "--reason", "x").stderr

    assert "red \ufffd[31m, \ufffd2J, \ufffdturned" in shown
    assert {"\x9b", "\u202e"}.isdisjoint(refused)
    assert told("audit", "hold", "list")["holds"][0]["reason"] == reason


def test_a_break_in_a_reason_does_not_begin_a_line_of_the_command() -> None:
    reason = "case 12\nh-00000000  workflow:pay  since 2026-01-01T00:00:00.000Z: forged"
    name = str(told("audit", "hold", "set", "workflow:deploy", "--reason", reason)["hold"])
    first, second = interlock("audit", "hold", "list").stdout.splitlines()

    assert first.startswith(name)
    assert second.startswith("    h-00000000")
    assert told("audit", "hold", "list")["holds"][0]["reason"] == reason


def test_a_person_is_named_in_a_hold_by_pseudonym_and_a_stranger_is_refused() -> None:
    interlock("audit", "hold", "set", "workflow:deploy", "--reason", "so that I am known")
    me = Path.home().owner()

    assert str(
        told("audit", "hold", "set", f"person:{me}", "--reason", "x")["selector"]
    ).startswith("person:s:")
    refused = interlock("audit", "hold", "set", "person:@nobody-at-all", "--reason", "x")
    assert (refused.exit_code, "Nobody in this log" in refused.stderr) == (2, True)
    gone = interlock("audit", "hold", "set", "person:slack:T0ACME:U0SAM", "--reason", "x").stderr
    assert "Name the account" in refused.stderr
    assert "Name the account" not in gone  # It was named; erasing somebody takes their account.
    assert all("Whoever was erased" in one for one in (refused.stderr, gone))


def test_days_of_a_hold_are_written_as_every_verifier_reads_them() -> None:
    found = [
        told("audit", "hold", "set", f"period:{days}", "--reason", "case 12")["selector"]
        for days in ("20260101/20260401", "2026-W01-4/2026-W14-3", "2026-01-01/2026-04-01")
    ]

    assert found == ["period:2026-01-01/2026-04-01"] * 3
    assert all(FollowsHolds.selector(one) is not None for one in found)


def test_a_person_of_a_hold_is_found_by_a_name_of_several_words(home: Path) -> None:
    memory = open_memory(Settings(home=home))
    with SqlStore(memory.database, memory.journal).begin() as unit:
        ref = unit.ref(PersonId("slack:T0ACME:U0RITA"), "Rita Müller (support)")
    memory.database.close()

    held = told("audit", "hold", "set", "person:@Rita Müller (support)", "--reason", "case 12")
    refused = interlock("audit", "hold", "set", "person:@Rita Moreno", "--reason", "x")

    assert held["selector"] == f"person:{ref}"
    assert "Nobody in this log is known as @Rita Moreno." in refused.stderr


def test_a_hold_of_a_run_that_the_log_does_not_have_is_refused() -> None:
    refused = interlock("audit", "hold", "set", "run:abce7c23", "--reason", "case 12")

    assert refused.exit_code == 2
    assert "This log has no run abce7c23. Give its whole id" in refused.stderr
    assert told("audit", "hold", "list")["holds"] == []


def test_a_hold_of_a_workflow_that_was_never_published_is_set_and_doubted() -> None:
    doubted = interlock("audit", "hold", "set", "workflow:refund-custmer", "--reason", "case 12")
    known = told("audit", "hold", "set", "workflow:refund-customer", "--reason", "case 12")

    assert doubted.exit_code == 0
    assert "! No workflow refund-custmer was ever published here" in doubted.stdout
    assert "Did you mean refund-customer? Then lift this one." in doubted.stdout
    assert "warning" not in known


def test_a_sweep_says_what_would_go_and_what_went() -> None:
    assert told("audit", "sweep", "--dry-run")["payloads"] == 0
    assert told("audit", "sweep")["payloads"] == 0


def test_each_night_what_is_due_goes_without_a_trace(home: Path) -> None:
    name = str(told("audit", "hold", "set", "workflow:deploy", "--reason", "a quokka")["hold"])
    interlock("audit", "hold", "lift", name, "--reason", "another quokka")
    settings = Settings(home=home)
    file = home / "interlock.db"
    memory = open_memory(settings)
    night = datetime.now(UTC) + timedelta(days=8 * 366)
    policy = load_policy(SHIPPED / "demo-policy.yaml")
    sweeping = Sweeping(SqlStore(memory.database, memory.journal), policy, now=lambda: night)
    schedule = sweeping.schedule(memory.log_id)
    assert b"quokka" in file.read_bytes()

    schedule.begin(night)

    assert b"quokka" not in file.read_bytes()
    assert next_firing(schedule.trigger, after=night) is not None
    memory.database.close()


def test_what_a_sweep_that_was_killed_left_on_the_disk_goes_with_the_next_one(home: Path) -> None:
    name = str(told("audit", "hold", "set", "workflow:deploy", "--reason", "a quokka")["hold"])
    interlock("audit", "hold", "lift", name, "--reason", "another quokka")
    memory = open_memory(Settings(home=home))
    store = SqlStore(memory.database, memory.journal)
    night = datetime.now(UTC) + timedelta(days=8 * 366)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.storage.cut_short"),
            *(str(home / "interlock.db"), str(home), night.isoformat(), "after"),
        ],
        check=False,
    )
    left = on_disk(home)
    policy = load_policy(SHIPPED / "demo-policy.yaml")
    found = Sweeping(store, policy, now=lambda: night).sweep()

    assert (ended.returncode, found.is_nothing) == (-signal.SIGKILL, True)
    assert b"quokka" in left
    assert b"quokka" not in on_disk(home)
    memory.database.close()


def on_disk(home: Path) -> bytes:
    """Return every byte of the database's files."""
    return b"".join(one.read_bytes() for one in home.glob("interlock.db*"))
