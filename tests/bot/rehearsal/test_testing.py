"""`interlock test`: workflow files are played with recorded answers, and differences are shown."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

import workflows
from bot.cli import main
from tests.bot.rehearsal.tidying import ASKS, REMOVES

SHIPPED = Path(workflows.__file__).parent / "definitions"

FLOW = (
    ASKS
    + """\
  - id: found
    uses: sql.query
    with:
      database: crm
      statement: SELECT id FROM thing WHERE age > :days
      parameters: {days: "${{ steps.which.output.days }}"}
    returns: {rows: [{id: integer}]}
  - id: both
    parallel:
      slow: [{id: rest, wait: 3d}]
      quick: [{id: tell, uses: slack.post, with: {text: "Soon."}}]
"""
    + REMOVES
    + """\
        verify:
          uses: sql.query
          with: {database: crm, statement: SELECT count(*) AS n FROM thing}
          returns: {rows: [{n: integer}]}
          expect: result.rows[0].n >= 0
        undo: none
"""
)

POLICY = """
defaults: {expires: 24h}
rules:
  - name: deleting
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 1}]
databases: {crm: {url: "sqlite:////nowhere/crm.db"}}
"""

TESTS = """
workflow: tidy-up
policy: policy.yaml
people: {"@owners": [omar], "@deputies": [dina], "@deciders": [ana, ben]}
answers:
  found: {output: {rows: [{id: 1}, {id: 2}]}}
  remove/verify: {output: {rows: [{n: 0}]}}
tests:
  - name: all forms of steps
    decisions:
      - {step: which, by: omar, answer: {days: 30}}
      - {step: remove/0, by: ana, verdict: approve}
      - {step: remove/1, by: ben, verdict: approve}
    expect:
      outcome: done
      steps: [which, found, tell, rest, remove/0, remove/1]
      effects: [tell, remove/0, remove/1]
      gates: [{step: remove/0, rules: [deleting]}, {step: remove/1, outcome: approved}]
      arguments: {found: {parameters: {days: 30}}, remove/1: {parameters: {id: 2}}}
      outputs: {each: {count: 2, failed: 0}}
  - name: an effect in doubt waits for the owner
    answers:
      remove: {plan: {summary: Remove a thing, lines: [thing 1]}}
      remove/0: {fails: timeout}
      remove/verify: {output: {rows: [{n: -1}]}}
    decisions:
      - {step: which, by: omar, answer: {days: 30}}
      - {step: remove, by: ana, verdict: approve}
      - {step: remove, by: dina, happened: unknown}
    expect: {outcome: aborted, effects: [tell], fails: {remove/0: timeout}}
  - name: a run that needs somebody is left as it is
    answers: {found: {fails: failed, error: no_such_table}}
    decisions: [{step: which, by: omar, answer: {days: 30}}]
    expect: {outcome: exception, steps: [which], fails: {found: no_such_table}}
"""


def written(folder: Path, tests: str = TESTS) -> Path:
    for name, text in (("tidy.yaml", FLOW), ("policy.yaml", POLICY), ("tidy.test.yaml", tests)):
        (folder / name).write_text(text)
    return folder


def play(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["test", *map(str, words)])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))


def test_every_form_of_step_is_played_and_no_wait_is_waited_for(tmp_path: Path) -> None:
    told = play(written(tmp_path))

    assert told.exit_code == 0, told.output
    assert told.output.endswith("3 test(s), 0 failed.\n")


def test_what_comes_out_otherwise_is_shown_at_its_line_and_written_for_a_build(
    tmp_path: Path,
) -> None:
    tests = (
        TESTS.replace("effects: [tell, remove/0, remove/1]", "effects: [remove/0]")
        .replace("remove/0, rules: [deleting]", "remove/0, stages: [{people: [ana]}]")
        .replace("by: ben, verdict: approve", 'by: omar, verdict: approve, refused: "own run"')
    )
    file, xml = written(tmp_path, tests) / "tidy.test.yaml", tmp_path / "results.xml"
    told = play("--json", file, "--junit", xml, "--only", "ALL FORMS")
    (found,) = json.loads(told.output)["tests"]

    assert told.exit_code == 1
    assert [(one["line"], one["path"]) for one in found["differences"]] == [
        (13, "decisions[2]"),
        (15, "expect.outcome"),
        (16, "expect.steps"),
        (17, "expect.effects"),
        (18, "expect.gates[0].stages[0].people"),
        (18, "expect.gates[1].outcome"),
        (20, "expect.outputs.each.failed"),
    ]
    assert found["differences"][4]["expected"] == "ana"
    assert found["differences"][4]["found"] == "ana, ben"
    (case,) = ET.parse(xml).iter("testcase")
    assert case.attrib["name"] == "all forms of steps"
    assert "line 18: expect.gates[0]" in case[0].attrib["message"]


def test_an_answer_that_nobody_recorded_or_that_does_not_fit_is_asked_for(tmp_path: Path) -> None:
    recorded = "  found: {output: {rows: [{id: 1}, {id: 2}]}}\n"
    odd = TESTS.replace(recorded, "  found: {output: {rows: 5}}\n")
    unfit = play(written(tmp_path, odd), "--only", "all forms")
    missing = play(written(tmp_path, TESTS.replace(recorded, "")), "--only", "all forms")

    assert "its recorded output is none of sql.query: rows" in unfit.output
    assert "expected: an answer for found" in missing.output
    assert "found:    none that fits (Read from crm)" in missing.output


MANY = """
workflow: many-inputs
title: Many
owner: "@owners"
deputy: "@deputies"
inputs:
  who: {type: user, title: Who}
  place: {type: channel, title: Place}
  sheet: {type: file, title: Sheet, types: [xlsx]}
  account:
    type: string
    title: Account
    options:
      uses: sql.query
      with: {database: crm, statement: SELECT id FROM account}
      returns: {rows: [{id: string}]}
      items: result.rows
      value: item.id
steps:
  - id: tell
    uses: slack.post
    with: {text: "${{ inputs.who.name }} ${{ inputs.place.name }} ${{ inputs.account }}"}
"""
GIVEN = """
workflow: many-inputs
answers: {options: {output: {rows: [{id: a1}, {id: a2}]}}}
tests:
  - name: what Slack and a service would know is believed
    inputs: {who: "@ana", place: "#ops", sheet: F0SHEET, account: a2}
    expect: {outcome: done, arguments: {tell: {text: ana ops a2}}}
  - name: what a service does not offer is refused
    inputs: {who: "@ana", place: "#ops", sheet: F0SHEET, account: a9}
    refused: not offered
"""


def test_inputs_that_are_looked_up_need_neither_slack_nor_a_service(tmp_path: Path) -> None:
    for name, text in (("many", MANY), ("many.test", GIVEN)):
        (tmp_path / f"{name}.yaml").write_text(text)
    told = play(tmp_path)

    assert told.exit_code == 0, told.output


OUTER = """
workflow: outer
title: Outer
owner: "@owners"
deputy: "@deputies"
steps:
  - {id: inner, workflow: tidy-thing, inputs: {name: "${{ run.id }}"}}
  - {id: tell, uses: slack.post, with: {text: "It ended ${{ steps.inner.output.outcome }}."}}
"""
INNER = """
workflow: tidy-thing
title: Tidy a thing
owner: "@owners"
deputy: "@deputies"
inputs: {name: {type: string, max_length: 40}}
steps:
  - id: remove
    uses: sql.execute
    with:
      database: crm
      statement: DELETE FROM thing WHERE name = :name
      parameters: {name: "${{ inputs.name }}"}
    approval: {stages: [{from: ["@deputies"], approve: 1}]}
    verify:
      uses: sql.query
      with: {database: crm, statement: SELECT count(*) AS n FROM thing}
      returns: {rows: [{n: integer}]}
      expect: result.rows[0].n == 0
    undo: none
"""
NESTED = """
workflow: outer
people: {"@owners": [omar], "@deputies": [dina]}
tests:
  - name: a workflow within another is played too
    answers: {tidy-thing.remove/verify: {output: {rows: [{n: 0}]}}}
    decisions: [{step: tidy-thing.remove, by: dina, verdict: approve, after: 1h}]
    expect:
      outcome: done
      steps: [inner, tell, tidy-thing.remove]
      effects: [tidy-thing.remove, tell]
      gates: [{step: tidy-thing.remove, outcome: approved}]
      arguments:
        tidy-thing.remove: {parameters: {name: "00000000000000000000000000000001"}}
        tell: {text: It ended done.}
  - name: one that stops is left as it is
    answers: {tidy-thing.remove: {fails: failed, error: no_such_table}}
    decisions: [{step: tidy-thing.remove, by: dina, verdict: approve}]
    expect: {outcome: waiting, fails: {tidy-thing.remove: no_such_table}}
"""


def test_a_workflow_that_is_started_on_the_way_is_played_with_it(tmp_path: Path) -> None:
    for name, text in (("outer", OUTER), ("inner", INNER), ("outer.test", NESTED)):
        (tmp_path / f"{name}.yaml").write_text(text)
    told = play(tmp_path)

    assert told.exit_code == 0, told.output
    assert "only the gates of the workflow files themselves were played" in told.output


def test_a_test_that_names_what_is_not_there_plays_nothing(tmp_path: Path) -> None:
    tests = TESTS.replace("step: which", "step: wich").replace("  found:", "  fuond:", 1)
    told = play(written(tmp_path, tests))

    assert told.exit_code == 2
    assert "tidy.test.yaml:6:3: answers.fuond: names no step 'fuond'" in told.output
    assert "did you mean 'which'?" in told.output
    assert "Nothing was played." in told.output


def test_what_the_policy_does_not_allow_is_not_done_in_a_test_either(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "policy.yaml").write_text(POLICY.replace("databases: {crm", "databases: {other"))
    told = play(folder)

    assert told.exit_code == 2
    assert "'crm'" in told.output


def test_a_folder_without_a_test_is_no_success(tmp_path: Path) -> None:
    told = play(tmp_path)
    narrowed = json.loads(play(tmp_path, "--only", "refund", "--json").stdout)

    assert told.exit_code == 2
    assert "There is no test here." in told.output
    assert narrowed["message"] == "No test here has 'refund' in its name."
    assert (narrowed["ok"], narrowed["refusal"]) == (False, "UsageError")


def test_the_schema_of_tests_accepts_those_that_are_shipped() -> None:
    made = json.loads(CliRunner().invoke(main, ["schema", "--tests"]).output)
    validator = jsonschema.Draft202012Validator(made)
    for file in sorted((SHIPPED / "tests").glob("*.yaml")):
        plain = json.loads(json.dumps(YAML(typ="safe").load(file.read_text()), default=str))
        validator.validate(plain)

    assert not validator.is_valid({"workflow": "a", "tests": [{"name": "b", "expct": {}}]})


def test_the_shipped_workflows_pass_their_tests() -> None:
    told = play(SHIPPED)

    assert told.exit_code == 0, told.output
