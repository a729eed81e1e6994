"""What a step is about to do depends on what its file says, not on the order it says it in."""

from types import SimpleNamespace
from typing import Any, cast

from tests.workflows.definition_kit import REFUND, demo_policy, real_actions
from workflows.expression import Scope
from workflows.loading import load_definition
from workflows.ready import fitting, resolved
from workflows.segment import Segment
from workflows.step_scope import StepScopes

ORDER, AMOUNT = 'order: "${{ inputs.order }}"', 'amount: "${{ inputs.amount }}"'
TEXTS = [
    REFUND.replace(f"json: {{{AMOUNT}}}", f"json: {{{first}, {second}}}")
    for first, second in ((ORDER, AMOUNT), (AMOUNT, ORDER))
]
SCOPE = Scope(inputs={"order": "ord_1", "amount": 5}, steps={}, run={"id": "r1"})


def test_keys_in_another_order_are_the_same_version_and_the_same_plan() -> None:
    actions = real_actions(demo_policy())
    definitions = [load_definition(text) for text in TEXTS]
    segment = SimpleNamespace(
        scope=lambda _at: SCOPE, house=SimpleNamespace(holds_secret=lambda _text: False)
    )
    plans = []
    for one in definitions:
        step, environment = one.step("refund"), StepScopes(one, actions).before("refund")
        args = resolved(cast("Segment", segment), step, environment, at="refund")
        action: Any = actions[step.uses]
        plans.append(action.plan(fitting(action, args), cast("Any", None)).lines)

    assert TEXTS[0] != TEXTS[1]
    assert definitions[0].version == definitions[1].version
    assert plans[0] == plans[1]
