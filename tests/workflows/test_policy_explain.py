"""An explanation names every rule, says how it stands, and what they demand together."""

from dataclasses import replace

from tests.workflows.test_policy import CODED, NIGHT, REFUND, policy
from workflows.actions.base import Effect
from workflows.demand import Match
from workflows.policy_explain import explained


def test_every_rule_is_named_with_how_it_stands() -> None:
    told = explained(policy(), replace(REFUND, inputs={}, at=NIGHT.replace(hour=12)))

    assert [(one.rule, one.match) for one in told.rules] == [
        ("leads", Match.MATCHED),
        ("big", Match.UNSURE),
        ("nights", Match.PASSED_BY),
    ]
    assert 'leads matches (when effect == "destructive")' in told.lines
    assert "cannot be evaluated" in told.lines[1]


def test_what_is_demanded_stands_below_the_rules() -> None:
    told = explained(policy(), REFUND)

    assert told.lines[3:] == (
        "1. 2 of @leads (1 may reject)",
        "2. 1 of @directors (2 may reject)",
        "3. 1 of @watch or @leads (1 may reject)",
        "Open for 8h.",
        "A reason is required.",
    )


def test_a_code_that_is_wanted_is_named() -> None:
    assert "Each approval needs a code" in explained(policy(CODED), REFUND).lines[-1]


def test_a_demand_carries_why_it_is_one() -> None:
    demand = policy().demand(replace(REFUND, workflow="other"))

    assert demand is not None
    assert [one.rule for one in demand.why] == ["leads", "nights"]


def test_a_step_that_nobody_may_run_says_so() -> None:
    nobody = policy(
        "defaults: {expires: 1h}\n"
        'rules: [{name: x, when: workflow == "x", stages: [{from: ["@a"]}]}]'
    )

    told = explained(nobody, REFUND)

    assert told.demand is None
    assert told.lines[-1].startswith("It does not run: Step refund of refund-customer")


def test_where_nobody_is_asked_it_says_so() -> None:
    nobody = policy(
        "defaults: {expires: 1h}\n"
        'rules: [{name: x, when: effect == "destructive", stages: [{from: ["@a"]}]}]'
    )
    told = explained(nobody, replace(REFUND, effect=Effect.WRITE))

    assert told.lines[-1] == "Nobody is asked."
