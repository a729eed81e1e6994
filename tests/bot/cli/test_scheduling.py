"""`interlock schedule` while nobody serves: set, see, pause, resume, delete."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.journeys.company import SHIPPED

DAY = datetime(datetime.now(UTC).year + 1, 3, 1, tzinfo=UTC)  # Winter in Berlin, and to come.
WHEN = [f"{DAY:%Y-%m-%d}", "9:00"]
PURGE = "purge-stale-accounts"
ORDER = """
workflow: order
title: Order
owner: "@ops"
deputy: "@leads"
inputs: {amount: {type: integer, title: Amount}}
steps:
  - id: send
    uses: http.request
    with: {service: shop, method: POST, path: /orders, json: {amount: "${{ inputs.amount }}"}}
    effect: write
    undo: none
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    monkeypatch.setenv("INTERLOCK_CHANNEL", "ops")
    CliRunner().invoke(main, ["init"])
    schedule("pause", "no/such")  # The first order of all publishes the files.


def schedule(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["schedule", *words], input=typed)


def data(*words: str) -> dict[str, object]:
    told = schedule(*words, "--json")
    assert told.exit_code == 0, told.output
    found: dict[str, object] = json.loads(told.output)
    return found


def listed() -> dict[str, dict[str, object]]:
    found = data("list")["schedules"]
    assert isinstance(found, list)
    return {str(one["schedule"]): one for one in found}


def test_a_schedule_is_set_seen_paused_resumed_and_deleted() -> None:
    told = data("add", PURGE, *WHEN, "--timezone", "Europe/Berlin", "--yes")
    name = str(told["schedule"])

    assert (told["asks_people"], told["may_ask_people"]) == (True, True)
    assert told["moments"] == [
        f"{DAY:%a %-d %b %Y}, 09:00 CET (Europe/Berlin) · {DAY:%a %-d %b %Y}, 08:00 UTC"
    ]
    assert listed()[name]["next"] == f"{DAY:%Y-%m-%d}T08:00:00.000Z"
    assert listed()[name]["from_file"] is False
    assert data("pause", name)["changed"] is True
    assert data("pause", name)["changed"] is False
    assert (listed()[name]["state"], listed()[name]["next"]) == ("paused", None)
    assert data("resume", name)["state"] == "active"
    assert data("delete", name)["changed"] is True
    assert name not in listed()
    assert "There is no schedule" in schedule("pause", name).output


def test_a_schedule_of_somebody_who_was_erased_is_not_said_to_be_of_the_file(
    tmp_path: Path,
) -> None:
    name = str(data("add", PURGE, *WHEN, "--yes")["schedule"])
    with closing(sqlite3.connect(tmp_path / "home" / "interlock.db")) as connection:
        connection.execute("DELETE FROM audit_subject")
        connection.commit()

    (line,) = (one for one in schedule("list").output.splitlines() if one.startswith(name))
    assert line.endswith("  by somebody")
    assert listed()[name]["by"] is None


def test_a_rhythm_by_utc_is_set_by_utc_whatever_clock_the_command_names() -> None:
    words = ("every", "day", "9:00", "UTC")
    told = data("add", "nightly-check", *words, "--timezone", "Asia/Tokyo", "--yes")
    found = listed()[str(told["schedule"])]

    assert "09:00 UTC" in str(told["moments"])
    assert (found["timezone"], str(found["next"])[11:16]) == ("UTC", "09:00")


def test_nothing_is_set_before_somebody_agreed_to_the_moments() -> None:
    before = listed()
    told = schedule("add", "nightly-check", "every", "weekday", "9:00", typed="n\n")

    assert told.exit_code == 1
    assert "At 09:00 on Monday through Friday (UTC)" in told.output
    assert told.output.count("09:00 UTC") == 3
    assert listed() == before
    assert schedule("add", "nightly-check", "every", "hour", typed="y\n").exit_code == 0
    assert len(listed()) == len(before) + 1


def test_what_only_a_rule_asks_about_is_told_as_far_as_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = "services: {shop: {base_url: https://shop.example.com, paths: [/orders]}}"
    rules = [("large", "inputs.amount > 500"), ("late", "inputs.amount > 100 && hour > 18")]
    told = ", ".join(
        f'{{name: {n}, when: "{w}", stages: [{{from: ["@leads"]}}]}}' for n, w in rules
    )
    policy = f"defaults: {{expires: 24h}}\nrules: [{told}]\n{shop}\n"
    (tmp_path / "policy.yaml").write_text(policy)
    (tmp_path / "order.yaml").write_text(ORDER)
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(tmp_path))
    monkeypatch.setenv("INTERLOCK_POLICY", str(tmp_path / "policy.yaml"))
    asked = {n: data("add", "order", *WHEN, f"amount={n}", "--yes") for n in (5, 300, 900)}
    words = schedule("add", "order", *WHEN, "amount=300", "--yes").output

    assert [(one["asks_people"], one["may_ask_people"]) for one in asked.values()] == [
        (False, False),
        (False, True),
        (True, True),
    ]
    assert "People may be asked when it fires." in words


def test_a_definition_that_cannot_be_read_hides_no_schedule(tmp_path: Path) -> None:
    told = data("add", PURGE, *WHEN, "--yes")
    before = listed()
    with closing(sqlite3.connect(tmp_path / "home" / "interlock.db")) as database:
        database.execute(
            "UPDATE definition_version SET canonical = '{}' WHERE workflow = ?", (PURGE,)
        )
        database.commit()

    assert listed().keys() == before.keys()
    found = listed()[str(told["schedule"])]
    assert found["is_retired"] is False
    assert "somebody changed it in the database" in str(found["trouble"])
    assert "somebody changed it in the database" in schedule("list").output


def test_a_schedule_of_a_file_is_paused_and_not_deleted() -> None:
    (name,) = [one for one, told in listed().items() if told["from_file"]]

    assert data("pause", name)["changed"] is True
    assert listed()[name]["state"] == "paused"
    refused = schedule("delete", name)
    assert refused.exit_code == 2
    assert "stands in the workflow's file" in refused.output
    assert data("resume", name)["changed"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", PURGE, "tomorrow", "--yes"], "at what time"),
        (["add", PURGE, "2020-01-01", "9:00", "--yes"], "has passed"),
        (["add", PURGE, *WHEN, "--timezone", "Mars/Olympus", "--yes"], "not known here"),
        (["add", PURGE, *WHEN, "--timezone", "localtime", "--yes"], "not known here"),
        (["add", PURGE, *WHEN, "--timezone", "right/UTC", "--yes"], "not known here"),
        (["add", PURGE, *WHEN, "inactive_days=1", "--yes"], "inactive_days"),
        (["add", "refund-customer", *WHEN, "--yes"], "please give a value"),
        (["add", "purge-stale", *WHEN, "--yes"], PURGE),
        (["add", PURGE, *WHEN, "--json"], "add --yes"),
        (["pause", "no/such"], "There is no schedule"),
    ],
)
def test_what_cannot_be_done_says_what_would_be_right(words: list[str], told: str) -> None:
    before = listed()
    refused = schedule(*words)

    assert refused.exit_code == 2
    assert told in refused.output
    assert listed() == before


def test_a_refusal_is_data_where_json_was_asked_for() -> None:
    told = json.loads(schedule("pause", "no/such", "--json").output)

    assert told["ok"] is False
    assert told["refusal"] == "ScheduleClosedError"
    assert "interlock schedule list" in told["hint"]
