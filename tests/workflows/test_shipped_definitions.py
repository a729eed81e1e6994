"""What is shipped checks clean, is found by name, and does what it says to real targets."""

import json
import sqlite3
import subprocess
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.workflows.definition_kit import HEAD, REFUND, SHIPPED, demo_policy, real_actions, said
from workflows.actions.base import Effect
from workflows.catalog import Catalog
from workflows.check import check, check_text, schema
from workflows.definition_steps import Work, raised
from workflows.entry import Json
from workflows.errors import UnknownWorkflowError
from workflows.expression import Scope
from workflows.loading import load_definition, load_policy
from workflows.step_scope import StepScopes, check_output
from workflows.template import resolve

NAMES = (
    "nightly-check",
    "purge-stale-accounts",
    "refund-customer",
    "request-approval",
    "roll-back-release",
)


def catalog() -> Catalog:
    policy = demo_policy()
    return Catalog.load([SHIPPED], real_actions(policy), policy)


def test_every_shipped_file_checks_clean_without_a_single_warning() -> None:
    assert catalog().faults == ()
    assert catalog().names() == NAMES


def test_shipped_definitions_check_clean_without_a_policy_too() -> None:
    assert check([SHIPPED], real_actions(demo_policy())).faults == ()


@pytest.mark.parametrize(
    ("workflow", "effects"),
    [
        ("refund-customer", ["read", "destructive"]),
        ("purge-stale-accounts", ["read", "destructive"]),
        ("roll-back-release", ["read", "read", "read", "destructive"]),
        ("nightly-check", ["read", "read", "egress"]),
        ("request-approval", ["destructive"]),
    ],
)
def test_each_step_is_as_grave_as_it_is_said_to_be(workflow: str, effects: list[str]) -> None:
    actions = real_actions(demo_policy())
    steps = catalog().find(workflow).steps

    found = [raised(actions[one.uses].effect_of(one.arguments), one.effect) for one in steps]

    assert found == [Effect(one) for one in effects]


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(UnknownWorkflowError, match=r"Did you mean refund-customer\?"):
        catalog().find("refund-custmer")
    with pytest.raises(UnknownWorkflowError, match="There are: nightly-check"):
        catalog().find("x")


def test_the_schema_for_editors_accepts_what_is_shipped_and_refuses_a_typo() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    for name in NAMES:
        path = SHIPPED / f"{name}.yaml"
        plain = json.loads(json.dumps(YAML(typ="safe").load(path.read_text()), default=str))
        validator.validate(plain)
    broken = YAML(typ="safe").load(REFUND.replace("effect:", "efect:"))

    assert not validator.is_valid(broken)
    assert len(json.dumps(schema())) < 100_000


def test_a_purge_deletes_stale_accounts_and_no_others(tmp_path: Path) -> None:
    crm = sqlite3.connect(tmp_path / "crm.db")
    crm.row_factory = sqlite3.Row
    crm.execute("CREATE TABLE account (id, last_seen TEXT, on_hold INT, balance INT)")
    rows = [
        ("stale", "2001-01-01", 0, 0),
        ("held", "2001-01-01", 1, 0),
        ("owed", "2001-01-01", 0, 5),
        ("new", "2999-06-01", 0, 0),
    ]
    crm.executemany("INSERT INTO account VALUES (?, ?, ?, ?)", rows)
    purge = catalog().find("purge-stale-accounts")
    scopes = StepScopes(purge, real_actions(demo_policy()))
    outputs: dict[str, Json] = {}

    def run(work: Work) -> list[dict[str, Json]]:
        scope = Scope(inputs={"inactive_days": 730}, steps=outputs)
        filled = resolve(dict(work.arguments), scope, scopes.before("purge"))
        assert isinstance(filled, dict)
        done = crm.execute(str(filled["statement"]), filled["parameters"])
        return [dict(one) for one in done]

    step, verify = purge.step("purge"), purge.step("purge").verify
    assert verify is not None
    seen = run(purge.step("stale"))
    outputs["stale"] = check_output(purge.step("stale"), {"rows": seen})
    run(step)
    after = run(verify)

    left = [one["id"] for one in crm.execute("SELECT id FROM account ORDER BY id")]
    crm.close()
    assert [one["accounts"] for one in seen] == [1]
    assert after == [{"accounts": 0}]
    assert left == ["held", "new", "owed"]


def test_a_roll_back_moves_the_branch_once_and_only_from_where_it_was_seen(tmp_path: Path) -> None:
    commits = a_repository(tmp_path)
    definition = catalog().find("roll-back-release")
    scopes = StepScopes(definition, real_actions(demo_policy()))
    inputs: dict[str, Json] = {"release": "v1.0"}
    outputs: dict[str, Json] = {}
    for step in definition.steps[:3]:
        scope = Scope(inputs=inputs, steps=outputs)
        args = resolve(dict(step.arguments), scope, scopes.before(step.id))
        outputs[step.id] = {"stdout": git(tmp_path, *args["args"])}
    move = definition.step("roll_back")
    scope = Scope(inputs=inputs, steps=outputs, run={"id": "r1"})
    filled = resolve(dict(move.arguments), scope, scopes.before(move.id))

    assert move.when is not None
    assert scopes.before(move.id).holds(move.when, scope)
    git(tmp_path, *filled["args"])
    assert git(tmp_path, "rev-parse", "deployed").strip() == commits[0]
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, *filled["args"])


def a_repository(folder: Path) -> list[str]:
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commits = []
    for number in range(3):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", f"Release {number}")
        git(folder, "tag", f"v1.{number}")
        commits.append(git(folder, "rev-parse", "HEAD").strip())
    git(folder, "branch", "deployed")
    return commits


def git(folder: Path, *words: str) -> str:
    name = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@localhost"}
    own = {"GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@localhost"}
    apart = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**name, **own, **apart},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_a_definition_that_nearly_repeats_another_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(REFUND)
    copy = REFUND.replace("refund-customer", "refund-vip").replace("minimum: 1", "minimum: 2")
    (tmp_path / "two.yaml").write_text(copy)
    policy = demo_policy()

    report = check([tmp_path], real_actions(policy), policy)

    assert report.errors == ()
    assert [one.what for one in report.warnings] == ["is nearly a copy of refund-customer"]
    assert str(report.warnings[0]).startswith(f"{tmp_path}/two.yaml:1:11: warning: workflow: ")


def test_one_name_belongs_to_one_definition(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(REFUND)
    (tmp_path / "two.yaml").write_text(REFUND)

    report = check([tmp_path], real_actions(demo_policy()))

    assert "one.yaml already holds a workflow called refund-customer" in report.errors[0].what


def test_a_policy_among_the_files_is_checked_as_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("defaults: {expires: 24h}\nrules: []\n")

    report = check([tmp_path], real_actions(demo_policy()))

    assert [one.path for one in report.errors] == ["rules"]


def test_a_file_that_is_not_there_or_no_text_is_a_fault_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")

    report = check([tmp_path / "bytes.yaml", tmp_path / "none.yaml"], real_actions(demo_policy()))

    assert "is not UTF-8 text" in str(report.errors[0])
    assert "is not there, write it, or name another" in str(report.errors[1])


DROP = f"""{HEAD}steps:
  - id: drop
    uses: sql.execute
    with: {{database: crm, statement: DELETE FROM account WHERE id = 1}}
    undo: none
"""


def test_something_destructive_needs_proof() -> None:
    (found,) = said(DROP)

    assert found.startswith("6:5: steps[0].verify: is missing on a destructive step, add verify")


@pytest.mark.parametrize(
    ("condition", "is_asked"),
    [
        ('workflow == "other"', False),
        ('effect == "read" || step == "look"', False),
        ('workflow == "other" && inputs.amount > 5', False),
        ('effect == "destructive" && inputs.amount > 5', True),
        ("hour > 22", True),
        ('args.statement.startsWith("DELETE")', True),
    ],
)
def test_something_destructive_needs_a_rule_that_can_apply(condition: str, is_asked: bool) -> None:  # noqa: FBT001
    rules = f"""defaults: {{expires: 24h}}
rules: [{{name: some, when: '{condition}', stages: [{{from: ["@a"]}}]}}]
databases: {{crm: {{url: "sqlite:////srv/a.db"}}}}
"""
    policy = load_policy(rules)

    _, faults = check_text(DROP, "f", real_actions(policy), policy=policy)

    paths = {one.path for one in faults}
    assert ("steps[0].approval" not in paths) is is_asked


def test_what_cannot_be_taken_back_has_to_be_said_aloud() -> None:
    text = REFUND.replace("    undo: none\n", "")

    (found,) = said(text)

    assert found.startswith("16:5: warning: steps[1].undo: is not said, write undo: none if")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ("lock: order/$", "lock: order/"),
            "10:7: warning: lock: is no expression: {{ inputs.order",
        ),
        (
            ('"${{ inputs.amount }}"', '"${inputs.amount}"'),
            "with.json.amount: is no expression: ${in",
        ),
    ],
)
def test_what_only_looks_like_an_expression_is_pointed_out(
    change: tuple[str, str], fault: str
) -> None:
    assert change[0] in REFUND

    found = [one for one in said(REFUND.replace(*change)) if "is no expression" in one]

    assert [fault in one for one in found] == [True]
    assert found[0].endswith("write it as ${{ … }}")


def test_an_input_nobody_uses_is_pointed_out_unless_it_is_words_for_people() -> None:
    unused = REFUND.replace(
        "  note:", "  why: {type: string, multiline: true}\n  extra: {type: date}\n  note:"
    )

    assert [one.split(",")[0] for one in said(unused)] == [
        "10:3: warning: inputs.extra: is asked for but never used"
    ]


def test_a_fraction_in_an_effect_is_pointed_out() -> None:
    text = REFUND.replace(
        'amount: "${{ inputs.amount }}"', 'amount: "${{ inputs.rate }}", tip: 1.5'
    )

    places = [one.split(" is a number")[0] for one in said(text)]

    assert places == [
        "19:72: warning: steps[1].with.json.amount:",
        "19:99: warning: steps[1].with.json.tip:",
    ]


def test_a_definition_reads_the_same_from_a_file_and_from_text() -> None:
    path = SHIPPED / "refund-customer.yaml"

    assert load_definition(path) == load_definition(path.read_text())
