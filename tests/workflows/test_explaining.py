"""What the policy makes of a workflow with certain values, and what nobody can know yet."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.workflows.definition_kit import REFUND, demo_policy, real_actions
from workflows.demand import Match
from workflows.entry import Json
from workflows.explaining import ExplainedStep, Given, explain
from workflows.loading import load_definition, load_policy
from workflows.policy import Policy
from workflows.procedure import Procedures

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
INPUTS: Mapping[str, Json] = {"order": "ord_1", "amount": 700, "rate": 1.5, "note": None}
PAID: Json = {"body": {"paid": 1_000, "rate": 1.0, "tags": []}}
SHOP = "services: {shop: {base_url: https://shop.example.com, paths: [/refunds]}}\n"
FIRST = "steps.order.output.body.paid"


def policy(*rules: str) -> Policy:
    told = "".join(f"  - {{name: r{n}, {one}}}\n" for n, one in enumerate(rules))
    return load_policy(f"defaults: {{expires: 24h}}\nrules:\n{told}{SHOP}")


def refund(
    by: Policy,
    *,
    outputs: Mapping[str, Json] | None = None,
    args: Mapping[str, Json] | None = None,
    text: str = REFUND,
) -> ExplainedStep:
    """Return what is said of the step that pays back."""
    actions = real_actions(by)
    given = Given(
        inputs=INPUTS,
        requester="@rita",
        at=NOON,
        outputs=outputs or {},
        args={} if args is None else {("refund", False): args},
    )
    found = explain(by, Procedures(actions).of(load_definition(text)), actions, given)
    (step,) = [one for one in found if one.step.step == "refund"]
    return step


def asks(when: str, more: str = "") -> str:
    return f'when: {when}, stages: [{{from: ["@leads"]}}]{more}'


def test_each_rule_shows_the_values_that_its_condition_looked_at() -> None:
    step = refund(policy(asks("inputs.amount > 500 && requester != '@ana' && hour < 13")))
    (rule, own) = step.rules

    assert rule.saw == {"inputs.amount": "700", "requester": '"@rita"', "hour": "12"}
    assert rule.why.match is Match.MATCHED
    assert (own.why.rule, own.saw) == ("the definition", {})


def test_what_a_condition_misses_is_nothing() -> None:
    (rule, _) = refund(policy(asks("inputs.amonut > 500"))).rules

    assert rule.saw == {"inputs.amonut": "nothing"}
    assert rule.why.match is Match.UNSURE


def test_arguments_that_rest_on_an_earlier_step_are_unknown_until_it_gave_something() -> None:
    text = REFUND.replace("${{ inputs.amount }}", f"${{{{ {FIRST} }}}}")
    by = policy(asks("args.json.amount > 900"))
    before, after = refund(by, text=text), refund(by, text=text, outputs={"order": PAID})

    assert before.unknown == ("json",)
    assert before.rules[0].why.match is Match.UNSURE
    assert after.unknown == ()
    assert after.rules[0].saw == {"args.json.amount": "1000"}


def test_arguments_on_record_are_taken_as_they_are() -> None:
    step = refund(policy(asks("args.json.amount > 900")), args={"json": {"amount": 950}})

    assert step.rules[0].why.match is Match.MATCHED
    assert step.unknown == ()


@pytest.mark.parametrize(("paid", "applies"), [(1_000, True), (10, False), (None, None)])
def test_whether_the_step_is_left_out_is_said_as_far_as_it_is_known(
    *, paid: int | None, applies: bool | None
) -> None:
    body = {"paid": paid, "rate": 1.0, "tags": []}
    outputs: Mapping[str, Json] = {} if paid is None else {"order": {"body": body}}

    assert refund(policy(asks("hour < 24")), outputs=outputs).applies is applies


def test_an_auto_that_does_not_hold_says_what_it_saw() -> None:
    little = ", auto: {when: inputs.amount < 100, because: It is little.}"
    text = REFUND.replace("effect: destructive", "effect: write")
    (rule, _) = refund(policy(asks("hour < 24", little)), text=text).rules
    spared = little.replace("100", "1000")
    (other, _) = refund(policy(asks("hour < 24", spared)), text=text).rules

    assert rule.not_auto == (
        "Its auto does not hold (when inputs.amount < 100): inputs.amount = 700"
    )
    assert (other.why.match, other.why.because, other.not_auto) == (
        Match.AUTO,
        "It is little.",
        "",
    )


def test_an_auto_never_spares_anybody_what_is_destructive() -> None:
    little = ", auto: {when: inputs.amount < 1000, because: It is little.}"
    (rule, _) = refund(policy(asks("hour < 24", little))).rules

    assert rule.not_auto == "Its auto spares nobody what is destructive."


def test_what_only_reads_is_not_explained() -> None:
    by = demo_policy()
    actions = real_actions(by)
    given = Given(inputs=INPUTS, requester="@rita", at=NOON)
    found = explain(by, Procedures(actions).of(load_definition(REFUND)), actions, given)

    assert [one.step.step for one in found] == ["refund"]
