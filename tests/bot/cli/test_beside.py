"""Commands that commit by themselves while nobody serves, and Slack is away."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from sandbox.ports import free_port


@pytest.fixture(autouse=True)
def _home_without_slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-a-slack-that-is-away")
    monkeypatch.setenv("SLACK_API_URL", f"http://127.0.0.1:{free_port()}/api/")
    CliRunner().invoke(main, ["init"])


def test_the_head_is_printed_while_slack_is_away() -> None:
    told = CliRunner().invoke(main, ["audit", "head", "--json"])

    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["note"]


def test_the_digest_is_printed_while_slack_is_away() -> None:
    told = CliRunner().invoke(main, ["digest", "--json"])

    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["ok"] is True


def test_a_run_is_refused_while_slack_cannot_say_who_is_who() -> None:
    told = CliRunner().invoke(main, ["run", "refund-customer", "order=ord_1001"])

    assert told.exit_code == 2
    assert "Slack cannot be asked" in told.output
