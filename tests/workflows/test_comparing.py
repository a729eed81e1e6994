"""What two versions of a workflow or a policy differ in, in words and with the graver first."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

import workflows
from tests.bot.catalog import GATED, PLAIN, POLICY
from tests.workflows.definition_kit import demo_policy
from tests.world import CHANGE, ChangeWorld, ReadWorld, World, definition_in, policy_in
from workflows.actions.slack import SlackPostAction
from workflows.comparing import MARK, difference
from workflows.comparing_policies import policy_difference
from workflows.definition import Definition, meaning
from workflows.loading import load_definition
from workflows.policy import Policy
from workflows.portrait import Known

SHIPPED = Path(workflows.__file__).parent / "definitions"

WORLD = World()
ACTIONS = {one.name: one for one in (SlackPostAction(), ReadWorld(WORLD), ChangeWorld(WORLD))}
KNOWN = Known(actions=ACTIONS, find=lambda _name: None)


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("effect: destructive", "effect: write", "said to be destructive, now only write"),
        ("when: steps.look.output.value < 1000", "when: 'true'", "its condition changes"),
        ("inputs.by\n      within", "1\n      within", "the proof that it happened changes"),
        ('owner: "@owners"', 'owner: "@rita"', "owner changes: @owners → @rita"),
        ('run_by: ["@askers"]', 'run_by: ["@everybody"]', "run by changes"),
        ("undo: none", "recheck: false\n    undo: none", "no longer checked again"),
        (
            "uses: world.read\n    with: {name: number}\n  - id: change",
            "uses: world.change\n    with: {name: number, by: 1}\n  - id: change",
            "read → write",
        ),
    ],
)
def test_what_makes_a_workflow_do_more_or_ask_less_is_marked(was: str, now: str, told: str) -> None:
    changed = CHANGE.replace(was, now)
    lines = difference(definition_in(CHANGE), definition_in(changed), KNOWN)

    assert any(one.startswith(MARK) and told in one for one in lines)
    assert lines[0].startswith(MARK)


def test_other_changes_are_told_field_by_field_and_not_marked() -> None:
    changed = CHANGE.replace("maximum: 1000, title: By", "maximum: 900, title: How much")

    assert difference(definition_in(CHANGE), definition_in(changed), KNOWN) == [
        "inputs by title: By → How much",
        "inputs by maximum: 1000 → 900",
    ]


def test_a_tightened_gate_is_no_lowered_one() -> None:
    more = PLAIN.replace("approve: 2", "approve: 3")

    assert difference(definition_in(PLAIN), definition_in(more), KNOWN) == [
        "step say: asks: 2 of @deciders → 3 of @deciders"
    ]


def test_a_policy_that_asks_less_or_gives_more_is_marked() -> None:
    less = GATED.replace("approve: 1", "approve: 1, deny: 2").replace(
        'roles: {governors: ["@governors"]}', 'roles: {governors: ["@rita"]}'
    )
    lines = policy_difference(policy_in(GATED), policy_in(less))

    assert lines == [
        f"{MARK}roles governors: @governors → @rita",
        f"{MARK}rule destructive stages 1 deny: 1 → 2",
    ]
    more = GATED.replace('omar: "@omar"', 'omar: "@omar", root: "@gina"')
    more = more.replace("publish: {}", 'publish: {authors: ["@ben"]}')
    assert policy_difference(policy_in(GATED), policy_in(more)) == [
        f"{MARK}new: operators root: @gina",
        "new: publish authors: @ben",
    ]
    assert policy_difference(policy_in(GATED), policy_in(POLICY))[0].startswith(
        f"{MARK}nobody would gate publications"
    )


def variants(value: object) -> Iterator[object]:
    """Yield what a file would hold with one thing in it changed or left out."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield {key: kept for key, kept in value.items() if key != name}
            yield from ({**value, name: other} for other in variants(one))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield [*value[:index], *value[index + 1 :]]
            yield from ([*value[:index], other, *value[index + 1 :]] for other in variants(one))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value}x"


@pytest.mark.parametrize("name", ["refund-customer", "purge-stale-accounts"])
def test_nothing_in_a_file_changes_without_a_word(name: str) -> None:
    before = load_definition(SHIPPED / f"{name}.yaml")
    silent, tried = [], 0
    for changed in variants(meaning(before)):
        try:
            after = Definition.model_validate_json(json.dumps(changed))
        except ValidationError:
            continue
        tried += 1
        if after.version != before.version and not difference(before, after, KNOWN):
            silent.append(changed)

    assert tried > 80
    assert silent == []


def test_nothing_in_a_policy_changes_without_a_word() -> None:
    before = demo_policy()
    silent, tried = [], 0
    for changed in variants(meaning(before)):
        try:
            after = Policy.model_validate_json(json.dumps(changed))
        except ValidationError:
            continue
        tried += 1
        if after.digest != before.digest and not policy_difference(before, after):
            silent.append(changed)

    assert tried > 50
    assert silent == []


def test_whoever_is_given_a_role_for_some_workflows_stands_first() -> None:
    bound = GATED.replace("roles: {", 'roles: {runners: [{to: "@a", workflows: [one]}], ')
    wider = bound.replace("workflows: [one]}", 'workflows: [one, "pay-*"]}, "@b"')
    authors = bound.replace("roles: {", 'roles: {authors: [{to: "@c", workflows: [one]}], ')

    assert policy_difference(policy_in(bound), policy_in(wider)) == [
        f"{MARK}new: roles runners of pay-*: @a",
        f"{MARK}new: roles runners: @b",
    ]
    assert policy_difference(policy_in(wider), policy_in(bound)) == [
        f"{MARK}no longer: roles runners of pay-*: @a",
        f"{MARK}no longer: roles runners: @b",
    ]
    assert policy_difference(policy_in(bound), policy_in(authors)) == [
        "new: roles authors of one: @c"
    ]
