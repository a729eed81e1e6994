"""Roles: who may look, start, publish and decide, and what one had better not hold together."""

import pytest

from tests.world import NOON, Town, id_of
from workflows.actions.base import Effect
from workflows.errors import NotAllowedError
from workflows.loading import load_policy, read_policy
from workflows.people import Person, PersonId
from workflows.policy_facts import Facts
from workflows.policy_lint import lint_policy
from workflows.roles import RolesNow

RULE = 'rules: [{name: r, when: "true", stages: [{from: ["@leads"]}]}]\n'
HEAD = "defaults: {expires: 24h}\n"
ALL = (
    'roles: {governors: ["@governors"], viewers: ["@crowd"], runners: ["@askers"],'
    ' authors: ["@owners"], auditors: ["@auditors"]}\n'
)
GROUPS = {
    "@governors": {"gina"},
    "@crowd": {"rita", "vic"},
    "@askers": {"rita", "axel"},
    "@owners": {"omar"},
    "@auditors": {"axel"},
}


def roles(text: str = ALL, *, town: Town | None = None) -> RolesNow:
    town = town or Town()
    town.groups |= {name: set(people) for name, people in GROUPS.items()}
    return RolesNow(policy=load_policy(HEAD + text + RULE), people=town)


@pytest.mark.parametrize("who", ["vic", "rita", "omar", "axel", "gina"])
def test_whoever_has_any_role_may_look(who: str) -> None:
    roles().admit_viewer(id_of(who))


def test_a_stranger_is_told_which_role_is_missing_and_who_gives_it() -> None:
    with pytest.raises(NotAllowedError) as refused:
        roles().admit_viewer(id_of("zoe"))

    assert str(refused.value) == (
        "This needs the role viewer, which you do not have. @crowd has it."
        " The governors give roles, in the policy: @governors."
    )


def test_only_runners_start_and_only_authors_publish() -> None:
    roles().admit_runner(id_of("rita"), "w")
    roles().may_author(id_of("omar"), "w")

    with pytest.raises(NotAllowedError, match="role runner"):
        roles().admit_runner(id_of("omar"), "w")
    with pytest.raises(NotAllowedError, match="role author"):
        roles().may_author(id_of("rita"), "w")


class Grid(Town):
    """People whom Slack also names by another workspace of their organisation."""

    def person(self, who: PersonId) -> Person:
        return super().person(PersonId(who.replace("T0SOUTH", "T0")))


def test_an_auditor_who_acts_from_another_workspace_decides_nothing_either() -> None:
    elsewhere = PersonId(id_of("axel").replace("T0", "T0SOUTH"))

    with pytest.raises(NotAllowedError, match="auditor"):
        roles(town=Grid()).deciding(elsewhere, "w")


def test_an_auditor_looks_and_neither_starts_nor_decides() -> None:
    roles().admit_viewer(id_of("axel"))

    for door in (roles().admit_runner, roles().may_author, roles().deciding):
        with pytest.raises(NotAllowedError, match="auditors read everything"):
            door(id_of("axel"), "w")


def test_what_is_not_bound_is_asked_of_nobody() -> None:
    free = roles('roles: {governors: ["@governors"]}\n')

    for door in (free.admit_viewer, free.admit_runner, free.may_author, free.deciding):
        door(id_of("zoe"), "w")


def test_an_account_that_stands_for_nobody_has_no_role() -> None:
    with pytest.raises(NotAllowedError, match="Name the account under `operators`"):
        roles().admit_runner(PersonId("os:deploy"), "w")


def test_a_role_is_read_again_whenever_it_is_asked() -> None:
    now = roles()
    now.admit_runner(id_of("rita"), "w")
    now.people.groups["@askers"].discard("rita")  # type: ignore[attr-defined]

    with pytest.raises(NotAllowedError):
        now.admit_runner(id_of("rita"), "w")


def test_auditors_are_left_out_of_every_gate() -> None:
    facts = Facts(
        effect=Effect.WRITE, workflow="w", step="s", action="a", requester="@rita", at=NOON
    )
    demand = roles().policy.judge(facts).demand

    assert demand is not None
    assert demand.exclude == ("@auditors",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('authors: ["@ops", "@dev"]', "there is no other governor"),
        ('auditors: ["@ops"]', "an auditor and a governor"),
        ('auditors: ["@run"], runners: ["@run"]', "an auditor and a runner"),
        ('auditors: ["@leads"]', "asks @leads, who are auditors"),
    ],
)
def test_duties_that_meet_in_one_name_are_told(text: str, told: str) -> None:
    loaded = read_policy(f'{HEAD}roles: {{governors: ["@ops"], {text}}}\n{RULE}', "p")
    assert loaded.model is not None

    (fault,) = lint_policy(loaded.model, loaded.document).faults
    assert told in str(fault)


def test_a_policy_without_governors_is_told_to_name_some() -> None:
    loaded = read_policy(HEAD + RULE, "p")
    assert loaded.model is not None

    (fault,) = lint_policy(loaded.model, loaded.document).faults
    assert "name no governors" in str(fault)


def test_duties_that_are_apart_are_not_told() -> None:
    loaded = read_policy(HEAD + ALL + RULE, "p")
    assert loaded.model is not None

    assert lint_policy(loaded.model, loaded.document).faults == ()


SOME = """
roles:
  governors: ["@governors"]
  viewers: ["@crowd"]
  runners: [{to: "@askers", workflows: [refund, "pay-*"]}]
  authors: [{to: "@owners", workflows: ["pay-*"]}]
  auditors: [{to: "@auditors", workflows: [refund]}]
"""


def test_a_role_for_some_workflows_holds_for_no_other() -> None:
    now, rita, omar = roles(SOME), id_of("rita"), id_of("omar")
    for workflow in ("refund", "pay-vendor", "pay-"):
        now.admit_runner(rita, workflow)
    now.may_author(omar, "pay-new")

    for workflow in ("refunds", "refund-all", "deploy", "pay", "*"):
        with pytest.raises(NotAllowedError) as refused:
            now.admit_runner(rita, workflow)
        assert "Nobody has it." in str(refused.value)
    for workflow in ("refund", "*"):
        with pytest.raises(NotAllowedError, match="role author for"):
            now.may_author(omar, workflow)


def test_an_auditor_of_one_workflow_is_left_out_of_that_one_and_of_what_concerns_all() -> None:
    now, axel = roles(SOME), id_of("axel")
    now.admit_runner(axel, "pay-vendor")
    now.deciding(axel, "pay-vendor")

    for workflow in ("refund", "interlock-publish", "access-review", None):
        with pytest.raises(NotAllowedError, match="auditors read everything"):
            now.deciding(axel, workflow)


def test_whoever_may_do_something_for_some_workflows_sees_runs_of_these_alone() -> None:
    now = roles(SOME)
    seen = {name: now.sight(id_of(name)) for name in ("vic", "omar", "axel", "zoe", "gina")}

    assert [name for name, one in seen.items() if one.is_everything] == ["vic", "gina"]
    assert ("pay-x" in seen["omar"], "refund" in seen["omar"]) == (True, False)
    assert ("pay-x" in seen["axel"], "refund" in seen["axel"]) == (True, True)
    assert "pay-x" not in seen["zoe"]
    assert roles('roles: {governors: ["@governors"]}\n').sight(id_of("zoe")).is_everything


def test_a_governor_of_some_workflows_is_refused() -> None:
    text = 'roles: {governors: [{to: "@g", workflows: [refund]}]}\n'
    (fault,) = read_policy(HEAD + text + RULE, "p").faults

    assert "roles.governors: governors answer for every workflow" in str(fault)


@pytest.mark.parametrize("name", ["*", "Pay-*", "pay--x", "*-pay", "pay-*-x", ""])
def test_what_can_be_the_name_of_no_workflow_is_refused(name: str) -> None:
    text = f'roles: {{governors: ["@g"], runners: [{{to: "@a", workflows: ["{name}"]}}]}}\n'
    (fault,) = read_policy(HEAD + text + RULE, "p").faults

    assert "roles.runners[0].workflows[0]" in str(fault)


def test_duties_for_different_workflows_do_not_meet() -> None:
    apart = """
roles:
  governors: ["@ops"]
  runners: [{to: "@run", workflows: ["pay-*"]}]
  auditors: [{to: "@run", workflows: [refund]}, {to: "@leads", workflows: [refund]}]
"""
    loaded = read_policy(HEAD + apart + RULE, "p")
    assert loaded.model is not None
    assert lint_policy(loaded.model, loaded.document).faults == ()

    meeting = read_policy(HEAD + apart.replace("refund", "pay-vendor") + RULE, "p")
    assert meeting.model is not None
    (fault,) = lint_policy(meeting.model, meeting.document).faults
    assert "an auditor and a runner" in str(fault)


def test_what_is_bound_is_recorded_with_its_scope() -> None:
    bound = load_policy(HEAD + SOME + RULE).bindings

    assert {(one.role.value, one.to, one.scope) for one in bound} == {
        ("governor", "@governors", "*"),
        ("viewer", "@crowd", "*"),
        ("runner", "@askers", "refund"),
        ("runner", "@askers", "pay-*"),
        ("author", "@owners", "pay-*"),
        ("auditor", "@auditors", "refund"),
    }
