"""What shows when a field about secrets is ignored."""

from storage.rows import DatabaseRows
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import NOON
from workflows.actions.registry import shipped_actions
from workflows.definition import Definition
from workflows.loading import load_definition
from workflows.policy import Policy
from workflows.secret_use import publishers_of, why_not

TEXT = """
defaults: {expires: 24h}
rules: [{name: r, when: "true", stages: [{from: ["@a"]}]}]
services: {shop: {base_url: "https://shop.example", secret_header: {secret: shop-token}}}
secrets:
  shop_token: {publishers: ["@finance"], workflows: [refund]}
"""
WORKFLOW = """
workflow: %s
title: Look up
owner: "@omar"
deputy: "@sam"
secrets: [shop_token]
steps: [{id: look, uses: http.request, with: {service: shop, path: /x}, returns: {body: {}}}]
"""


def workflow(name: str) -> Definition:
    return load_definition(WORKFLOW % name)


def a_secret_is_for_the_workflows_that_are_named(bench: Bench) -> None:
    policy = bench.policy(TEXT)

    assert why_not("shop-token", workflow("refund"), policy) is None
    assert "to report" in (why_not("shop_token", workflow("report"), policy) or "")


def a_secret_that_is_not_listed_is_for_no_workflow(bench: Bench) -> None:
    policy = bench.policy(TEXT.replace("  shop_token:", "  other:"))

    assert "to no workflow" in (why_not("shop_token", workflow("refund"), policy) or "")


def some_may_publish_what_uses_a_secret(bench: Bench) -> None:
    assert _publishers(bench.policy(TEXT)) == {"shop_token": ("@finance",)}


def _publishers(policy: Policy) -> dict[str, tuple[str, ...]]:
    actions = shipped_actions(policy.targets, DatabaseRows(now=lambda: NOON))
    return publishers_of(workflow("refund"), policy, actions)


ROWS = [
    Row(field="Policy.secrets", scenario=a_secret_that_is_not_listed_is_for_no_workflow),
    Row(field="SecretGrant.workflows", scenario=a_secret_is_for_the_workflows_that_are_named),
    Row(
        field="SecretGrant.publishers",
        scenario=some_may_publish_what_uses_a_secret,
        instead=lambda _: ("@anybody",),
    ),
]
