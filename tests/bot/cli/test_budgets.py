"""`interlock policy budgets`: what is used, by whom, and when room comes back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from storage.database import Database
from storage.log_setup import init_log
from storage.store import SqlStore
from tests.storage.run_drafts import fact, intended, new_run, started
from workflows.entry import Json
from workflows.people import PersonId

NOW = datetime.now(UTC)
POLICY = """
defaults: {expires: 24h}
rules:
  - {name: any, when: effect == "destructive", stages: [{from: ["@leads"]}]}
"""
BUDGETS = """
budgets:
  - {name: refunds, when: "true", amount: 1, limit: 5000, window: 24h}
  - {name: per customer, when: "true", amount: 1, per: inputs.customer, limit: 1000, window: 7d}
  - {name: per person, when: "true", amount: 1, per: requester, limit: 10, window: 7d}
  - {name: unused, when: "true", amount: 1, limit: 3, window: 1h}
"""


@pytest.fixture
def store(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SqlStore:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", database_url)
    (tmp_path / "policy.yaml").write_text(POLICY + BUDGETS)

    def now() -> datetime:
        return NOW - timedelta(hours=2)

    journal = init_log(database, tmp_path, origin="interlock.example/audit/T0ABC", now=now)
    return SqlStore(database, journal, now=now)


def used(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.add_run(new_run())
        unit.append(started())
        acme = unit.budget_key("per customer", "acme")
        rita = unit.ref(PersonId("slack:T0:U0RITA"), "Rita")
        shares: list[Json] = [
            {"name": "refunds", "key": "", "amount": 1200},
            {"name": "per customer", "key": acme, "amount": 700},
            {"name": "per person", "key": rita, "amount": 4},
        ]
        draft = intended(request=None)
        unit.append(fact(draft.kind, **{**draft.data, "budgets": shares}))


def test_each_budget_says_what_is_used_what_is_left_and_when_more_comes(store: SqlStore) -> None:
    used(store)
    told = CliRunner().invoke(main, ["policy", "budgets"])
    day, week = (NOW + timedelta(hours=22, minutes=1)), NOW + timedelta(days=7, minutes=-119)

    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        "refunds: 5,000 in any 1d",
        f"    1,200 used, 3,800 left; more comes back at {day:%Y-%m-%d %H:%M} UTC",
        "per customer: 1,000 in any 7d for each inputs.customer",
        f"    acme: 700 used, 300 left; more comes back at {week:%Y-%m-%d %H:%M} UTC",
        "per person: 10 in any 7d for each requester",
        f"    Rita: 4 used, 6 left; more comes back at {week:%Y-%m-%d %H:%M} UTC",
        "unused: 3 in any 1h",
        "    0 used, 3 left",
    ]


def test_the_same_as_data(store: SqlStore) -> None:
    used(store)
    told = json.loads(CliRunner().invoke(main, ["policy", "budgets", "--json"]).output)
    refunds, customers, *_ = told["budgets"]

    assert (refunds["name"], refunds["limit"], refunds["window"]) == ("refunds", 5000, "1d")
    assert refunds["uses"][0]["used"] == 1200
    assert customers["uses"][0]["for"] == "acme"
    assert customers["uses"][0]["key"].startswith("b:")


def test_a_policy_without_budgets_says_so(store: SqlStore, tmp_path: Path) -> None:
    assert store.database is not None
    (tmp_path / "policy.yaml").write_text(POLICY)

    assert CliRunner().invoke(main, ["policy", "budgets"]).output == "The policy has no budgets.\n"
