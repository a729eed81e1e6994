"""Who may do what, as the command tells it beside a bot that serves, and governors sign it."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.access_orders import AccessOrder
from bot.orders import carry_out
from bot.token_orders import TokenOrder
from sandbox.seen import SeenMessage
from storage.history import read_run
from tests.journeys.day import Case, Day, approve_label, day_at_work
from tests.journeys.test_exceptions import ME
from tests.journeys.test_policy_commands import beside, interlock
from workflows.entry import Entry, RunId
from workflows.errors import NotAllowedError
from workflows.people import PersonId

OPERATORS = f'operators: {{{ME}: "@ivan", deploy: "@petra"}}\n'

__all__ = ["beside"]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company in which somebody who left is still in a group."""
    home: Path = tmp_path_factory.mktemp("access")
    with day_at_work(home, more_policy=OPERATORS) as open_day:
        for name in ("dex", "gil"):
            open_day.stage.slack.workspace.join_group(name, "support")
        yield open_day


@pytest.mark.usefixtures("beside")
def test_the_list_resolves_groups_to_people_and_says_what_each_may() -> None:
    told = json.loads(interlock("access", "list", "--person", "ana", "--json").stdout)

    assert {(one["role"], one["scope"], one["via"]) for one in told["grants"]} == {
        ("approver", "rule refunds", "@finance-leads"),
        ("approver", "workflow refund-customer", "@finance-leads"),
    }
    assert told["unbound"] == ["viewer", "runner", "author", "auditor"]
    assert "approve and reject" in interlock("access", "list", "--person", "@ana").stdout


def test_accounts_of_the_machine_and_tokens_are_doors_too(beside: Day) -> None:
    order = TokenOrder(name="nightly", owner="@petra", workflows=("nightly-check",))
    carry_out(beside.bot.core, order, person=PersonId("os:root"))
    told = json.loads(interlock("access", "list", "--person", "petra", "--json").stdout)

    found = {(one["role"], one["scope"], one["via"]): one["findings"] for one in told["grants"]}
    assert found["operator", "account deploy", "@petra"] == []
    assert found["token", "workflow nightly-check", "nightly"] == ["never used"]


def test_a_review_finds_who_left_guests_and_what_nobody_uses(beside: Day) -> None:
    case = Case(beside)
    case.approves("ana", case.card(case.asks()))
    told = interlock("access", "review", code=1).stdout

    assert "dex (slack:T0ACME:U0DEX): deactivated: starter (workflow refund-customer)" in told
    assert "gil (slack:T0ACME:U0GIL): guest: starter" in told
    assert "U0DORA): never used" in told
    used = json.loads(interlock("access", "review", "--json", code=1).stdout)
    rita = {one["scope"]: one["last_used"] for one in used["grants"] if one["name"] == "rita"}
    assert rita["workflow refund-customer"] is not None
    assert rita["workflow request-approval"] is None  # She started the other one.
    assert [one["findings"] for one in used["grants"] if one["name"] == "ana"] == [[], []]


def test_governors_sign_the_report_that_they_were_shown(
    beside: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_CHANNEL", "ops")
    case = Case(beside)
    told = json.loads(interlock("access", "review", "--start", "--json").stdout)
    card = case.waits(lambda: _card(case), "the card of the review")
    assert "Sign the access review" in card.words
    assert told["channel"] == "#ops"
    assert f"/archives/{card.channel}/p{card.ts.replace('.', '')}?thread_ts=" in told["link"]

    report = interlock("access", "review", "--csv", code=1).stdout
    dora = case.person("dora")
    dora.click(approve_label(card), message=card)
    dora.wait_for_view("SHA-256")  # It is too long for a card, so it is signed where it is read.
    dora.submit({})
    entries = case.waits(lambda: _ended(beside, told["run"]), "the end of the review")

    (signed,) = [one for one in entries if one.kind == "action.executed"]
    assert json.loads(signed.parts["output"].value or b"")["digest"] == _digest(report)
    assert len(list(csv.DictReader(io.StringIO(report)))) > 10
    again = interlock("access", "review", code=1).stdout
    assert f"({_digest(report)[:12]}): " in again
    assert "U0DEX" not in again  # It stood out before, and they signed that.
    assert "U0DEX" in interlock("access", "review", "--all", code=1).stdout
    interlock("workflows")  # It is one of them from now on, and no file has to hold it.
    beside.bot.core.library.follow()
    assert beside.bot.core.library.active("access-review").owner == "@governors"


def test_an_account_without_a_person_in_slack_asks_for_no_review(beside: Day) -> None:
    with pytest.raises(NotAllowedError, match="the account guest is") as refused:
        carry_out(beside.bot.core, AccessOrder(), person=PersonId("os:guest"))

    assert 'operators: {guest: "@you"}' in refused.value.hint


def _digest(report: str) -> str:
    return hashlib.sha256(report.encode()).hexdigest()


def _card(case: Case) -> SeenMessage | None:
    roots = case.slack.workspace.messages("#ops")
    threads = [one for root in roots for one in case.slack.workspace.messages("#ops", thread=root)]
    return next((one for one in threads if "Reject" in one.buttons), None)


def _ended(day: Day, run: str) -> list[Entry] | None:
    with day.bot.core.memory.database.read() as connection:
        entries = list(read_run(connection, RunId(run)))
    return entries if entries[-1].kind == "run.finished" else None
