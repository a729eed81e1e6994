"""Warnings about a policy: what can never be, what stands in the way, what fits no workflow."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storage.rows import DatabaseRows
from tests.workflows.definition_kit import SHIPPED, demo_policy
from tests.workflows.engine.flows import workflow
from workflows.actions.registry import all_actions
from workflows.check import check
from workflows.definition import Definition
from workflows.judged_steps import judged_steps
from workflows.loading import load_definition, read_policy
from workflows.policy_lint import lint_policy
from workflows.policy_lint_circles import Link, circles
from workflows.policy_lint_steps import Around

HEAD = "defaults: {expires: 24h}\nrules:\n"
ROLES = 'roles: {governors: ["@governors"]}\n'
GATE = """\
  - name: gate
    when: effect == "destructive"
    stages: [{from: ["@leads"]}]
"""


CARED_FOR = """\
workflow: {name}
title: A look
owner: "{owner}"
deputy: "{deputy}"
steps:
  - id: look
    uses: http.request
    with: {{service: shop, method: GET, path: /health}}
"""


def alone(*definitions: Definition) -> Around:
    """Return workflows with nothing known of their steps but what the files say."""
    return Around(definitions=definitions, steps=(), actions=frozenset())


def rule(when: str, *, name: str = "odd", more: str = 'stages: [{from: ["@leads"]}]') -> str:
    return f"  - name: {name}\n    when: {when}\n    {more}\n"


def linted(
    *rules: str, around: Around | None = None, rest: str = "", roles: str = ROLES
) -> list[str]:
    """Return what is said, without the file's name."""
    text = HEAD + "".join(rules) + rest + roles
    loaded = read_policy(text, "p")
    assert loaded.model is not None, [str(one) for one in loaded.faults]
    found = lint_policy(loaded.model, loaded.document, around)
    assert all(one.is_warning for one in found.faults)
    return [str(one).removeprefix("p:") for one in found.faults]


@pytest.fixture(scope="module")
def around() -> Around:
    """Give the shipped workflows."""
    actions = all_actions(demo_policy().targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    definitions = check([SHIPPED], actions).definitions
    return Around(
        definitions=definitions,
        steps=tuple(judged_steps(definitions, actions)),
        actions=frozenset(actions),
    )


# --- conditions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("hour > 23", "4:11: warning: rules[0].when: can never be true"),
        (
            'effect == "read"',
            "is only about steps that read, and those are never put to the policy",
        ),
        (
            'effect == "destructiv"',
            "effect is never 'destructiv', did you mean 'destructive'?",
        ),
        (
            "inputs.amount > 10 && inputs.amount < 5",
            "is never true, and has no value in some cases, as with inputs.amount = true",
        ),
    ],
)
def test_a_rule_that_can_never_match_is_told_at_its_place(when: str, told: str) -> None:
    found = linted(rule(when))

    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    "when", ['effect == "write" && hour < 24', "inputs.amount > 5", 'requester == "@rita"']
)
def test_a_rule_that_can_match_is_not_told_of(when: str) -> None:
    assert linted(rule(when)) == []


def test_what_trying_cannot_settle_is_named_as_not_analysed() -> None:
    text = HEAD + GATE + rule('requester.startsWith("@o") && hour > 23', name="who knows")
    loaded = read_policy(text, "p")
    assert loaded.model is not None

    assert lint_policy(loaded.model, loaded.document).not_analysed == ("who knows",)


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (
            "budgets: [{name: much, when: hour > 23, amount: 1, limit: 5, window: 1d}]\n",
            "budgets[0].when: can never be true",
        ),
        (
            "freezes: [{name: end, weekly: {weekdays: [5]}, when: effect == 'writ'}]\n",
            "freezes[0].when: effect is never 'writ', did you mean 'write'?",
        ),
        (
            'break_glass: {people: ["@a"], by: ["@b"], when: weekday == 8}\n',
            "break_glass.when: can never be true",
        ),
    ],
)
def test_other_conditions_are_looked_at_too(rest: str, told: str) -> None:
    (found,) = linted(GATE, rest=rest)

    assert told in found


def test_an_auto_that_can_never_spare_anybody() -> None:
    auto = 'stages: [{from: ["@leads"]}]\n    auto: {when: hour > 23, because: It is late.}'
    (found,) = linted(rule('effect == "write"', more=auto))

    assert "rules[0].auto.when: can never be true" in found


# --- rules in each other's way ----------------------------------------------------------------


def test_a_stage_of_people_whom_the_same_rule_leaves_out() -> None:
    more = 'stages: [{from: ["@leads"]}]\n    exclude: ["@leads", "@temps"]'

    (found,) = linted(rule('effect == "write"', more=more))
    assert found.startswith("5:14: warning: rules[0].stages[0]: asks only people whom the same")
    assert found.endswith(
        '(where effect = "write"), ask somebody else too, so that the step can run'
    )


def test_a_stage_of_people_whom_another_rule_leaves_out_where_both_match() -> None:
    other = 'stages: [{from: ["@directors"]}]\n    exclude: ["@leads"]'
    night = rule("hour > 20", name="night", more=other)
    morning = rule("hour < 12", name="morning", more=other)

    found = linted(rule("hour > 10", name="day"), night)
    assert "asks only people whom the rule “night” leaves out (where hour = 21)" in found[0]
    assert linted(rule("hour > 12", name="day"), morning) == []


def test_an_escalation_that_another_rule_cuts_off() -> None:
    slow = 'stages: [{from: ["@leads"]}]\n    escalate: {after: 4h, to: ["@directors"]}'
    quick = 'stages: [{from: ["@leads"]}]\n    expires: 2h'

    found = linted(
        rule('effect == "destructive"', name="slow", more=slow),
        rule("inputs.amount > 5", name="quick", more=quick),
    )
    assert len(found) == 1
    assert (
        "never comes where the rule “quick” counts too, which ends the request after 2h"
        in (found[0])
    )


def test_hours_of_two_rules_that_never_overlap() -> None:
    def open_at(begins: str, ends: str, days: str) -> str:
        return (
            f'stages: [{{from: ["@leads"]}}]\n'
            f'    hours: {{weekdays: [{days}], from: "{begins}", to: "{ends}"}}'
        )

    week = rule('effect == "write"', name="week", more=open_at("09:00", "17:00", "1-5"))
    weekend = rule("hour > 5", name="weekend", more=open_at("09:00", "17:00", "6-7"))
    evening = rule("hour > 5", name="evening", more=open_at("16:00", "20:00", "1-7"))

    assert "never overlaps with the hours of the rule “week”" in linted(week, weekend)[0]
    assert linted(week, evening) == []


def test_a_batch_under_a_glass_that_is_over_everything() -> None:
    together = 'stages: [{from: ["@leads"]}]\n    batch: true'
    glass = 'break_glass: {people: ["@on-call"], by: ["@leads"], review: 24h%s}\n'

    found = linted(rule('effect == "write"', more=together), GATE, rest=glass % "")
    about = linted(
        rule('effect == "write"', more=together),
        GATE,
        rest=glass % ', when: effect == "destructive"',
    )

    assert [one for one in found if "never counts: the glass" in one]
    assert not [one for one in about if "never counts: the glass" in one]


def test_a_reason_that_nobody_can_write() -> None:
    def wants(pattern: str) -> str:
        more = f'stages: [{{from: ["@leads"]}}]\n    reason: {{pattern: "{pattern}", hint: a form}}'
        return rule('effect == "write"', more=more)

    assert "wants a reason, and only an empty one fits" in linted(wants("^$"))[0]
    assert "wants a reason that nobody can write" in linted(wants("x{600}x{600}"))[0]
    assert linted(wants("OPS-[0-9]+.*")) == []


def test_more_people_than_can_be_asked() -> None:
    more = 'stages: [{from: ["@omar", "@rita"], approve: 3, deny: 2}]'
    rest = "operators: {deploy: '@omar'}\n"
    asks = rule('requester != "@rita"', more=more)

    assert [one.partition("stages[0]: ")[2] for one in linted(asks, rest=rest)] == [
        "3 must agree, and only 2 can be asked, name more people"
    ]
    assert linted(asks) == []  # Without the operators, @omar may be a group.


def test_a_person_whom_one_rule_names_in_two_stages() -> None:
    more = 'stages: [{from: ["@omar"]}, {from: ["@leads"]}, {from: ["@omar"]}]'
    rest = "operators: {deploy: '@omar'}\n"
    asks = rule('requester != "@rita"', more=more)

    assert [one.partition("stages[0]: ")[2] for one in linted(asks, rest=rest)] == [
        "2 must agree, and only 1 can be asked, name more people"
    ]


def test_a_group_that_stands_once_and_is_nearly_called_like_another() -> None:
    found = linted(
        GATE,
        rule("hour > 3", name="one", more='stages: [{from: ["@finance-leads"]}]'),
        rule("hour > 4", name="two", more='stages: [{from: ["@finance-leads"]}]'),
        rule("hour > 5", name="three", more='stages: [{from: ["@finance-lead"]}]'),
    )

    assert len(found) == 1
    assert (
        "names @finance-lead, which stands nowhere else, did you mean @finance-leads?" in (found[0])
    )


# --- chains of people -----------------------------------------------------------------------


def escalating(name: str, asked: str, to: str) -> str:
    more = f'stages: [{{from: ["{asked}"]}}]\n    escalate: {{after: 4h, to: [{to}]}}'
    return rule('effect == "write"', name=name, more=more)


def test_escalations_that_lead_back_are_named_from_end_to_end() -> None:
    first = escalating("one", "@leads", '"@directors"')
    second = escalating("two", "@directors", '"@board"')
    third = escalating("three", "@board", '"@leads"')

    (found,) = linted(first, second, third)
    assert found == (
        "14:31: warning: rules[2].escalate.to: escalates in a circle: @leads → @directors (“one”)"
        " → @board (“two”) → @leads (“three”), let it end with somebody outside of it"
    )
    assert linted(first, second, escalating("three", "@board", '"@leads", "@owner"')) == []


def test_an_escalation_to_those_who_are_asked_already() -> None:
    (found,) = linted(escalating("one", "@leads", '"@leads"'))

    assert "lets only @leads decide too, who are asked already" in found


def test_an_escalation_of_a_workflow_file_is_part_of_a_circle() -> None:
    file = load_definition(
        CARED_FOR.format(name="first", owner="@crew", deputy="@chiefs")
        + '    approval: {stages: [from: ["@directors"]], escalate: {after: 1h, to: ["@leads"]}}\n'
    )

    found = linted(escalating("one", "@leads", '"@directors"'), around=alone(file))
    assert "@leads → @directors (“one”) → @leads (first/look)" in found[0]


def test_owners_deputies_and_governors_who_only_have_each_other() -> None:
    first = load_definition(CARED_FOR.format(name="first", owner="@crew", deputy="@chiefs"))
    second = load_definition(CARED_FOR.format(name="second", owner="@governors", deputy="@crew"))
    circle = "@crew → @chiefs (deputy of first) → @governors (the governors)"

    found = [one for one in linted(GATE, around=alone(first, second)) if "circle" in one]
    assert len(found) == 1
    assert f"roles.governors: ends the care for workflows in a circle: {circle} → @crew" in found[0]
    assert not [one for one in linted(GATE, around=alone(first)) if "circle" in one]


def test_long_chains_of_people_are_followed_in_time() -> None:
    links = [
        Link(source=f"@{one}", target=f"@{(one + step) % 20_000}", by="rule", place=("rules",))
        for one in range(20_000)
        for step in (1, 2)
    ]

    (circle,) = circles(links)
    assert len(circle) == 20_000


# --- the workflows at hand ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (
            'workflow == "refund-custmer"',
            "no workflow here is called 'refund-custmer', did you mean 'refund-customer'?",
        ),
        (
            'workflow == "refund-customer" && step == "refnd"',
            "no step here is called 'refnd', did you mean 'refund'?",
        ),
        (
            'workflow == "refund-customer" && step == "purge"',
            "no step here is called 'purge', known here: order, refund",
        ),
        (
            'action in ["http.request", "sql.exekute"]',
            "no action here is called 'sql.exekute', did you mean 'sql.execute'?",
        ),
        (
            'workflow == "refund-customer" && inputs.amont > 5',
            "no workflow that it is about has an input 'amont', did you mean 'amount'?",
        ),
        (
            'workflow == "refund-customer" && step == "order"',
            "is about no step of the workflows here",
        ),
    ],
)
def test_names_that_no_workflow_has(around: Around, when: str, told: str) -> None:
    found = [one for one in linted(GATE, rule(when), around=around) if "rules[1]" in one]

    assert len(found) == 1
    assert told in found[0]


def test_a_rule_that_counts_for_others_only_since_it_has_no_value_there(around: Around) -> None:
    found = linted(GATE, rule('effect == "destructive" && inputs.amount > 5'), around=around)
    told = next(one for one in found if "rules[1]" in one)

    assert "counts for purge-stale-accounts, request-approval, roll-back-release too" in told
    assert "which have no input 'amount'" in told
    assert "has(inputs.amount) &&" in told
    named = rule('has(inputs.amount) && effect == "destructive" && inputs.amount > 5')
    assert not any("rules[1]" in one for one in linted(GATE, named, around=around))


def test_destructive_steps_that_no_rule_is_about(around: Around) -> None:
    found = linted(rule('workflow == "refund-customer"'), around=around)
    steps = [one for one in found if "no rule is about" in one]

    assert len(steps) >= 2
    assert any("of purge-stale-accounts, which is destructive, so" in one for one in steps)
    assert not any("refund-customer" in one for one in steps)
    assert not any("no rule is about" in one for one in linted(GATE, around=around))


def test_a_net_for_workflows_to_come_is_no_mistake(around: Around) -> None:
    net = rule('effect == "destructive" && !(workflow in ["refund-customer"])', name="net")
    others = 'workflow != "purge-stale-accounts" && workflow != "roll-back-release"'
    nothing_yet = rule(f'effect == "destructive" && workflow != "refund-customer" && {others}')

    assert not [one for one in linted(net, around=around) if "rules[0]" in one]
    assert not [one for one in linted(GATE, nothing_yet, around=around) if "rules[1]" in one]


def test_targets_that_no_workflow_uses(around: Around) -> None:
    rest = "databases: {old: {secret: old_address}, crm: {secret: crm_address}}\n"
    found = linted(GATE, around=around, rest=rest)

    assert [one for one in found if "databases" in one] == [
        "6:13: warning: databases.old: is used by no workflow here"
    ]


def test_a_name_in_shadow_that_no_workflow_has(around: Around) -> None:
    bar = "production: {runs: 2, error_budget: {failures: 0, runs: 9}, shadow: [%s]}\n"
    found = linted(GATE, around=around, rest=bar % "refund-customer, refund-custmer")

    (told,) = (one for one in found if "shadow" in one)

    assert told.startswith(
        "6:87: warning: production.shadow[1]: names no workflow 'refund-custmer'"
    )
    assert told.endswith("did you mean 'refund-customer'?")


def test_a_workflow_in_shadow_that_a_real_one_starts(around: Around) -> None:
    calls = load_definition(workflow("ours", "steps: [{id: a, workflow: refund-customer}]"))
    more = replace(around, definitions=(*around.definitions, calls))
    bar = "production: {runs: 2, error_budget: {failures: 0, runs: 9}, shadow: [%s]}\n"
    alone = linted(GATE, around=more, rest=bar % "refund-customer")
    both = linted(GATE, around=more, rest=bar % "refund-customer, ours")

    assert "refund-customer is started by ours, whose real runs will stop" in "\n".join(alone)
    assert not [one for one in both if "shadow" in one]


def test_roles_for_workflows_that_there_are_not(around: Around) -> None:
    roles = """roles:
  governors: ["@g"]
  viewers: ["@v", {to: "@v", workflows: [refund-customer]}]
  runners: [{to: "@r", workflows: ["refund-*", refund-custmer, "pay-*"]}]
"""
    told = [one.partition("warning: roles.")[2] for one in linted(GATE, around=around, roles=roles)]
    twice, nobody, near, far = (one for one in told if one)

    assert twice.startswith("viewers[1].workflows: limits @v, who are bound as viewers of every")
    assert nobody.startswith("runners: bind nobody for nightly-check, purge-stale-accounts, ")
    assert near.startswith("runners[0].workflows[1]: 'refund-custmer' fits no workflow here")
    assert near.endswith("did you mean 'refund-customer'?")
    assert far.startswith("runners[0].workflows[2]: 'pay-*' fits no workflow here")


def test_runners_of_a_workflow_who_are_none_of_one_that_it_starts(around: Around) -> None:
    calls = load_definition(workflow("ours", "steps: [{id: a, workflow: refund-customer}]"))
    more = replace(around, definitions=(*around.definitions, calls))
    roles = """roles:
  governors: ["@g"]
  runners: ["@all", {to: "@r", workflows: [ours]}]
"""
    found = linted(GATE, around=more, roles=roles)

    (told,) = (one for one in found if "in it" in one)
    assert "roles.runners: bind @r for ours, and not for refund-customer in it" in told


def test_the_shipped_policy_has_nothing_odd(around: Around) -> None:
    loaded = read_policy((SHIPPED / "demo-policy.yaml").read_text(), "p")
    assert loaded.model is not None

    assert [str(one) for one in lint_policy(loaded.model, loaded.document, around).faults] == []
