"""What shows when a role that the policy binds is ignored."""

import pytest

from tests.workflows.engine.gated import asked, policy_of
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import Working, id_of
from workflows.errors import NotAllowedError
from workflows.roles import RolesNow

LEADS = 'stages: [{from: ["@leads"]}]'


def house(bench: Bench, role: str) -> Working:
    return bench.house(policy_of(LEADS, rest=f'roles: {{governors: ["@directors"], {role}}}'))


def only_viewers_look(bench: Bench) -> None:
    made = house(bench, 'viewers: ["@security"]')

    with pytest.raises(NotAllowedError, match="role viewer"):
        _roles(made).admit_viewer(id_of("rita"))


def only_runners_start(bench: Bench) -> None:
    made = house(bench, 'runners: ["@security"]')

    with pytest.raises(NotAllowedError, match="role runner"):
        asked(made, by="rita")


def only_authors_publish(bench: Bench) -> None:
    made = house(bench, 'authors: ["@security"]')

    with pytest.raises(NotAllowedError, match="role author"):
        _roles(made).may_author(id_of("rita"), "change-it")


def auditors_decide_nothing(bench: Bench) -> None:
    made = house(bench, 'auditors: ["@auditors"]')
    made.town.groups["@auditors"] = {"ana"}
    run = asked(made)

    with pytest.raises(NotAllowedError, match="You are an auditor"):
        made.approve(run, by="ana")


def a_runner_of_other_workflows_does_not_start_this_one(bench: Bench) -> None:
    made = house(bench, 'runners: [{to: "@askers", workflows: [refund-customer]}]')

    with pytest.raises(NotAllowedError, match="role runner"):
        asked(made, by="rita")


def a_runner_of_this_one_is_named(bench: Bench) -> None:
    made = house(bench, 'runners: [{to: "@security", workflows: [change-it]}]')

    with pytest.raises(NotAllowedError, match="role runner"):
        asked(made, by="rita")


def _roles(made: Working) -> RolesNow:
    return RolesNow(policy=made.policy, people=made.town)


ROWS = [
    Row(field="Roles.viewers", scenario=only_viewers_look),
    Row(field="Roles.runners", scenario=only_runners_start),
    Row(field="Roles.authors", scenario=only_authors_publish),
    Row(field="Roles.auditors", scenario=auditors_decide_nothing),
    Row(
        field="ForSome.workflows",
        scenario=a_runner_of_other_workflows_does_not_start_this_one,
        instead=lambda _: ("change-it",),
    ),
    Row(
        field="ForSome.to",
        scenario=a_runner_of_this_one_is_named,
        instead=lambda _: "@askers",
    ),
]
