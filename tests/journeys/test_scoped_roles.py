"""Roles for some workflows at every door: commands, Home, tokens, the catalog, and the report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.api import Api
from bot.proposing import Proposing, Source
from sandbox.demo.stage import Stage
from sandbox.faults import server_error
from storage.listing import Wanted, list_runs
from tests.journeys.day import Case, Day, day_at_work
from tests.journeys.test_home import home_of
from tests.journeys.test_policy_commands import beside, interlock
from tests.journeys.test_roles import GOVERNORS, token_of
from tests.journeys.test_searching import answer, tell_of
from tests.journeys.test_shortcuts import FIND, SUMMARISE
from workflows.errors import NotAllowedError, UnknownWorkflowError
from workflows.loading import load_policy
from workflows.people import PersonId

__all__ = ["beside"]

BOUND = f"""{GOVERNORS}\
  viewers: ["@finance-ops", {{to: "@finance-leads", workflows: [refund-customer]}}]
  runners: [{{to: "@support", workflows: ["refund-*"]}}, "@platform"]
  auditors: [{{to: "@ben", workflows: [refund-customer]}}]
"""
OTHER = "nightly-check"
COPY = "give-money-back"  # The same as `refund-customer`, under a name that few may see.
RUN = f"/ops run {OTHER} inactive_days=9"


def bind(stage: Stage) -> None:
    stage.policy.write_text(stage.policy.read_text().replace(GOVERNORS, BOUND))
    same = (stage.workflows / "refund-customer.yaml").read_text()
    copy = same.replace("workflow: refund-customer", f"workflow: {COPY}")
    (stage.workflows / f"{COPY}.yaml").write_text(copy)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company whose policy binds roles for some workflows."""
    home: Path = tmp_path_factory.mktemp("scoped")
    with day_at_work(home, prepare=bind) as open_day:
        yield open_day


def lacks(role: str, where: str) -> str:
    return f"This needs the role {role} for {where}, which you do not have."


def test_lists_hold_what_the_reader_may_see_and_a_name_beyond_it_is_refused(case: Case) -> None:
    case.asks()
    assert "has started" in answer(case, RUN, name="petra").words
    seen, all_of_it = (answer(case, "/ops runs", name=one).words for one in ("rita", "omar"))

    assert "Refund a customer" in seen
    assert "Nightly" not in seen
    assert "Nightly" in all_of_it
    assert lacks("viewer", OTHER) in answer(case, f"/ops runs {OTHER}").words
    assert lacks("viewer", OTHER) in answer(case, f"/ops readiness {OTHER}").words
    assert lacks("viewer", OTHER) in answer(case, f"/ops history {OTHER}").words
    for typed in ("digest", "health"):
        assert lacks("viewer", "all workflows") in answer(case, f"/ops {typed}").words


@pytest.mark.parametrize(
    "typed", ["run {}", "{}", "readiness {}", "schedule {} every day at 9:00", "run zzzz"]
)
def test_a_name_that_nothing_has_leads_to_no_workflow_beyond_what_the_asker_may_see(
    case: Case, typed: str
) -> None:
    near = f"/ops {typed}".format("nightly-chekc")
    seen, all_of_it = (answer(case, near, name=one).words for one in ("rita", "omar"))

    assert OTHER not in seen
    assert COPY not in seen
    assert OTHER in all_of_it


def test_a_copy_beyond_what_the_reader_may_see_is_not_named(case: Case) -> None:
    said = "does what {}, under another name"
    told = case.waits(
        lambda: next((one for one in [answer(case, "/ops workflows").words] if "🧭" in one), None),
        "what the bot compared when it started",
    )

    assert said.format("another workflow does") in told
    assert COPY not in told
    omar = answer(case, "/ops workflows", name="omar").words
    assert said.format(f"{COPY} does") in omar


def test_a_story_is_told_and_found_only_to_whom_it_is_for(case: Case) -> None:
    tell_of(case.day.bot, 1, channel="C0ELSEWHERE")
    assert "has started" in answer(case, RUN, name="petra").words
    run = list_runs(case.day.bot.core.memory.database, Wanted(workflow=OTHER))[0].id

    assert lacks("viewer", OTHER) in answer(case, f"/ops show {run}").words
    assert lacks("viewer", OTHER) in answer(case, f"/ops audit {run}").words
    assert "whistled" in answer(case, "/ops find kettle", name="ben").words  # An auditor of it.
    assert "whistled" not in answer(case, "/ops find kettle", name="rita").words


@pytest.mark.parametrize(
    "typed", ["change {}", "cancel {} It is late", "move {} because it is newer"]
)
def test_a_run_that_one_may_not_see_is_answered_like_one_that_is_not_there(
    case: Case, typed: str
) -> None:
    assert "has started" in answer(case, RUN, name="petra").words
    run = list_runs(case.day.bot.core.memory.database, Wanted(workflow=OTHER))[0].id
    asked = {one: answer(case, f"/ops {typed.format(one)}").words for one in (run, "0" * 32)}
    petra = answer(case, f"/ops {typed.format(run)}", name="petra").words

    assert asked[run].replace(run, "0" * 32) == asked["0" * 32]
    assert f"There is no run {run}." in asked[run]
    assert "There is no run" not in petra  # Whoever asked for it is told what is the matter.


def test_shortcuts_ask_for_the_workflow_of_the_thread_they_are_used_in(case: Case) -> None:
    assert "has started" in answer(case, RUN, name="petra").words
    root = case.waits(lambda: next(iter(case.roots()), None), "the other thread")
    # Slack shows a message before it has answered the bot that posted it.
    outbox = case.day.bot.core.store.outbox
    case.waits(lambda: outbox.run_at(root.channel, root.ts), "the bot to know its thread")
    rita = case.person("rita")
    for shortcut in (FIND, SUMMARISE):
        rita.shortcut(shortcut, message=root)
        assert lacks("viewer", OTHER) in rita.ephemerals[-1].words
    hidden = outbox.run_at(root.channel, root.ts)
    case.asks()
    rita.shortcut(FIND, message=rita.say(f"{hidden}, or {case.run()}", channel=case.channel))
    assert "Refund a customer" in rita.ephemerals[-1].words


def test_home_and_help_offer_what_may_be_started_there(case: Case) -> None:
    assert OTHER not in answer(case, "/ops help").words
    assert "refund-customer" in answer(case, "/ops help").words
    assert "This needs the role" not in home_of(case, "rita").words


def test_nobody_is_offered_more_while_slack_does_not_say_who_belongs_to_whom(case: Case) -> None:
    case.slack.faults.next("usergroups.list", server_error(500), times=100)
    case.day.bot.core.people.groups_changed()
    rita = case.person("rita")
    rita.command("/ops run", channel=case.channel)

    assert "Slack" in rita.ephemerals[-1].words
    assert OTHER not in str(rita.view)


def test_a_token_starts_what_its_owner_may_and_no_more(case: Case) -> None:
    core, api = case.day.bot.core, Api(case.day.bot.core)
    caller = api.admit(f"Bearer {token_of(core, '@rita')}")
    case.asks()
    own = case.run()
    body = json.dumps({"workflow": OTHER, "inputs": {}, "channel": "#ops"}).encode()

    with pytest.raises(NotAllowedError, match=lacks("runner", OTHER)):
        api.start(caller, body, key=None)
    with pytest.raises(UnknownWorkflowError, match=r"are: refund-customer\.$"):
        api.start(caller, body.replace(OTHER.encode(), b"zzzz"), key=None)
    assert api.row(caller, own).workflow == "refund-customer"
    less = case.day.stage.policy.read_text().replace('"refund-*"', "other")
    narrower = Api(replace(core, policy=load_policy(less)))
    with pytest.raises(NotAllowedError, match="This needs the role viewer"):
        narrower.row(caller, own)
    assert lacks("runner", OTHER) in answer(case, RUN).words
    assert lacks("runner", OTHER) in answer(case, f"/ops schedule {OTHER} every day at 9:00").words


def test_an_author_of_one_workflow_proposes_no_other_and_no_policy(case: Case) -> None:
    stage = case.day.stage
    bound = f'{GOVERNORS}  authors: [{{to: "@finance-ops", workflows: [refund-customer]}}]\n'
    text = stage.policy.read_text().replace(GOVERNORS, bound)
    more = 'operators: {omar: "@omar"}\npublish: {}\n'
    core = replace(case.day.bot.core, policy=load_policy(text + more))
    proposing = Proposing(core, PersonId("os:omar"))
    source = Source(text=(stage.workflows / f"{OTHER}.yaml").read_text(), file="f")

    with pytest.raises(NotAllowedError, match=lacks("author", OTHER)):
        proposing.publish(source, author=None, reason="x")
    with pytest.raises(NotAllowedError, match=lacks("author", OTHER)):
        proposing.activate(OTHER, "0", reason="x")
    with pytest.raises(NotAllowedError, match=lacks("author", OTHER)):
        proposing.retire(OTHER, reason="x")
    with pytest.raises(NotAllowedError, match=lacks("author", "all workflows")):
        proposing.policy(Source(text=text, file="p"), author=None, reason="x")


@pytest.mark.usefixtures("beside")
def test_the_report_names_the_scope_of_each_role() -> None:
    told = json.loads(interlock("access", "list", "--person", "rita", "--json").stdout)
    found = {(one["role"], one["scope"], one["via"]) for one in told["grants"]}

    assert ("runner", "workflow refund-*", "@support") in found
