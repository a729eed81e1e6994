"""What a definition may say about webhooks, and what a delivery gives it."""

import json

import pytest

from tests.workflows.definition_kit import HEAD, real_actions
from workflows.check import check_text
from workflows.definition import Definition
from workflows.errors import DefinitionError, ExpressionError, InputsError
from workflows.loading import load_definition, load_policy
from workflows.policy import Policy
from workflows.triggers import WebhookTrigger
from workflows.webhook_mapping import Delivered, mapped

BODY = """\
inputs:
  order: {type: string, pattern: "^ord_[0-9]+$"}
  amount: {type: integer, minimum: 1}
  day: {type: date, required: false}
  kind: {type: enum, choices: [late, broken], default: late}
steps:
  - id: look
    uses: http.request
    with: {service: shop, path: "/orders/${{ inputs.order }}"}
    when: inputs.day == null && inputs.amount > 5 && inputs.kind == "late"
"""
SCHEDULED = (
    HEAD
    + """\
inputs: {day: {type: date, required: false}}
triggers:
  - {cron: "0 9 * * 1-5", timezone: Europe/Berlin, inputs: {day: "2026-03-02"}, missed: run_once}
steps:
  - id: look
    uses: http.request
    with: {service: shop, path: "/days/${{ inputs.day }}"}
"""
)
# As it was before there were webhooks: runs in flight and open approvals rest on it.
SCHEDULED_VERSION = "3fc75c86ff192c4a8e59ac82c09530b7bea6c146a2c6aa72e14b6d5822c26d41"
RULES = """\
defaults: {expires: 24h}
rules:
  - {name: all, when: "true", stages: [{from: ["@leads"]}]}
services: {shop: {base_url: "http://shop.example"}}
"""
RULES_DIGEST = "2d6f3138761035f4e867b469001350c226ca34411862c64415efb110b9593719"
WEBHOOKS = 'webhooks: {shop-events: {secret: shop, requester: "@rita"}}\n'
GOOD = 'webhook: shop-events, inputs: {order: "${{ body.id }}", amount: "${{ body.cents }}"}'


def policy(text: str = RULES + WEBHOOKS) -> Policy:
    return load_policy(text)


def said(trigger: str, rules: str = RULES + WEBHOOKS) -> list[str]:
    """Return every fault of a definition with this trigger, without places."""
    text = f"{HEAD}{BODY}triggers: [{{{trigger}}}]\n"
    _, faults = check_text(text, "f", real_actions(policy(rules)), policy=policy(rules))
    return [f"{one.path}: {one.what}; {one.right}" for one in faults]


def trigger(text: str) -> WebhookTrigger:
    definition = load_definition(f"{HEAD}{BODY}triggers: [{{{text}}}]\n")
    return definition.webhook("shop-events")[0]


def given(text: str, body: object, **headers: str) -> dict[str, object] | None:
    delivered = Delivered(body=json.loads(json.dumps(body)), headers=headers)
    found = mapped(trigger(text), delivered)
    return None if found is None else dict(found)


def test_a_definition_from_before_webhooks_keeps_its_version() -> None:
    assert load_definition(SCHEDULED).version == SCHEDULED_VERSION


def test_a_policy_without_webhooks_keeps_its_digest() -> None:
    assert load_policy(RULES).digest == RULES_DIGEST
    assert policy().digest != RULES_DIGEST


def test_a_webhook_trigger_comes_back_whole_from_the_canonical_bytes() -> None:
    definition = load_definition(f"{HEAD}{BODY}triggers: [{{{GOOD}, when: body.id != ''}}]\n")

    assert Definition.from_canonical(definition.canonical) == definition
    assert definition.schedules == ()


def test_a_sound_trigger_has_no_faults() -> None:
    assert said(GOOD) == []
    assert said(GOOD + ', when: body.type == "late" && headers.github_event == null') == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("shop-events", "shop-event"), "did you mean 'shop-events'?"),
        (GOOD.replace("shop-events", "Shop"), "triggers[0].webhook: is written in a form"),
        ('webhook: shop-events, inputs: {order: "${{ body.id }}"}', "input 'amount' open"),
        (GOOD.replace("order:", "ordr:"), "triggers[0].inputs.ordr: is no input"),
        (GOOD.replace("body.id", "bdy.id"), "nothing is called bdy.id"),
        (GOOD.replace("body.id", "headers.authorization"), "nothing is called headers.auth"),
        (GOOD.replace("body.cents", "string(body.cents)"), "gives string, but integer"),
        (GOOD.replace("body.cents", "body.cents > 5"), "gives boolean, but integer"),
        (GOOD.replace('"${{ body.cents }}"', "0"), "triggers[0].inputs.amount: must be at least 1"),
        (GOOD.replace('"${{ body.cents }}"', "many"), "must be a whole number"),
        (GOOD + ", when: body.type + 1 + 'x'", "triggers[0].when: "),
        (GOOD + ", when: steps.look.output", "nothing is called steps.look.output"),
        (GOOD + ", when: '1'", "triggers[0].when: "),
        (GOOD + ", wen: true", "triggers[0].wen: is not known here"),
        (GOOD + ', cron: "0 9 * * *"', "triggers[0].cron: is not known here"),
        ("inputs: {}", "triggers[0].cron: is missing"),
    ],
)
def test_a_mistake_in_a_trigger_is_named_where_it_stands(text: str, fault: str) -> None:
    found = said(text)

    assert any(fault in one for one in found), found


def test_a_webhook_that_no_policy_knows_is_said() -> None:
    assert any("add it there" in one for one in said(GOOD, RULES))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("webhooks: {a: {secret: s}}", "webhooks.a.requester: is missing"),
        ('webhooks: {a: {requester: "@r"}}', "webhooks.a.secret: is missing"),
        ("webhooks: {a: {secret: s, requester: rita}}", "write a user group or a person"),
        ('webhooks: {A: {secret: s, requester: "@r"}}', "is written in a form"),
        ('webhooks: {a: {secret: s, requester: "@r", scheme: none}}', "cannot be 'none'"),
        ('webhooks: {a: {secret: s, requester: "@r", tolerance: 1h}}', "is too long"),
    ],
)
def test_a_webhook_that_cannot_be_kept_is_refused_with_the_policy(text: str, fault: str) -> None:
    with pytest.raises(DefinitionError, match=fault):
        load_policy(f"{RULES}{text}\n")


def test_a_delivery_gives_inputs_of_the_type_that_stands_in_it() -> None:
    found = given(GOOD, {"id": "ord_1", "cents": 500})

    assert found == {"order": "ord_1", "amount": 500}


def test_texts_around_expressions_and_headers_are_put_together() -> None:
    text = 'webhook: shop-events, inputs: {order: "ord_${{ body.n }}", amount: 5}'

    assert given(text, {"n": 7}) == {"order": "ord_7", "amount": 5}
    named = text.replace("body.n", "headers.webhook_id")
    assert given(named, {}, webhook_id="9") == {"order": "ord_9", "amount": 5}


def test_a_condition_chooses_which_deliveries_count() -> None:
    text = GOOD + ', when: has(body.type) && body.type == "late"'

    assert given(text, {"id": "ord_1", "cents": 5, "type": "late"}) is not None
    assert given(text, {"id": "ord_1", "cents": 5, "type": "early"}) is None
    assert given(text, {}) is None


@pytest.mark.parametrize("condition", ["body.type == 'x'", "body.flag", "body"])
def test_a_condition_that_cannot_be_decided_is_refused_and_never_guessed(condition: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        given(f'{GOOD}, when: "{condition}"', {"flag": 1})

    assert refused.value.hint


def test_each_input_that_cannot_be_made_is_named() -> None:
    with pytest.raises(InputsError) as refused:
        given(GOOD, {"other": 1})

    assert set(refused.value.fields) == {"order", "amount"}
