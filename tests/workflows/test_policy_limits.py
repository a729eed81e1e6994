"""What a policy may say of budgets, sticky denials and break-glass, and what is refused."""

from datetime import timedelta

import pytest

from tests.workflows.definition_kit import demo_policy
from workflows.actions.base import Effect
from workflows.actions.http import HttpRequest
from workflows.definition_steps import Step
from workflows.denials import is_same
from workflows.loading import load_policy, read_policy
from workflows.ready import Ready, fitting
from workflows.services import Services

POLICY = """
defaults: {expires: 24h}
rules:
  - {name: any, when: effect == "destructive", stages: [{from: ["@leads"]}]}
"""
BUDGET = """
budgets:
  - name: refunds
    when: workflow == "refund-customer"
    amount: args.json.amount + plan.rows
    per: inputs.customer
    limit: 500000
    window: 24h
"""
GLASS = """
break_glass: {people: ["@on-call"], by: ["@governors"], when: effect != "read"}
"""


def test_a_policy_without_limits_keeps_the_digest_it_had() -> None:
    assert load_policy(POLICY).digest.startswith("e4d81c69")
    assert b"null" not in load_policy(POLICY + BUDGET + GLASS).canonical


def test_each_limit_is_part_of_the_digest() -> None:
    texts = [POLICY, POLICY + BUDGET, POLICY + GLASS, POLICY.replace("24h}", "24h, sticky: 7d}")]

    assert len({load_policy(one).digest for one in texts}) == len(texts)


def test_an_amount_may_be_a_plain_number() -> None:
    (budget,) = (
        load_policy(POLICY + BUDGET.replace("args.json.amount + plan.rows", "1")).budgets or ()
    )

    assert budget.amount == "1"


def test_a_review_is_due_within_a_day_unless_the_policy_says_otherwise() -> None:
    rule = load_policy(POLICY + GLASS).break_glass

    assert rule is not None
    assert rule.review == timedelta(hours=24)


@pytest.mark.parametrize(
    ("text", "change", "fault"),
    [
        (BUDGET, ("args.json.amount", "arg.json.amount"), "budgets[0].amount: "),
        (BUDGET, ("args.json.amount + plan.rows", "'\"many\"'"), "gives string, and has to give"),
        (BUDGET, ("args.json.amount + plan.rows", "1.5"), "budgets[0].amount: has the wrong type"),
        (BUDGET, ("inputs.customer", "hour"), "gives integer, and has to give string"),
        (BUDGET, ("workflow ==", "plan.rows > 1 && workflow =="), "nothing is called plan"),
        (BUDGET, ("limit: 500000", "limit: 0"), "budgets[0].limit: is out of range"),
        (BUDGET, ("window: 24h", "window: 91d"), "budgets[0].window: is too long"),
        (BUDGET, ("    window: 24h\n", ""), "budgets[0].window: is missing"),
        (BUDGET + BUDGET.replace("\nbudgets:\n", ""), ("x", "x"), "another budget has this name"),
        (GLASS, ('["@on-call"]', "[]"), "break_glass.people: is empty"),
        (GLASS, ('["@governors"]', "[]"), "break_glass.by: is empty"),
        (GLASS, (', by: ["@governors"]', ""), "break_glass.by: is missing"),
        (GLASS, ("effect !=", "effects !="), "break_glass.when: "),
        (GLASS, ("when:", "review: 8d, when:"), "break_glass.review: is too long"),
    ],
)
def test_a_limit_that_could_not_be_kept_is_refused(
    text: str, change: tuple[str, str], fault: str
) -> None:
    found = [str(one) for one in read_policy(POLICY + text.replace(*change, 1), "p").faults]

    assert any(fault in one for one in found), found


def test_a_denial_cannot_stick_for_longer_than_three_months() -> None:
    (fault,) = read_policy(POLICY.replace("24h}", "24h, sticky: 91d}"), "p").faults

    assert "defaults.sticky: is too long" in str(fault)


CALL = {"service": "shop", "method": "POST", "path": "/refunds", "json": {"amount": 500}}


@pytest.mark.parametrize(
    ("args", "same"),
    [
        (b'{"json":{"amount":500},"method":"POST","path":"/refunds","service":"shop"}', True),
        # A default that is written out changes nothing.
        (
            b'{"json":{"amount":500},"method":"POST","path":"/refunds","query":{},"service":"shop"}',
            True,
        ),
        (b'{"json":{"amount":501},"method":"POST","path":"/refunds","service":"shop"}', False),
        (b'{"odd":1}', False),
        (b"[]", False),
    ],
)
def test_the_same_arguments_are_the_same_however_they_are_written(
    args: bytes, *, same: bool
) -> None:
    action = HttpRequest(Services(services=demo_policy().services))
    ready = Ready(
        step=Step.model_validate({"id": "refund", "uses": "http.request"}),
        action=action,
        args=dict(CALL),
        arguments=fitting(action, CALL),
        effect=Effect.WRITE,
    )

    assert is_same(ready, args) is same
