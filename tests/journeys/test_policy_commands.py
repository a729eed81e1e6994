"""`interlock policy explain` and `replay` beside a bot that serves, on runs as they were."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.wording import utc
from tests.journeys.day import Case, Day
from workflows.delegating import NewDelegation
from workflows.people import PersonId

BIG = "inputs.amount > 50000"
DEAR = "ord_1057"  # 83610 were paid for it; what other orders cost may be less than what is asked.


@pytest.fixture
def beside(day: Day, monkeypatch: pytest.MonkeyPatch) -> Day:
    """Give commands the settings of the bot, its token included."""
    stage, slack = day.stage, day.stage.slack
    for name, value in {
        "INTERLOCK_HOME": stage.home,
        "INTERLOCK_WORKFLOWS": stage.workflows,
        "INTERLOCK_POLICY": stage.policy,
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
    }.items():
        monkeypatch.setenv(name, str(value))
    return day


def interlock(*words: str, code: int = 0) -> Result:
    told = CliRunner().invoke(main, [*words])
    assert told.exit_code == code, told.output
    return told


def explained(*words: str) -> dict[str, Any]:
    (step,) = json.loads(interlock("policy", "explain", *words, "--json").stdout)["steps"]
    return dict(step)


def refund(amount: int) -> list[str]:
    values = ("order=ord_1", f"amount={amount}", "reason=x")
    return ["--workflow", "refund-customer", *(word for one in values for word in ("-i", one))]


# --- explain --------------------------------------------------------------------------------------


def test_a_run_that_waits_says_who_could_approve_it_and_who_not(beside: Day) -> None:
    case = Case(beside)
    case.card(case.asks())
    run = str(case.entries()[0].run)
    step = explained(run)

    assert (step["step"], step["asks"], step["unknown"]) == ("refund", True, [])
    assert [one["rule"] for one in step["rules"] if one["match"] == "matched"] == [
        "refunds",
        "the definition",
    ]
    assert step["people"] == [
        {
            "from": ["@finance-leads"],
            "could_approve": ["@ana", "@ben"],
            "left_out": {},
            "why_not": "",
            "away": {},
        }
    ]
    assert "asked for by @rita" in interlock("policy", "explain", run).stdout


@pytest.fixture
def sam_approves(beside: Day) -> Iterator[Day]:
    """Have Sam, who may start refunds, belong to those who approve them."""
    beside.stage.slack.workspace.join_group("sam", "finance-leads")
    Case(beside).is_heard()
    yield beside
    beside.stage.slack.workspace.leave_group("sam", "finance-leads")


def test_a_changed_run_is_explained_with_its_new_values_and_without_its_editor(
    sam_approves: Day,
) -> None:
    case = Case(sam_approves)
    case.order = DEAR
    root = case.asks()
    card = case.card(root)
    sam = case.person("sam")
    sam.click("Change", message=card)
    sam.wait_for_view("Order")
    sam.submit({"Amount in cents": "60000"})
    case.card(root, other_than=card)
    step = explained(str(case.entries()[0].run))
    big = next(one for one in step["rules"] if one["rule"] == "big refunds")

    assert big["match"] == "matched"
    assert big["saw"]["inputs.amount"] == "60000"
    assert step["people"][0]["left_out"] == {"@sam": "changer"}
    assert "@sam" not in step["people"][0]["could_approve"]


def test_whoever_acts_for_the_requester_is_told_not_to_approve(beside: Day) -> None:
    case = Case(beside)
    case.card(case.asks())
    run = str(case.entries()[0].run)
    rita, ana = (
        PersonId(f"slack:{case.slack.workspace.id}:{case.person(name).id}")
        for name in ("rita", "ana")
    )
    core, until = beside.bot.core, beside.time() + timedelta(days=1)
    core.engine.delegate(NewDelegation(giver=rita, stand_in=ana, until=until))
    step = explained(run)
    word = core.store.delegation_by(rita, at=beside.time())
    assert word is not None
    core.engine.come_back(rita, entry=word.entry)

    assert step["people"][0]["left_out"] == {"@ana": "delegate"}
    assert step["people"][0]["could_approve"] == ["@ben"]
    assert step["stops"] == ""


def test_who_stands_in_for_those_who_could_approve_is_named_unless_they_may_not(
    beside: Day,
) -> None:
    case = Case(beside)
    case.card(case.asks())
    run = str(case.entries()[0].run)
    ana, ben, dora, rita = (
        PersonId(f"slack:{case.slack.workspace.id}:{case.person(name).id}")
        for name in ("ana", "ben", "dora", "rita")
    )
    core, until = beside.bot.core, beside.time() + timedelta(days=1)
    core.engine.delegate(NewDelegation(giver=ana, stand_in=dora, until=until))
    core.engine.delegate(NewDelegation(giver=ben, stand_in=rita, until=until))
    away = explained(run)["people"][0]["away"]
    told = interlock("policy", "explain", run).stdout
    untried = interlock("policy", "explain", *refund(500), "--requester", "@sam").stdout
    for who in (ana, ben):
        word = core.store.delegation_by(who, at=beside.time())
        assert word is not None
        core.engine.come_back(who, entry=word.entry)

    assert {name: one["stand_in"] for name, one in away.items()} == {"@ana": "@dora", "@ben": None}
    assert f"@ana is away until {utc(until)}: @dora decides in their place." in told
    assert f"@ben is away until {utc(until)}: nobody decides in their place." in told
    assert "@dora decides in their place" in untried
    assert explained(run)["people"][0]["away"] == {}


@pytest.mark.usefixtures("beside")
def test_where_too_few_are_left_it_is_said_that_the_step_would_stop() -> None:
    told = interlock("policy", "explain", *refund(60_000), "--requester", "@dora").stdout

    assert "It would stop there and ask nobody: @finance-directors has" in told


@pytest.mark.usefixtures("beside")
def test_a_workflow_with_values_is_explained_without_a_run() -> None:
    small, big = explained(*refund(500)), explained(*refund(60_000), "--requester", "@ana")

    assert [one["from"] for one in small["stages"]] == [["@finance-leads"]]
    assert [one["from"] for one in big["stages"]] == [["@finance-leads"], ["@finance-directors"]]
    assert big["people"][0]["could_approve"] == ["@ben"]
    assert big["people"][0]["left_out"] == {"@ana": "requester"}
    assert small["unknown"] == []


def test_without_a_token_groups_are_named_and_it_says_so(
    beside: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    del beside
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    told = interlock("policy", "explain", *refund(500)).stdout

    assert "1 of @finance-leads" in told
    assert "SLACK_BOT_TOKEN is not set" in told


def test_the_moment_counts_in_the_zone_of_the_policy(beside: Day, tmp_path: Path) -> None:
    night = tmp_path / "night.yaml"
    rule = '  - {name: night, when: hour >= 22, stages: [{from: ["@governors"]}]}\nservices:'
    night.write_text(beside.stage.policy.read_text().replace("services:", rule, 1))
    at = ("--policy", str(night), "--at")
    late = explained(*refund(500), *at, "2026-03-02T21:30:00Z")
    early = explained(*refund(500), *at, "2026-03-02T20:30:00Z")

    assert ["@governors"] in [one["from"] for one in late["stages"]]
    assert ["@governors"] not in [one["from"] for one in early["stages"]]
    assert next(one["saw"] for one in late["rules"] if one["rule"] == "night") == {"hour": "22"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Name a run, or a --workflow"),
        (("r1", "--workflow", "refund-customer"), "Name a run, or a --workflow"),
        (("nowhere",), "There is no run nowhere"),
        (("--workflow", "refund-custmer"), ". Did you mean 'refund-customer'?"),
        (("--workflow", "nope"), ". Known here: "),
        (("--workflow", "refund-customer", "-i", "amount=x"), "amount: must be a whole number"),
        ((*refund(5), "--step", "nothing"), "has no step 'nothing'"),
        ((*refund(5), "--at", "tomorrow"), "tomorrow"),
    ],
)
def test_what_is_asked_wrongly_says_what_would_be_right(
    beside: Day, words: tuple[str, ...], told: str
) -> None:
    del beside

    assert told in interlock("policy", "explain", *words, code=2).output


# --- replay ---------------------------------------------------------------------------------------


def replayed(*words: str, code: int = 0) -> list[dict[str, Any]]:
    told = interlock("policy", "replay", *words, "--json", code=code).stdout
    return [json.loads(line) for line in told.splitlines()]


def test_the_policy_in_force_would_decide_everything_the_same(beside: Day) -> None:
    case = Case(beside)
    card = case.card(case.asks())
    case.approves("ana", card)
    *others, counts = replayed()

    assert others == []
    assert counts["judged"] == counts["same"] > 0
    assert (counts["changes"], counts["not_evaluated"]) == ({}, 0)


def test_another_policy_is_held_against_what_was_asked(beside: Day, tmp_path: Path) -> None:
    case = Case(beside)
    case.card(case.asks(**{"Amount in cents": "700"}))
    run = case.entries()[0].run
    changed = tmp_path / "policy.yaml"
    text = beside.stage.policy.read_text().replace("amount > 50000", "amount > 600")
    changed.write_text(text.replace("remind: [2h, 8h]", "expires: 2h"))
    *others, counts = replayed("--since", "1d", "--policy", str(changed))
    (mine,) = [one for one in others if one["run"] == run]

    assert mine["step"] == "refund"
    assert mine["differences"] == [
        {
            "change": "other people",
            "before": "1 of @finance-leads",
            "now": "1 of @finance-leads, then 1 of @finance-directors",
        },
        {"change": "another end", "before": "1d", "now": "2h"},
        {"change": "other terms", "before": "", "now": "reason, remind"},
    ]
    assert counts["changes"]["another end"] == counts["judged"] == len(others)


def test_for_people_each_difference_stands_below_its_run(beside: Day, tmp_path: Path) -> None:
    case = Case(beside)
    case.card(case.asks())
    quick = tmp_path / "quick.yaml"
    quick.write_text(beside.stage.policy.read_text().replace("expires: 24h", "expires: 10h", 1))
    told = interlock("policy", "replay", "--policy", str(quick)).stdout

    assert f"run {case.entries()[0].run}  refund-customer/refund" in told
    assert "    another end: 1d → 10h" in told
    assert "  another end: " in told.splitlines()[-1]


def test_a_length_of_time_that_is_none_is_asked_wrongly(beside: Day) -> None:
    del beside

    assert (
        "write 30s, 5m, 24h or 2d"
        in interlock("policy", "replay", "--since", "soon", code=2).output
    )
