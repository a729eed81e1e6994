"""`interlock adopt`: a draft that a person finishes, from a script or a thread."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from sandbox.seed import seed
from sandbox.server import SandboxServer

SCRIPT = """#!/bin/bash
# Takes a customer's sandbox away.
API_TOKEN=8sJ2kQ0pLmZx
curl -H "Authorization: Bearer $API_TOKEN" https://sandboxes.example.com/boxes/$1
kubectl delete namespace "box-$1"
"""
THREAD = [
    {"user": "U0RITA", "text": "The disk is full again <@U0ANA>", "ts": "1.0"},
    {"user": "U0ANA", "text": "1. Ask <@U0RITA> to stop the import\n2. Then run:", "ts": "2.0"},
    {"user": "U0ANA", "text": "```\nrm -rf /srv/import/$day\n```", "ts": "3.0"},
    {"user": "U0ANA", "text": "`psql -c 'VACUUM' shop` with password=hunter2hunter2", "ts": "4.0"},
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    return tmp_path


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


def test_check_refuses_a_draft_until_a_person_has_said_how_effects_show(home: Path) -> None:
    (home / "take-box.sh").write_text(SCRIPT)
    out = home / "take-box.yaml"
    told = typed("adopt", home / "take-box.sh", "--out", out, "--owner=@a", "--deputy=@b")
    checked = typed("check", out)
    text = out.read_text()

    assert told.exit_code == 0, told.output
    assert "8sJ2kQ0pLmZx" not in text + told.output
    assert "- / 3: a secret stood there; keep it as api_token" in told.output
    assert "/ 5: say how it shows that this happened (verify)" in told.output
    assert "interlock check has 1 fault(s) to tell until then." in told.output
    assert checked.exit_code == 1
    assert checked.output.count("verify: is missing on a destructive step") == 1
    assert typed("adopt", home / "take-box.sh", "--out", out).exit_code == 2
    assert out.read_text() == text


def test_a_thread_gives_its_commands_and_listed_steps_and_names_nobody(home: Path) -> None:
    (home / "thread.json").write_text(json.dumps({"messages": THREAD}))
    told = typed("adopt", "--thread", home / "thread.json", "--name=free-disk", "--json")
    data = json.loads(told.output)
    draft = data["draft"]

    assert told.exit_code == 0, told.output
    assert "Please do by hand: Ask somebody to stop the import" in draft
    assert 'args: ["-rf", "/srv/import/${{ inputs.day }}"]' in draft
    assert not any(one in draft for one in ("U0ANA", "U0RITA", "hunter2"))
    assert {one["source_line"] for one in data["questions"]} >= {2, 3, 4}


def test_a_thread_is_read_where_its_link_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxServer() as slack:
        seed(slack.workspace)
        ana = slack.workspace.person("ana")
        root = ana.say("The disk is full.", channel="#ops")
        ana.say(
            "Run `rm -rf /srv/import`, as in\n```rm -rf /srv/import```", thread=root, channel="#ops"
        )
        link = f"{slack.url}/archives/{root.channel}/p{root.ts.replace('.', '')}"
        untold = typed("adopt", "--thread", link)
        monkeypatch.setenv("SLACK_API_URL", slack.api_url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
        told = typed("adopt", "--thread", link, "--name=free-disk")

    assert untold.exit_code == 2
    assert "Set SLACK_BOT_TOKEN" in untold.output
    assert told.exit_code == 0, told.output
    assert 'args: ["-rf", /srv/import]' in told.output


def test_the_same_script_gives_the_same_draft(home: Path) -> None:
    (home / "a.py").write_text("import os\nos.system('rm -rf /srv/x')\n")
    first, second = (typed("adopt", home / "a.py").output for _ in range(2))

    assert first == second
    assert 'args: ["-rf", /srv/x]' in first


def test_what_cannot_be_read_is_asked_wrongly(home: Path) -> None:
    (home / "no.json").write_text("{}")
    nothing, none = typed("adopt"), typed("adopt", "--thread", home / "no.json")

    assert [nothing.exit_code, none.exit_code] == [2, 2]
    assert "There are no messages in it." in none.output
