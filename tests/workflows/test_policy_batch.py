"""`batch` in a rule: refused where it could be about what is destructive, told where it counts."""

from dataclasses import replace

import pytest

from tests.workflows.test_policy import REFUND
from workflows.actions.base import Effect
from workflows.errors import DefinitionError
from workflows.loading import load_policy
from workflows.policy import Policy
from workflows.policy_explain import explained

WRITE = replace(REFUND, effect=Effect.WRITE)
SAFE = 'effect != "destructive" && workflow == "refund-customer"'


def policy(*conditions: str, is_known: bool = False, more: str = "batch: true") -> Policy:
    rules = [
        f'{{name: r{number}, when: {one!r}, stages: [{{from: ["@a"]}}], {more}}}'
        for number, one in enumerate(conditions)
    ]
    text = f"defaults: {{expires: 24h}}\nrules: [{', '.join(rules)}]\n"
    return load_policy(text, is_known=lambda _digest: is_known)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ('effect == "destructive"', "never decided many at a time"),
        ("true", "never decided many at a time"),
        ("inputs.amount > 5", "never decided many at a time"),
        ('effect != "destructive" || hour > 3', "never decided many at a time"),
        ('requester.startsWith("@ops") && hour > 23', "nobody can tell"),
    ],
)
def test_a_rule_that_may_be_about_something_destructive_cannot_have_it(
    condition: str, told: str
) -> None:
    with pytest.raises(DefinitionError, match=f"rules\\[0\\].batch: .*{told}"):
        policy(condition)


@pytest.mark.parametrize(
    "condition",
    [
        SAFE,
        'effect == "write"',
        'inputs.amount > 5 && effect in ["write", "read"]',
        'effect != "destructive" && requester.startsWith("@ops") && hour > 3',
    ],
)
def test_a_rule_that_never_is_may_have_it(condition: str) -> None:
    assert policy(condition).rules[0].batch is True


def test_a_condition_that_does_not_compile_is_told_once() -> None:
    with pytest.raises(DefinitionError) as refused:
        policy("effect ==")

    assert "batch" not in str(refused.value)


def test_nothing_destructive_is_ever_put_to_people_together() -> None:
    """The check at load is one guard, the judgement at each step another."""
    loose = policy("true", is_known=True)
    verdicts = [loose.judge(one).demand for one in (REFUND, WRITE)]

    assert [one.batch for one in verdicts if one is not None] == [False, True]


def test_a_condition_in_doubt_and_a_rule_without_it_keep_items_apart() -> None:
    doubtful = policy('effect != "destructive" && inputs.gone > 5')
    assert doubtful.judge(WRITE).demand is not None
    mixed = load_policy(
        "defaults: {expires: 24h}\nrules:\n"
        f"  - {{name: a, when: '{SAFE}', stages: [{{from: ['@a']}}], batch: true}}\n"
        f"  - {{name: b, when: '{SAFE}', stages: [{{from: ['@b']}}]}}\n"
    )

    found = [one.judge(WRITE).demand for one in (doubtful, mixed, policy(SAFE, SAFE))]
    assert [one.batch for one in found if one is not None] == [False, False, True]


def test_it_is_part_of_what_a_policy_means_and_of_its_explanation() -> None:
    plain = policy(SAFE, more="reason: optional")

    assert policy(SAFE).digest != plain.digest
    assert "Items of a loop are put to them together." in explained(policy(SAFE), WRITE).lines
    assert "Items of a loop are put to them together." not in explained(plain, WRITE).lines


def test_false_is_said_by_leaving_it_out() -> None:
    with pytest.raises(DefinitionError, match=r"rules\[0\].batch"):
        policy(SAFE, more="batch: false")
