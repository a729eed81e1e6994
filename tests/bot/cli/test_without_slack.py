"""Commands in a home without any Slack token, where nobody serves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.journeys.company import SHIPPED
from tests.world import POLICY

RUN = ("run", "nightly-check", "--channel", "ops", "--json")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    for name in ("SLACK_BOT_TOKEN", "INTERLOCK_CHANNEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def interlock(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_run_in_an_empty_home_prints_the_key_of_the_log_it_begins(home: Path) -> None:
    told = interlock(*RUN)
    data = json.loads(told.stdout)
    head = json.loads(interlock("audit", "head", "--json").stdout)

    assert data["begun"] == {
        "home": str(home),
        "origin": head["origin"],
        "vkey": head["vkey"],
    }
    assert "Keep this key outside" in told.stderr
    assert head["vkey"] in told.stderr


def test_a_log_that_began_before_is_not_told_of_again() -> None:
    interlock("init")
    told = interlock(*RUN)

    assert "begun" not in json.loads(told.stdout)
    assert "key outside" not in told.stderr


def test_the_key_is_printed_even_if_the_run_itself_is_refused() -> None:
    told = interlock("run", "refund-customer", "amount=many", "--channel", "ops")

    assert told.exit_code == 2
    assert "Keep this key outside" in told.stderr


def test_a_run_of_what_no_file_has_begins_no_log(home: Path) -> None:
    told = interlock("run", "nightly-chekc", "--channel", "ops")

    assert told.exit_code == 2
    assert "Did you mean nightly-check?" in told.stderr
    assert not home.exists()


@pytest.mark.parametrize(
    "words", [("audit", "head"), ("digest",), ("cancel", "0" * 32, "--reason", "why")]
)
def test_a_command_that_finds_no_log_begins_none(home: Path, words: tuple[str, ...]) -> None:
    told = interlock(*words)

    assert told.exit_code == 2
    assert "interlock init" in told.stderr
    assert not home.exists()


def test_whoever_started_a_run_here_may_cancel_it() -> None:
    run = json.loads(interlock(*RUN).stdout)["run"]
    told = interlock("cancel", run, "--reason", "Not today.", "--json")
    shown = json.loads(interlock("show", run, "--json").stdout)

    assert told.exit_code == 0, told.output
    assert shown["status"] == "cancelled"


def test_anybody_else_is_told_that_slack_has_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    run = json.loads(interlock(*RUN).stdout)["run"]
    monkeypatch.setattr("bot.beside.person_of", lambda _user: "os:somebody-else")
    told = interlock("cancel", run, "--reason", "Not today.")
    shown = json.loads(interlock("show", run, "--json").stdout)

    assert told.exit_code == 2
    assert "SLACK_BOT_TOKEN" in told.stderr
    assert shown["status"] != "cancelled"


SECRET_POLICY = f"""{POLICY}
services:
  shop:
    base_url: https://shop.example
    secret_header: {{secret: shop_token}}
"""


def test_a_warning_names_what_it_is_about(home: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(SECRET_POLICY)
    # In a process of its own: where tests run, pytest takes up what is logged.
    told = subprocess.run(
        [sys.executable, "-m", "bot.cli", "run", "refund-customer", "--channel", "ops"],
        env={
            "PATH": os.environ["PATH"],
            "INTERLOCK_HOME": str(home),
            "INTERLOCK_WORKFLOWS": str(SHIPPED),
            "INTERLOCK_POLICY": str(policy),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "a secret is not set" in told.stderr
    assert "(secret: shop_token)" in told.stderr


def test_a_token_that_is_too_short_is_named_by_its_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTERLOCK_PUSH_TOKEN", "short")
    told = interlock(*RUN)

    assert told.exit_code == 2
    assert "INTERLOCK_PUSH_TOKEN has fewer than 8 characters" in json.loads(told.stdout)["message"]
