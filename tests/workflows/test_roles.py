"""Roles: who may look, start, publish and decide, and what one had better not hold together."""

import pytest

from tests.world import NOON, Town, id_of
from workflows.actions.base import Effect
from workflows.errors import NotAllowedError
from workflows.loading import load_policy, read_policy
from workflows.people import PersonId
from workflows.policy import Facts
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


def roles(text: str = ALL) -> RolesNow:
    town = Town()
    town.groups |= GROUPS
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
    roles().admit_runner(id_of("rita"))
    roles().may_author(id_of("omar"))

    with pytest.raises(NotAllowedError, match="role runner"):
        roles().admit_runner(id_of("omar"))
    with pytest.raises(NotAllowedError, match="role author"):
        roles().may_author(id_of("rita"))


def test_an_auditor_looks_and_neither_starts_nor_decides() -> None:
    roles().admit_viewer(id_of("axel"))

    for door in (roles().admit_runner, roles().may_author, roles().deciding):
        with pytest.raises(NotAllowedError, match="auditors read everything"):
            door(id_of("axel"))


def test_what_is_not_bound_is_asked_of_nobody() -> None:
    free = roles('roles: {governors: ["@governors"]}\n')

    for door in (free.admit_viewer, free.admit_runner, free.may_author, free.deciding):
        door(id_of("zoe"))


def test_an_account_that_stands_for_nobody_has_no_role() -> None:
    with pytest.raises(NotAllowedError, match="Name the account under `operators`"):
        roles().admit_runner(PersonId("os:deploy"))


def test_a_role_is_read_again_whenever_it_is_asked() -> None:
    now = roles()
    now.admit_runner(id_of("rita"))
    now.people.groups["@askers"].discard("rita")  # type: ignore[attr-defined]

    with pytest.raises(NotAllowedError):
        now.admit_runner(id_of("rita"))


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
