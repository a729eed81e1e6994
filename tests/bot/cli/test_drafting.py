"""`interlock new`: what it writes passes `check` and `test`, and nothing is overwritten."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

WORDS = (
    "--title=Close an account",
    "--owner=@platform",
    "--deputy=@platform-leads",
    "--run-by=@support",
    "--input=account:string:Which account",
    "--input=how:soft|hard",
    "--step=look: read accounts GET /accounts/{account}",
    "--step=tell: write accounts POST /accounts/{account}/{how}",
    "--step=close: destructive accounts DELETE /accounts/{account}",
    "--verify=tell: /accounts/{account} => body.state == told",
    "--verify=close: GET /accounts/{account} => status == 404",
    "--undo=close: POST /accounts/{account}/reopen",
    "--yes",
)
POLICY = """
defaults: {expires: 24h}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@directors"], approve: 2}]
    reason: required
  - name: telling
    when: effect == "write"
    stages: [{from: ["@support"], approve: 1}]
services: {accounts: {base_url: "https://accounts.example.com"}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_POLICY", str(tmp_path / "policy.yaml"))
    return tmp_path


def typed(*words: str | Path, answers: str = "") -> Result:
    return CliRunner().invoke(main, list(map(str, words)), input=answers)


@pytest.mark.parametrize("policy", ["", POLICY])
def test_what_is_written_passes_whatever_the_policy_asks_for(home: Path, policy: str) -> None:
    if policy:
        (home / "policy.yaml").write_text(policy)
    told = typed("new", "close-account", *WORDS, "--folder", home / "made", "--json")
    checked = typed("check", home / "made", "--json")
    tested = typed("test", home / "made", "--json")

    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["services_missing"] == ([] if policy else ["accounts"])
    assert json.loads(checked.output)["faults"] == []
    assert tested.exit_code == 0, tested.output
    assert len(json.loads(tested.output)["tests"]) == 2


def test_nothing_is_overwritten_and_nothing_unsound_is_written(home: Path) -> None:
    file = home / "made" / "close-account.test.yaml"
    file.parent.mkdir()
    file.write_text("mine")
    kept = typed("new", "close-account", *WORDS, "--folder", home / "made")
    unsound = typed("new", "Close Account", *WORDS, "--folder", home / "made")
    unproven = typed(
        "new", "other", *[one for one in WORDS if "404" not in one], "--folder", home / "made"
    )
    unsaid = typed("new", "other", "--yes", "--folder", home / "made")

    assert [one.exit_code for one in (kept, unsound, unproven, unsaid)] == [2, 2, 2, 2]
    assert "is there already" in kept.output
    assert "write small letters, digits and single hyphens" in unsound.output
    assert "The destructive step close proves nothing yet" in unproven.output
    assert "With --yes or --json, say it: Title." in unsaid.output
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_what_was_not_said_is_asked(home: Path) -> None:
    answers = [
        "restart-service",
        "Restart a service",
        "@platform",
        "@platform-leads",
        "",
        "@support, @platform",
        *("service", "string", ""),
        "",
        *("restart", "destructive", "fleet", "POST", "/services/{service}/restarts"),
        *("/services/{service} => body.state == up", "none"),
        "",
    ]
    told = typed("new", "--folder", home / "made", answers="\n".join([*answers, ""]))
    text = (home / "made" / "restart-service.yaml").read_text()

    assert told.exit_code == 0, told.output
    assert 'run_by: ["@support", "@platform"]' in text
    assert 'expect: result.body.state == "up"' in text
    assert "undo: none" in text
    assert typed("test", home / "made").exit_code == 0


STATEMENTS = (
    "--title=Delete old notes",
    "--owner=@platform",
    "--deputy=@platform-leads",
    "--input=days:integer:Days",
    "--step=count: read notes SQL SELECT count(*) AS old FROM note WHERE age > {days}",
    "--step=delete: destructive notes SQL DELETE FROM note WHERE age > {days}",
    "--undo=delete: SQL INSERT INTO note SELECT * FROM kept WHERE age > {days}",
    "--yes",
)
PROOF = "--verify=delete: SELECT count(*) AS old FROM note WHERE age > {days} => old == 0"


def test_steps_are_statements_too_and_what_is_filled_in_is_bound(home: Path) -> None:
    told = typed("new", "tidy-notes", *STATEMENTS, PROOF, "--folder", home / "made", "--json")
    checked = typed("check", home / "made", "--json")
    tested = typed("test", home / "made")
    path = PROOF.replace("SELECT count(*) AS old FROM note WHERE age > {days}", "/notes")
    refused = typed("new", "other", *STATEMENTS, path, "--folder", home / "made")
    text = (home / "made" / "tidy-notes.yaml").read_text()

    assert json.loads(told.output)["databases_missing"] == ["notes"]
    assert json.loads(checked.output)["faults"] == []
    assert tested.exit_code == 0, tested.output
    assert text.count(':days"') == 4
    assert text.count('parameters: {days: "${{ inputs.days }}"}') == 4
    assert refused.exit_code == 2
    assert "Write SELECT … AS COLUMN … => COLUMN == VALUE." in refused.output
