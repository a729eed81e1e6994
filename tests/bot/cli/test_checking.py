"""`interlock check`, `schema` and `policy check`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import workflows
from bot.cli import main

SHIPPED = Path(workflows.__file__).parent / "definitions"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def broken(tmp_path: Path) -> Path:
    text = (SHIPPED / "refund-customer.yaml").read_text()
    file = tmp_path / "broken.yaml"
    file.write_text(text.replace("owner:", "ownr:", 1))
    return file


def test_shipped_workflows_have_no_fault() -> None:
    policy = SHIPPED / "demo-policy.yaml"
    told = CliRunner().invoke(main, ["check", str(SHIPPED), "--policy", str(policy)])

    assert told.exit_code == 0, told.output


def test_a_fault_names_its_place_and_what_would_be_right(tmp_path: Path) -> None:
    file = broken(tmp_path)
    told = CliRunner().invoke(main, ["check", str(file)])

    assert told.exit_code == 1
    assert f"{file}:4:1: ownr" in told.output
    assert "did you mean 'owner'?" in told.output


def test_faults_are_data_where_json_was_asked_for(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["check", "--json", str(broken(tmp_path))])
    data = json.loads(told.output)

    assert told.exit_code == 1
    assert data["ok"] is False
    assert {one["line"] for one in data["faults"]} >= {4}


def test_a_file_that_is_not_there_is_asked_wrongly() -> None:
    assert CliRunner().invoke(main, ["check", "nowhere.yaml"]).exit_code == 2


def test_the_schema_knows_what_a_workflow_needs() -> None:
    schema = json.loads(CliRunner().invoke(main, ["schema"]).output)

    assert {"workflow", "title", "owner", "deputy", "steps"} <= set(schema["required"])


def test_the_policy_of_a_new_home_can_be_used() -> None:
    CliRunner().invoke(main, ["init"])
    told = CliRunner().invoke(main, ["policy", "check", "--json"])

    assert told.exit_code == 0, told.output
    assert len(json.loads(told.output)["digest"]) == 64


def test_a_policy_that_asks_nobody_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "defaults: {expires: 24h}\n"
        "rules:\n"
        "  - name: all\n"
        "    when: 'true'\n"
        "    stages: [{from: ['@leads'], approve: 0}]\n"
    )
    told = CliRunner().invoke(main, ["policy", "check", str(file)])

    assert told.exit_code == 1
    assert f"{file}:5:" in told.output


# --- policy check -----------------------------------------------------------------------------


ODD = """\
defaults: {expires: 24h}
rules:
  - name: never
    when: hour > 23
    stages: [{from: ["@leads"]}]
  - name: refunds
    when: workflow == "refund-custmer"
    stages: [{from: ["@leads"]}]
  - name: who knows
    when: requester.startsWith("@x") && weekday > 7
    stages: [{from: ["@leads"]}]
"""


def odd(tmp_path: Path) -> str:
    file = tmp_path / "odd.yaml"
    file.write_text(ODD)
    return str(file)


def test_what_is_odd_about_a_policy_is_a_warning_and_it_can_be_used(tmp_path: Path) -> None:
    file = odd(tmp_path)
    told = CliRunner().invoke(main, ["policy", "check", file])

    assert told.exit_code == 0
    assert f"{file}:4:11: warning: rules[0].when: can never be true" in told.output
    assert "Whether these rules can match was not found out: who knows." in told.output
    assert "No workflow files were looked at." in told.output
    assert "no workflow here is called" not in told.output


def test_a_policy_is_looked_at_together_with_workflow_files(tmp_path: Path) -> None:
    words = ["policy", "check", odd(tmp_path), "--workflows", str(SHIPPED), "--json"]
    told = CliRunner().invoke(main, words)
    data = json.loads(told.output)
    said = {one["what"]: one for one in data["faults"]}

    assert (told.exit_code, data["ok"], data["not_analysed"]) == (0, True, ["who knows"])
    assert data["workflows"] == len(list(SHIPPED.glob("*.yaml"))) - 1
    assert said["no workflow here is called 'refund-custmer'"]["line"] == 7
    assert all(one["is_warning"] for one in data["faults"])
    # Nobody knows what the last rule is about, so no step is said to be without one.
    assert not any("no rule is about" in what for what in said)


def test_the_workflow_files_of_the_settings_are_taken_where_no_others_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    told = CliRunner().invoke(main, ["policy", "check", odd(tmp_path)])

    assert "did you mean 'refund-customer'?" in told.output
    assert "No workflow files" not in told.output


def test_files_and_folders_of_policies_are_checked_each_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "sound.yaml").write_text((SHIPPED / "demo-policy.yaml").read_text())
    (folder / "torn.yaml").write_text("rules: [")
    (folder / "refund.yaml").write_text((SHIPPED / "refund-customer.yaml").read_text())
    words = ["policy", "check", odd(tmp_path), str(folder), "--workflows", str(SHIPPED)]
    told = CliRunner().invoke(main, words)
    data = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    alone = CliRunner().invoke(main, [*words[:2], str(folder / "sound.yaml")])

    assert told.exit_code == 1
    assert f"{folder}/torn.yaml:1:" in told.output
    assert f"{folder}/torn.yaml: It cannot be used." in told.output
    assert f"{folder}/sound.yaml: The policy can be used; its digest is" in told.output
    assert told.output.splitlines()[-1].startswith("3 file(s), 1 fault(s), ")
    assert [(Path(one["file"]).name, one["ok"]) for one in data["policies"]] == [
        ("odd.yaml", True),
        ("sound.yaml", True),
        ("torn.yaml", False),
    ]
    assert alone.exit_code == 0
    assert alone.output.splitlines()[-1].startswith("The policy can be used; its digest is")


def test_folders_without_a_policy_are_asked_wrongly(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["policy", "check", str(tmp_path)])

    assert told.exit_code == 2
    assert "There is no policy file in these folders." in told.output
