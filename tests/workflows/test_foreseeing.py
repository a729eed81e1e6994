"""Whether people will be asked when a workflow runs with given values, before it does."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.workflows.definition_kit import real_actions
from workflows.entry import Json
from workflows.explaining import Given
from workflows.foreseeing import foreseen
from workflows.foreseen import Foreseen
from workflows.loading import load_definition, load_policy
from workflows.portrait import Known

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP = "services: {shop: {base_url: https://shop.example.com, paths: [/orders, /order]}}\n"
ORDER = """
workflow: order
title: Order
owner: "@ops"
deputy: "@leads"
inputs:
  amount: {type: integer, title: Amount}
  rate: {type: number, title: Rate, default: 2}
steps:
  - id: look
    uses: http.request
    with: {service: shop, method: GET, path: /order}
    returns: {body: {price: integer}}
"""
SEND = """
  - id: send
    uses: http.request
    with: {service: shop, method: POST, path: /orders, json: {amount: "${{ inputs.amount }}"}}
    effect: write
    undo: none
"""
PRICED = SEND.replace("inputs.amount", "steps.look.output.body.price")
WHEN = '    when: "{}"\n'
FOREACH = """
  - id: each
    foreach: "[1, 2]"
    steps:
""" + SEND.strip("\n").replace("\n", "\n    ").replace("  - id", "      - id", 1)
OUTER = """
workflow: outer
title: Outer
owner: "@ops"
deputy: "@leads"
steps:
  - {id: inner, workflow: order, inputs: {amount: 700}}
"""
ASK = """
  - id: say
    ask: {of: ["@ops"], question: Which?, fields: {name: {type: string, title: Name}}}
"""
OWN = SEND + '    approval: {stages: [{from: ["@leads"], approve: 1}]}\n'
GONE = SEND.replace("effect: write", "effect: destructive")
NOBODY = "workflow == 'other'"
LITTLE = "auto: {when: inputs.amount < 1000, because: It is little.}"
NOT, PERHAPS, SURELY = Foreseen


def seen(
    steps: str, *rules: str, outer: str = "", inputs: Mapping[str, Json] | None = None
) -> Foreseen:
    told = "".join(
        f'  - {{name: r{n}, when: "{one.partition(";")[0]}", stages: [{{from: ["@leads"]}}]'
        f"{', ' + one.partition(';')[2] if ';' in one else ''}}}\n"
        for n, one in enumerate(rules or (NOBODY,))
    )
    policy = load_policy(f"defaults: {{expires: 24h}}\nrules:\n{told}{SHOP}")
    order = load_definition(ORDER + steps)
    known = Known(actions=real_actions(policy), find={"order": order}.get)
    definition = load_definition(outer) if outer else order
    values = {"amount": 700, "rate": 2} if inputs is None else inputs
    given = Given(inputs=values, requester="@rita", at=NOON)
    return foreseen(policy, definition, known, given)


@pytest.mark.parametrize(
    ("steps", "rule", "expected"),
    [
        (SEND, NOBODY, NOT),
        ("", "true", NOT),  # What only reads is put before no rule.
        (SEND, "effect == 'write'", SURELY),
        (SEND, "inputs.amount > 500 && requester == '@rita'", SURELY),
        (SEND, "inputs.amount > 900", NOT),
        (SEND, "args.json.amount > 500", SURELY),
        (SEND, "hour > 18", PERHAPS),  # It starts at noon; nobody knows when its steps do.
        (SEND, "workflow == 'other' && weekday > 5", NOT),
        (SEND, "hour > 18 || effect == 'write'  // Late.", SURELY),
        (SEND, "inputs.amonut > 5", PERHAPS),
        (PRICED, "args.json.amount > 500", PERHAPS),
        (PRICED, "args.service == 'bank' && args.json.amount > 500", NOT),
        (PRICED, "has(args.json)", PERHAPS),
        (PRICED, "!('json' in args)", PERHAPS),
        (SEND, f"true;{LITTLE}", NOT),
        (SEND, f"true;{LITTLE.replace('1000', '10')}", SURELY),
        (SEND, f"hour > 18;{LITTLE.replace('1000', '10')}", PERHAPS),
        (SEND, f"true;{LITTLE.replace('inputs.amount < 1000', 'hour < 18')}", PERHAPS),
        (GONE, f"true;{LITTLE}", SURELY),
        (GONE, NOBODY, NOT),  # It stops there, and nobody could agree to it.
        (GONE, "hour > 18", PERHAPS),
        (OWN, NOBODY, SURELY),
        (SEND + WHEN.format("inputs.rate > 1.5"), "true", SURELY),
        (SEND + WHEN.format("inputs.amount > 900"), "true", NOT),
        (GONE + WHEN.format("inputs.amount > 900"), "true", NOT),
        (SEND + WHEN.format("steps.look.output.body.price > 3"), "true", PERHAPS),
        (GONE + WHEN.format("steps.look.output.body.price > 3"), "true", SURELY),
        (FOREACH, "true", PERHAPS),  # A loop may go over nothing.
        (ASK, NOBODY, SURELY),
        (ASK + WHEN.format("inputs.amount > 900"), NOBODY, NOT),
    ],
)
def test_it_is_told_how_sure_it_is_that_people_are_asked(
    steps: str, rule: str, expected: Foreseen
) -> None:
    assert seen(steps, rule) is expected


@pytest.mark.parametrize(
    ("steps", "rule", "expected"),
    [
        (SEND, NOBODY, NOT),
        (SEND, "effect == 'write'", PERHAPS),
        (SEND, "inputs.amount > 900", PERHAPS),
        (SEND, "args.json.amount > 900", PERHAPS),
        (SEND + WHEN.format("inputs.amount > 900"), "true", PERHAPS),
        (GONE, "true", SURELY),
    ],
)
def test_what_is_started_counts_with_whatever_values_it_gets(
    steps: str, rule: str, expected: Foreseen
) -> None:
    assert seen(steps, rule, outer=OUTER, inputs={}) is expected
