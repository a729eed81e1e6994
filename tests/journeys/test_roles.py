"""Roles at the doors of Slack: who is let in, what an auditor sees, what the others are told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.api import Api
from bot.core import Core
from bot.orders import RunOrder, carry_out
from bot.proposing import Proposing
from bot.token_orders import TokenOrder
from sandbox.demo.stage import Stage
from storage.history import read_entries
from tests.journeys.day import Case, Day, day_at_work
from tests.journeys.test_home import home_of
from tests.journeys.test_searching import answer, tell_of
from tests.journeys.test_shortcuts import FIND
from tests.sandbox.payload_checks import complaints_about
from workflows.errors import NotAllowedError
from workflows.loading import load_policy
from workflows.people import PersonId

GOVERNORS = '  governors: ["@governors"]\n'
BOUND = f"""{GOVERNORS}\
  viewers: ["@support", "@finance-ops"]
  runners: ["@support-leads"]
  auditors: ["@platform"]
"""
LACKS = "This needs the role {}, which you do not have."
GIVERS = "The governors give roles, in the policy: @governors."


def bind(stage: Stage) -> None:
    stage.policy.write_text(stage.policy.read_text().replace(GOVERNORS, BOUND))


def refund(case: Case) -> str:
    return f"/ops run refund-customer order={case.order} amount=5 reason=x"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company whose policy binds roles."""
    home: Path = tmp_path_factory.mktemp("roles")
    with day_at_work(home, prepare=bind) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


@pytest.mark.parametrize("typed", ["runs", "find kettle", "health", "approvals", "digest"])
def test_only_viewers_are_told_of_runs(case: Case, typed: str) -> None:
    refused = answer(case, f"/ops {typed}", name="ana").words

    assert LACKS.format("viewer") in refused
    assert GIVERS in refused


def test_only_runners_start_and_only_they_are_offered_anything(case: Case) -> None:
    assert LACKS.format("runner") in answer(case, refund(case)).words
    assert "has started" in answer(case, refund(case), name="sam").words
    assert "refund-customer order=" not in answer(case, "/ops help").words


def test_an_auditor_finds_what_stands_in_every_channel_and_starts_nothing(case: Case) -> None:
    tell_of(case.day.bot, 1, channel="C0ELSEWHERE")

    assert "whistled" not in answer(case, "/ops find kettle", name="rita").words
    assert "whistled" in answer(case, "/ops find kettle", name="petra").words
    message, petra = (
        case.person("rita").say("A kettle?", channel=case.channel),
        case.person("petra"),
    )
    petra.shortcut(FIND, message=message)
    assert "whistled" in petra.ephemerals[-1].words
    with case.day.bot.core.memory.database.read() as connection:
        told = [one for one in read_entries(connection, 0, 1000) if one.kind == "access.read"]
    queries = [(one.data["what"], one.parts["query"].value) for one in told]
    assert queries == [("find", b"kettle"), ("find", b"kettle")]
    started = answer(case, refund(case), name="petra").words
    assert "auditors read everything, and start and decide nothing" in started


def test_home_shows_what_waits_for_somebody_and_which_role_is_missing(case: Case) -> None:
    shown = home_of(case, "ana").words

    assert "Waiting for you" in shown
    assert LACKS.format("viewer") in shown
    assert "You have no schedules" not in shown
    assert "You have no schedules" in home_of(case, "rita").words


def test_a_token_opens_what_its_owner_may_and_an_account_is_whom_the_policy_names(
    case: Case,
) -> None:
    core, api = case.day.bot.core, Api(case.day.bot.core)
    ours, theirs = (token_of(core, owner) for owner in ("@rita", "@ana"))
    caller = api.admit(f"Bearer {ours}")
    wanted = RunOrder(workflow="refund-customer", inputs={"order": case.order})

    with pytest.raises(NotAllowedError, match="role viewer"):
        api.admit(f"Bearer {theirs}")
    with pytest.raises(NotAllowedError, match="role runner"):
        api.start(caller, b'{"workflow": "refund-customer", "inputs": {}}', key=None)
    with pytest.raises(NotAllowedError, match="nobody knows which person in Slack the account"):
        carry_out(core, wanted, person=PersonId("os:deploy"))


def token_of(core: Core, owner: str) -> str:
    order = TokenOrder(name=f"of-{owner[1:]}", owner=owner)
    return str(carry_out(core, order, person=PersonId("os:deploy"))["token"])


def test_readiness_is_told_and_a_name_that_nothing_has_is_put_right(case: Case) -> None:
    told = answer(case, "/ops readiness refund-customer").words
    near = answer(case, "/ops readiness refund-custmer").words

    assert "has no bar for production" in told
    assert "Did you mean “refund-customer”?" in near
    assert "Say which workflow" in answer(case, "/ops readiness").words


def test_only_authors_propose_a_change_of_the_catalog(case: Case) -> None:
    text = case.day.stage.policy.read_text().replace(
        GOVERNORS, f'{GOVERNORS}  authors: ["@finance-ops"]\n'
    )
    more = 'operators: {rita: "@rita", omar: "@omar"}\npublish: {}\n'
    core = replace(case.day.bot.core, policy=load_policy(text + more))

    Proposing(core, PersonId("os:omar"))
    with pytest.raises(NotAllowedError, match="role author"):
        Proposing(core, PersonId("os:rita"))
