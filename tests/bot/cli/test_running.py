"""`interlock run` while nobody serves."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from bot.cli import main
from bot.holder import Holder
from bot.orders import AnyOrder
from bot.settings import read_settings
from storage.database import open_database
from storage.history import read_run
from tests.journeys.company import SHIPPED
from workflows.entry import Entry, Json, RunId
from workflows.errors import UnknownRunError
from workflows.people import PersonId

WRONG = ["run", "refund-customer", "who=x", "--channel", "ops"]
AGAIN = "Correct these fields and run it again."


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    CliRunner().invoke(main, ["init"])


def test_wrong_values_are_told_in_sentences_for_the_command_line() -> None:
    told = CliRunner().invoke(main, WRONG)

    assert told.exit_code == 2
    assert "who: there is no such field" in told.output
    assert told.output.endswith(f". {AGAIN}\n")
    assert "form" not in told.output


def test_a_run_goes_on_where_other_homes_of_its_database_are_at_work(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "second"))
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", postgres_url)
    typed = ["run", "nightly-check", "--channel", "ops"]
    CliRunner().invoke(main, ["init"])
    alone = CliRunner().invoke(main, typed)
    database = open_database(postgres_url)
    with database.begin() as tx:
        tx.connection.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    database.close()
    beside = CliRunner().invoke(main, typed)

    assert alone.stdout.endswith(" Nobody serves now; it goes on with `interlock serve`.\n")
    assert beside.stdout.startswith("Started run ")
    assert "Nobody serves" not in beside.stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["cancel", "nonsense", "--reason", "x"], "See `interlock runs`."),
        (["try", "refund-customr"], "Did you mean 'refund-customer'?"),
    ],
)
def test_a_name_that_nothing_has_leads_on(words: list[str], hint: str) -> None:
    told = CliRunner().invoke(main, words)

    assert told.exit_code == 2
    assert told.output.endswith(f" {hint}\n")


@pytest.mark.parametrize("words", [("cancel", "r1"), ("settle", "r1", "order", "skip")])
def test_a_reason_has_words_in_it(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(main, [*words, "--reason", " "])

    assert told.exit_code == 2
    assert "reason: " in told.output


def test_json_names_a_refusal_as_if_no_bot_served(tmp_path: Path) -> None:
    beside = ["cancel", "nonsense", "--reason", "x", "--json"]
    alone = json.loads(CliRunner().invoke(main, beside).output)

    def refuse(_order: AnyOrder, _person: PersonId) -> Mapping[str, Json]:
        raise UnknownRunError("There is no run nonsense.")

    holder = Holder(tmp_path / "home", refuse)
    holder.start()
    served = json.loads(CliRunner().invoke(main, beside).output)
    holder.stop()

    assert served == alone
    assert (alone["refusal"], alone["hint"]) == ("UnknownRunError", "See `interlock runs`.")


def test_the_hint_about_wrong_values_is_data_where_json_was_asked_for() -> None:
    told = json.loads(CliRunner().invoke(main, [*WRONG, "--json"]).output)

    assert told["hint"] == AGAIN
    assert told["message"].endswith(".")
    assert "who" in told["fields"]


MOVE = """
workflow: move-it
title: Move it
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
inputs:
  tags: {type: list, of: {type: string}}
  at: {type: datetime}
  day: {type: date, default: "2031-05-06"}
  size: {type: enum, choices: [small, large]}
  who: {type: user, required: false}
steps:
  - {id: say, uses: slack.post, with: {text: "${{ inputs.tags[0] }}"}}
"""
TYPED = ("run", "move-it", "tags=one, two", "at=2030-03-17T18:46+01:00", "size=large")


@pytest.fixture
def _move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "move-it.yaml").write_text(MOVE)
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(tmp_path / "files"))
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)


@pytest.mark.usefixtures("_move")
def test_lists_and_moments_are_typed_on_the_command_line() -> None:
    run = json.loads(CliRunner().invoke(main, [*TYPED, "--json"]).stdout)["run"]
    (first, *_) = run_entries(run)
    part = first.parts["input"].value

    assert json.loads(part or b"") == {
        "tags": ["one", "two"],
        "at": "2030-03-17T17:46:00Z",
        "day": "2031-05-06",
        "size": "large",
        "who": None,
    }


@pytest.mark.usefixtures("_move")
def test_without_slack_nobody_is_believed_to_exist() -> None:
    told = CliRunner().invoke(main, [*TYPED, "who=@rita"])

    assert told.exit_code == 2
    assert "who: @rita could not be looked up, since Slack is not asked here" in told.output
    assert "Slack" in told.output


def run_entries(run: str) -> list[Entry]:
    settings = read_settings()
    database = open_database(settings.database_url)
    try:
        with database.read() as connection:
            return read_run(connection, RunId(run))
    finally:
        database.close()
