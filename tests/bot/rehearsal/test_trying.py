"""`interlock try`: what a run would read, ask and do is shown, and none of it is done."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import workflows
from bot.cli import main
from sandbox.targets.shop import ShopServer
from tests.bot.rehearsal.tidying import ASKS, REMOVES

SHIPPED = Path(workflows.__file__).parent / "definitions"

TIDY = (
    ASKS
    + """\
  - id: rest
    wait: 30d
  - id: found
    uses: sql.query
    with:
      database: crm
      statement: SELECT id FROM thing WHERE age > :days ORDER BY id
      parameters: {days: "${{ steps.which.output.days }}"}
    returns: {rows: [{id: integer}]}
"""
    + REMOVES
    + """\
        verify:
          uses: sql.query
          with: {database: crm, statement: SELECT count(*) AS n FROM thing WHERE id = 0}
          returns: {rows: [{n: integer}]}
          expect: result.rows[0].n > 0
        undo: none
"""
)

POLICY = """
defaults: {{expires: 24h}}
rules:
  - name: deleting
    when: effect == "destructive"
    stages: [{{from: ["@deciders"], approve: 2}}]
    reason: {{pattern: "^TICKET-[0-9]+$", hint: Name the ticket.}}
    hours: {{from: "03:00", to: "03:01"}}
databases: {{crm: {{url: "sqlite:///{path}"}}}}
"""

FIXTURES = """
people: {"@owners": [omar], "@deputies": [dina], "@deciders": [ana, ben, omar]}
answers:
  which: {output: {days: 30}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def attempt(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["try", *map(str, words)])


def shop_policy(folder: Path, url: str) -> Path:
    file = folder / "policy.yaml"
    text = (SHIPPED / "demo-policy.yaml").read_text()
    file.write_text(text.replace("http://127.0.0.1:8401", url))
    return file


REFUND = (SHIPPED / "refund-customer.yaml", "-i", "order=ord_1001", "-i", "reason=It broke.")


def test_reads_are_performed_only_where_that_is_wanted_and_effects_never(
    tmp_path: Path, home: Path
) -> None:
    with ShopServer(tmp_path) as shop:
        policy = shop_policy(tmp_path, shop.url)
        without = attempt(*REFUND, "-i", "amount=1", "--policy", policy)
        told = attempt(*REFUND, "-i", "amount=1", "--policy", policy, "--read")
        effects = shop.effects()

    assert without.exit_code == 1
    assert "not known: read it with --read" in without.output
    assert "It stops there. order: order was not read." in without.output
    assert told.exit_code == 0, told.output
    assert 'read: {"body": {' in told.output
    assert '  |   "amount": 1' in told.output
    assert "1. 1 of @finance-leads" in told.output
    assert effects == []
    assert not home.exists()


def test_a_plan_of_rows_is_the_databases_own_and_nothing_of_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as crm:
        crm.execute("CREATE TABLE thing (id INTEGER, age INTEGER)")
        crm.executemany("INSERT INTO thing VALUES (?, ?)", [(1, 40), (2, 3), (3, 50)])
        crm.commit()
    for name, text in (("tidy.yaml", TIDY), ("fixtures.yaml", FIXTURES)):
        (tmp_path / name).write_text(text)
    (tmp_path / "policy.yaml").write_text(POLICY.format(path=path))
    words = ["--policy", tmp_path / "policy.yaml", "--fixtures", tmp_path / "fixtures.yaml"]
    told = attempt(tmp_path / "tidy.yaml", *words, "--read", "--json")
    data = json.loads(told.output)
    with closing(sqlite3.connect(path)) as crm:
        left = crm.execute("SELECT count(*) FROM thing").fetchone()

    assert data["outcome"] == "done", data["why"]
    assert list(data["plans"]) == ["remove/0", "remove/1"]
    assert data["plans"]["remove/1"]["summary"] == "Delete 1 row in crm"
    assert data["reads"]["found"]["is_real"] is True
    (remove,) = data["steps"]
    assert remove["people"] == [
        {
            "from": ["@deciders"],
            "could_approve": ["@ana", "@ben"],
            "left_out": {"@omar": "requester"},
            "why_not": "",
        }
    ]
    assert left == (3,)


def test_what_stops_a_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "tidy.yaml").write_text(TIDY)
    (tmp_path / "policy.yaml").write_text(POLICY.format(path=tmp_path / "none.db"))
    (tmp_path / "alone.yaml").write_text(
        'people: {"@owners": [omar], "@deciders": [ana, omar]}\n'
        "answers: {which: {output: {days: 1}}, found: {output: {rows: [{id: 1}]}}}\n"
    )
    words = [tmp_path / "tidy.yaml", "--policy", tmp_path / "policy.yaml"]
    unanswered = attempt(*words)
    undecided = attempt(*words, "--fixtures", tmp_path / "alone.yaml")

    assert unanswered.exit_code == undecided.exit_code == 1
    assert "which asks a question; give its answer in the fixtures." in unanswered.output
    assert "has 1 person who may decide this, and 2 must agree" in undecided.output


def test_what_would_be_posted_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "seen.yaml").write_text(
        "answers:\n"
        "  shop: {output: {body: {ok: true}}}\n"
        "  accounts: {output: {rows: [{total: 9, stale: 2}]}}\n"
    )
    policy = shop_policy(tmp_path, "http://127.0.0.1:1")
    words = ["--policy", policy, "--fixtures", tmp_path / "seen.yaml"]
    told = attempt(SHIPPED / "nightly-check.yaml", *words)

    assert told.exit_code == 0, told.output
    assert "would be done: Post to this thread: Nightly check" in told.output
    assert "It was not reached" not in told.output


def test_values_that_do_not_fit_are_asked_wrongly(tmp_path: Path) -> None:
    policy = shop_policy(tmp_path, "http://127.0.0.1:1")
    told = attempt(*REFUND, "-i", "amount=none", "--policy", policy)

    assert told.exit_code == 2
    assert "amount: must be a whole number" in told.output


def test_where_nobody_knows_who_belongs_to_a_group_that_is_said_and_not_a_refusal(
    tmp_path: Path,
) -> None:
    policy = shop_policy(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "team.yaml").write_text('people: {"@support": ["@rita"]}\n')
    words = [*REFUND, "-i", "amount=1", "--policy", policy]
    unknown = attempt(*words, "--requester", "@rita")
    named = attempt(*words, "--requester", "@rita", "--fixtures", tmp_path / "team.yaml")
    refused = attempt(*words, "--requester", "@ben", "--fixtures", tmp_path / "team.yaml")

    assert unknown.exit_code == refused.exit_code == 2
    assert "Who belongs to @support is not known here" in unknown.output
    assert '`people: {"@support": ["@rita"]}`' in unknown.output
    assert "as asked by @rita" in named.output
    assert "You may not run refund-customer. @support may" in refused.output
