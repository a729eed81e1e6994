"""Every rule that applies counts, and a definition can only ask for more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.definition_kit import SHIPPED, demo_policy
from workflows.actions.base import Effect
from workflows.definition_steps import Approval, ApprovalStage
from workflows.demand import Demand, DemandStage
from workflows.errors import DefinitionError, NoGateError
from workflows.loading import load_policy, read_policy
from workflows.policy import Policy
from workflows.policy_facts import Facts

NIGHT = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
REFUND = Facts(
    effect=Effect.DESTRUCTIVE,
    workflow="refund-customer",
    step="refund",
    action="http.request",
    requester="@rita",
    at=NIGHT,
    inputs={"amount": 900},
    args={"path": "/refunds"},
)
RULES = """\
defaults: {expires: 24h}
rules:
  - name: leads
    when: effect == "destructive"
    stages: [{from: ["@leads"]}]
    remind: [2h]
  - name: big
    when: workflow == "refund-customer" && inputs.amount > 500
    stages: [{from: ["@leads"], approve: 2, deny: 3}, {from: ["@directors"], deny: 2}]
    expires: 8h
    remind: [4h, 1h]
  - name: nights
    when: hour >= 22 || hour < 6
    stages: [{from: ["@watch", "@leads"]}]
    reason: required
"""


def policy(rules: str = RULES) -> Policy:
    return load_policy(rules)


def stage(*asked: str, approve: int = 1, deny: int = 1) -> DemandStage:
    return DemandStage(asked=asked, approve=approve, deny=deny)


def test_all_rules_that_apply_are_gathered_in_order_of_appearance() -> None:
    demand = policy().demand(REFUND)

    assert demand == Demand(
        stages=(
            stage("@leads", approve=2, deny=1),
            stage("@directors", deny=2),
            stage("@watch", "@leads"),
        ),
        expires=timedelta(hours=8),
        remind=(timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)),
        needs_reason=True,
        rules=("leads", "big", "nights"),
    )


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"inputs": {"amount": 500}}, ("leads", "nights")),
        ({"at": NIGHT.replace(hour=12)}, ("leads", "big")),
        ({"workflow": "other"}, ("leads", "nights")),
        ({"effect": Effect.WRITE, "at": NIGHT.replace(hour=12)}, ("big",)),
    ],
)
def test_a_rule_that_does_not_apply_asks_nobody(
    change: dict[str, object], rules: tuple[str, ...]
) -> None:
    demand = policy().demand(replace(REFUND, **change))

    assert demand is not None
    assert demand.rules == rules


def test_what_harms_nothing_and_no_rule_names_needs_nobody() -> None:
    facts = replace(REFUND, effect=Effect.READ, workflow="look", at=NIGHT.replace(hour=12))

    assert policy().demand(facts) is None


def test_something_destructive_that_no_rule_names_does_not_run() -> None:
    text = RULES.replace('effect == "destructive"', 'workflow == "x"')
    facts = replace(REFUND, workflow="purge", at=NIGHT.replace(hour=12))

    with pytest.raises(NoGateError, match=r"Step refund of purge is destructive, and no rule"):
        policy(text).demand(facts)


def test_a_definitions_own_approval_is_gate_enough_for_something_destructive() -> None:
    text = RULES.replace('effect == "destructive"', 'workflow == "x"')
    facts = replace(REFUND, workflow="purge", at=NIGHT.replace(hour=12))

    demand = policy(text).demand(facts, asking("@owners"))

    assert demand is not None
    assert demand.rules == ("the definition",)
    assert demand.expires == timedelta(hours=24)


def test_a_rule_that_cannot_be_evaluated_counts_as_applying() -> None:
    demand = policy().demand(replace(REFUND, inputs={}, at=NIGHT.replace(hour=12)))

    assert demand is not None
    assert demand.rules == ("leads", "big")
    assert demand.unsure == ("big",)


def test_a_rule_that_gives_something_else_than_true_or_false_counts_as_applying() -> None:
    odd = policy(RULES.replace("inputs.amount > 500", "inputs.amount"))

    demand = odd.demand(replace(REFUND, inputs={"amount": "no"}))

    assert demand is not None
    assert "big" in demand.unsure


def test_the_hour_is_that_of_the_policys_own_time_zone() -> None:
    noon = replace(REFUND, at=NIGHT.replace(hour=12))

    demand = policy("timezone: Asia/Tokyo\n" + RULES).demand(
        replace(noon, at=noon.at.replace(hour=14))
    )

    assert demand is not None
    assert "nights" in demand.rules


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("approve: 2", "approve: 0"), "9:42: rules[1].stages[0].approve: is out of range"),
        (("deny: 3", "deny: 0"), "9:51: rules[1].stages[0].deny: is out of range"),
        (('from: ["@directors"]', "from: []"), "9:62: rules[1].stages[1].from: is empty"),
        (('stages: [{from: ["@leads"]}]', "stages: []"), "5:13: rules[0].stages: is empty"),
        (("expires: 8h", "expires: 0h"), "10:14: rules[1].expires: '0h' is no length of time"),
        (
            ("expires: 8h", "expires: 40d"),
            "10:14: rules[1].expires: is too long, write at most 30d",
        ),
        (
            ("remind: [2h]", "remind: [24h]"),
            "6:13: rules[0].remind: a reminder comes after",
        ),
        (("defaults: {expires: 24h}", "defaults: {}"), "defaults.expires: is missing, say when"),
        (("defaults: {expires: 24h}\n", ""), "1:1: defaults: is missing"),
        (("name: big", "name: leads"), "7:11: rules[1].name: another rule has this name"),
        (("name: big", "name: the definition"), "7:11: rules[1].name: "),
        (("hour >= 22", "hours >= 22"), "13:11: rules[2].when: 'hours >= 22"),
        (("hour >= 22 || hour < 6", "hour"), "gives an integer, but a condition"),
        (("reason: required", "reason: maybe"), "reason: cannot be 'maybe'"),
        (("stages:", "stags:"), "5:5: rules[0].stags: is not known here, did you mean 'stages'?"),
        (("rules:", "rule:"), "2:1: rule: is not known here, did you mean 'rules'?"),
        (("defaults:", "services: {shop: {base_ur: x}}\ndefaults:"), "did you mean 'base_url'?"),
    ],
)
def test_a_policy_that_could_let_something_through_is_refused(
    change: tuple[str, str], fault: str
) -> None:
    assert change[0] in RULES

    found = [
        str(one).removeprefix("p:") for one in read_policy(RULES.replace(*change, 1), "p").faults
    ]

    assert any(fault in one for one in found), found


def test_the_digest_follows_the_meaning_and_not_the_writing() -> None:
    again = policy(
        "# remark\n" + RULES.replace("24h", "1d").replace("approve: 2, ", "approve: 2,  ")
    )

    assert again.digest == policy().digest
    assert policy(RULES.replace("> 500", "> 501")).digest != policy().digest


def test_another_target_is_another_policy() -> None:
    text = (SHIPPED / "demo-policy.yaml").read_text()

    assert load_policy(text.replace("8401", "8402")).digest != demo_policy().digest


def test_a_policy_with_faults_says_them_all() -> None:
    with pytest.raises(DefinitionError, match=r"(?s)policy:9:42.*policy:10:14"):
        policy(RULES.replace("approve: 2", "approve: 0").replace("expires: 8h", "expires: x"))


def asking(*people: str, approve: int = 1, deny: int = 1, hours: int | None = None) -> Approval:
    wanted = ApprovalStage(asked=people, approve=approve, deny=deny)
    expires = None if hours is None else timedelta(hours=hours)
    return Approval(stages=(wanted,), expires=expires)


PEOPLE = st.sampled_from(["@leads", "@directors", "@watch", "@owners"])
STAGES = st.builds(
    ApprovalStage,
    asked=st.lists(PEOPLE, min_size=1, max_size=3, unique=True).map(tuple),
    approve=st.integers(1, 4),
    deny=st.integers(1, 4),
)
APPROVALS = st.builds(
    Approval,
    stages=st.lists(STAGES, min_size=1, max_size=4).map(tuple),
    expires=st.none() | st.integers(1, 100).map(lambda hours: timedelta(hours=hours)),
    remind=st.just(()),
    reason=st.sampled_from(["optional", "required"]),
)
FACTS = st.builds(
    Facts,
    effect=st.just(Effect.DESTRUCTIVE),
    workflow=st.sampled_from(["refund-customer", "purge"]),
    step=st.just("do"),
    action=st.just("http.request"),
    requester=st.just("@rita"),
    at=st.datetimes(timezones=st.just(UTC)),
    inputs=st.one_of(st.just({}), st.integers(0, 1000).map(lambda amount: {"amount": amount})),
)


@given(facts=FACTS, approval=APPROVALS)
def test_what_a_definition_asks_for_never_loosens_what_the_policy_demands(
    facts: Facts, approval: Approval
) -> None:
    plain = policy().demand(facts)

    both = policy().demand(facts, approval)

    assert plain is not None
    assert both is not None
    assert both.is_as_strict_as(plain)
    assert both.expires <= plain.expires
    assert both.needs_reason >= plain.needs_reason
    assert set(both.rules) == {*plain.rules, "the definition"}
    wanted = {frozenset(one.asked) for one in approval.stages}
    assert wanted <= {frozenset(one.asked) for one in both.stages}


@given(facts=FACTS, approval=APPROVALS)
def test_whatever_is_demanded_can_be_refused_and_needs_somebody(
    facts: Facts, approval: Approval
) -> None:
    demand = policy().demand(facts, approval)

    assert demand is not None
    assert all(one.approve >= 1 and one.deny >= 1 and one.asked for one in demand.stages)
    people = [frozenset(one.asked) for one in demand.stages]
    assert len(people) == len(set(people))


CODED = RULES.replace("expires: 8h", "expires: 8h\n    step_up: totp") + (
    'roles: {governors: ["@governors"]}\n'
)


def test_one_rule_that_wants_a_code_is_enough() -> None:
    big, small = REFUND, replace(REFUND, inputs={"amount": 1})
    demands = [policy(CODED).demand(facts) for facts in (big, small)]

    assert [one.step_up for one in demands if one is not None] == ["totp", None]
    assert policy(CODED).asks_for_codes
    assert not policy().asks_for_codes


def test_a_demand_without_a_code_does_not_meet_one_with_it() -> None:
    plain, coded = policy().demand(REFUND), policy(CODED).demand(REFUND)

    assert plain is not None
    assert coded is not None
    assert coded.is_as_strict_as(plain)
    assert not plain.is_as_strict_as(coded)


def test_codes_need_somebody_who_confirms_them() -> None:
    with pytest.raises(DefinitionError, match="nobody could confirm whose codes count"):
        policy(CODED.partition("roles:")[0])


def test_a_policy_without_codes_keeps_the_digest_it_had() -> None:
    assert b"step_up" not in policy().canonical
    assert policy(CODED).digest != policy(CODED.replace("    step_up: totp\n", "")).digest


def test_a_policy_that_writes_to_nobody_directly_keeps_the_digest_it_had() -> None:
    writing = RULES.replace("{expires: 24h}", "{expires: 24h, nudge: {after: 10m}}")

    assert b"nudge" not in policy().canonical
    assert policy(writing).digest != policy().digest


def test_a_demand_that_grew_is_not_met_by_what_was_asked_before() -> None:
    before = policy().demand(replace(REFUND, inputs={"amount": 1}))
    now = policy().demand(REFUND)

    assert before is not None
    assert now is not None
    assert not before.is_as_strict_as(now)
    assert now.is_as_strict_as(before)
    assert now.is_as_strict_as(None)
