"""A workflow gets the secrets that its file and the policy give it; each mistake is named."""

import pytest

from storage.rows import DatabaseRows
from tests.world import NOON
from workflows.actions.registry import shipped_actions
from workflows.check import check_text
from workflows.errors import SecretNotGivenError
from workflows.lent_secrets import LentSecrets
from workflows.loading import load_definition, load_policy, read_policy
from workflows.policy import Policy
from workflows.policy_lint import lint_policy
from workflows.policy_lint_steps import Around
from workflows.secret_book import Found
from workflows.secret_use import secrets_of

POLICY = """
defaults: {expires: 24h}
rules: [{name: r, when: "true", stages: [{from: ["@a"]}]}]
services:
  shop: {base_url: "https://shop.example", secret_header: {secret: shop-token}}
  open: {base_url: "https://open.example"}
databases: {crm: {secret: crm_address}}
"""
GIVES = 'secrets: {shop_token: {publishers: ["@finance"], workflows: [look-up]}}\n'
WORKFLOW = """workflow: look-up
title: Look up
owner: "@omar"
deputy: "@sam"
"""
ENDS = """inputs: {which: {type: string, max_length: 20}}
steps: [{id: look, uses: http.request, with: {service: %s, path: /x}, returns: {body: {}}}]
"""


def text(secrets: str = "", service: str = "shop") -> str:
    return WORKFLOW + (f"secrets: {secrets}\n" if secrets else "") + ENDS % service


def checked(policy: str, definition: str) -> list[str]:
    """Return what `interlock check` says, but of inputs that are not used."""
    found = load_policy(policy)
    actions = shipped_actions(found.targets, DatabaseRows(now=lambda: NOON))
    _, faults = check_text(definition, "f", actions, policy=found)
    return [str(one) for one in faults if "never used" not in str(one)]


def linted(policy: str, definition: str) -> list[str]:
    """Return what `interlock policy check` says of secrets."""
    loaded = read_policy(policy, "p")
    assert isinstance(loaded.model, Policy)
    actions = shipped_actions(loaded.model.targets, DatabaseRows(now=lambda: NOON))
    made = load_definition(definition)
    around = Around(
        definitions=(made,),
        steps=(),
        actions=frozenset(actions),
        secrets={made.workflow: secrets_of(made, actions)},
    )
    found = lint_policy(loaded.model, loaded.document, around)
    return [str(one) for one in found.faults if ": secrets" in str(one)]


@pytest.mark.parametrize(
    ("policy", "definition"),
    [
        (POLICY, text()),
        (POLICY, text("[shop_token]")),
        (POLICY + GIVES, text("[shop-token]")),
        (POLICY + GIVES, text(service="open")),
    ],
)
def test_a_workflow_that_gets_what_it_needs_has_no_fault(policy: str, definition: str) -> None:
    assert checked(policy, definition) == []


@pytest.mark.parametrize(
    ("policy", "definition", "fault"),
    [
        (POLICY, text("[]"), "f:5:10: secrets: The secrets that look-up names do not include shop"),
        (POLICY + GIVES, text(), "f:1:11: workflow: look-up names no secrets, and the policy"),
        (
            POLICY + GIVES.replace("look-up", "refund"),
            text("[shop_token]"),
            "The policy does not give the secret shop_token to look-up",
        ),
        (
            POLICY + GIVES.replace("shop_token", "crm_address"),
            text("[shop_token]"),
            "The policy gives the secret shop_token to no workflow",
        ),
        (POLICY, text("[shop_token, other]"), "f:5:23: warning: secrets[1]: names other, which no"),
        (POLICY + GIVES, text("[x-y]", '"${{ inputs.which }}"'), "do not include shop_token"),
    ],
)
def test_a_secret_that_is_not_given_is_a_fault_where_it_stands(
    policy: str, definition: str, fault: str
) -> None:
    found = checked(policy, definition)

    assert any(fault in one for one in found), found


@pytest.mark.parametrize(
    ("policy", "warning"),
    [
        (POLICY + GIVES, "p:8:1: warning: secrets: gives crm_address to no workflow, and a target"),
        (POLICY + GIVES.replace("look-up", "look-upp"), "no workflow here is called that, did you"),
        (POLICY + GIVES.replace("look-up", "refund"), "look-up needs shop_token and does not get"),
        (POLICY + GIVES.replace("shop_token", "other"), "is a secret that no target here needs"),
    ],
)
def test_the_policy_is_held_against_targets_and_workflows(policy: str, warning: str) -> None:
    found = linted(policy, text("[shop_token]"))

    assert any(warning in one for one in found), found


def test_a_call_is_lent_only_what_its_workflow_gets_and_each_use_is_told() -> None:
    class Book:
        def find(self, name: str) -> Found:
            asked.append(name)
            return Found(value="sesame-sesame", version=3)

    asked: list[str] = []
    told: list[tuple[str, int]] = []
    lent = LentSecrets(
        book=Book(),
        definition=load_definition(text("[shop_token]")),
        policy=load_policy(POLICY + GIVES),
        used=lambda name, version: told.append((name, version)),
    )

    assert lent.reveal("shop-token") == "sesame-sesame"
    with pytest.raises(SecretNotGivenError, match="crm_address"):
        lent.reveal("crm_address")
    assert (asked, told) == (["shop-token"], [("shop_token", 3)])


def test_a_version_stays_what_it_was_where_neither_file_names_secrets() -> None:
    definition, policy = load_definition(text()), load_policy(POLICY)

    assert b"secrets" not in definition.canonical
    assert b'"secrets"' not in policy.canonical
