"""What a rule may say beside who is asked: read from the file, refused where it makes no sense."""

from dataclasses import replace
from datetime import date

import pytest

from tests.workflows.test_policy import REFUND
from workflows.actions.base import Effect
from workflows.definition_steps import Approval
from workflows.demand import Match
from workflows.errors import DefinitionError
from workflows.loading import load_definition, load_policy, read_policy
from workflows.policy import Policy
from workflows.policy_explain import explained

PLAIN = """\
defaults: {expires: 24h}
rules:
  - {name: leads, when: effect == "destructive", stages: [{from: ["@leads"], approve: 2}]}
"""
DIGEST = "ae535f5019b3"  # Of that policy before there were any of these fields.
WRITE = replace(REFUND, effect=Effect.WRITE)


def policy(more: str = "", *, when: str = "true", defaults: str = "", rest: str = "") -> Policy:
    rule = f'{{name: r, when: {when!r}, stages: [{{from: ["@a"]}}]{more and ", " + more}}}'
    return load_policy(f"defaults: {{expires: 24h{defaults}}}\n{rest}\nrules: [{rule}]\n")


def test_a_policy_that_uses_none_of_it_keeps_its_digest() -> None:
    assert load_policy(PLAIN).digest.startswith(DIGEST)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('{from: ["@leads"], approve: 2}', '{all: [{from: ["@a"]}]}'), "stages[0].all: is empty"),
        (
            (
                '{from: ["@leads"], approve: 2}',
                '{all: [{from: ["@a"]}, {from: ["@b"], aprove: 2}]}',
            ),
            "rules[0].stages[0].all[1].aprove: is not known here, did you mean 'approve'?",
        ),
        (("}]}", '}], reason: {pattern: "(", hint: x}}'), "reason.pattern: is no regular expr"),
        (("}]}", '}], reason: {pattern: "a"}}'), "rules[0].reason.hint: is missing"),
        (("}]}", "}], reason: maybe}"), "rules[0].reason: cannot be 'maybe'"),
        (("}]}", '}], hours: {from: "17:00", to: "09:00"}}'), "hours: from has to be earlier"),
        (("}]}", '}], hours: {from: "9:00", to: "17:00"}}'), "rules[0].hours.from: is written in"),
        (
            ("}]}", '}], hours: {weekdays: [8], from: "09:00", to: "17:00"}}'),
            "rules[0].hours.weekdays[0]: is out of range",
        ),
        (
            ("}]}", '}], hours: {weekdays: [5-1], from: "09:00", to: "17:00"}}'),
            "rules[0].hours.weekdays[0]: has the wrong type",
        ),
        (
            ("24h", '24h, quiet: {from: "09:00", to: "09:00"}'),
            "defaults.quiet: from and to are the same",
        ),
        (
            ("}]}", '}], escalate: {after: 24h, to: ["@x"]}}'),
            "rules[0].escalate.after: comes after the request has expired",
        ),
        (("}]}", "}], escalate: {after: 1h, to: []}}"), "rules[0].escalate.to: is empty"),
        (("}]}", "}], exclude: []}"), "rules[0].exclude: is empty"),
        (
            ("}]}", '}], auto: {when: "true", because: x}}'),
            "rules[0].auto: what is destructive is never approved by itself",
        ),
        (("}]}", "}], auto: {when: hours, because: x}}"), "rules[0].auto.when: 'hours'"),
        (("}]}", '}], auto: {when: "true", because: ""}}'), "rules[0].auto.because: is empty"),
        (("rules:", "separation: []\nrules:"), "separation: is not known here"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    change: tuple[str, str], fault: str
) -> None:
    assert change[0] in PLAIN

    found = [str(one) for one in read_policy(PLAIN.replace(*change, 1), "p").faults]

    assert any(fault in one for one in found), found


@pytest.mark.parametrize("when", ["'destructive' == effect", 'effect=="destructive" && hour > 3'])
def test_however_it_is_written_nothing_destructive_is_approved_by_itself(when: str) -> None:
    with pytest.raises(DefinitionError, match="never approved by itself"):
        policy('auto: {when: "true", because: x}', when=when)


def test_weekdays_may_be_written_as_a_range() -> None:
    one = policy('hours: {weekdays: [7, 1-3], from: "09:00", to: "17:00"}')
    other = policy('hours: {weekdays: [1, 2, 3, 7], from: "09:00", to: "17:00"}')

    assert one.digest == other.digest


def test_holidays_are_days() -> None:
    found = policy('hours: {from: "09:00", to: "17:00", holidays: [2026-12-25]}')

    assert found.rules[0].hours is not None
    assert found.rules[0].hours.holidays == (date(2026, 12, 25),)


@pytest.mark.parametrize(
    ("auto", "match", "because"),
    [
        ("inputs.amount < 1000", Match.AUTO, "small"),
        ("inputs.amount > 1000", Match.MATCHED, ""),
        ("inputs.gone > 1000", Match.MATCHED, "auto: 'inputs.gone > 1000' cannot be evaluated"),
        ("inputs.amount", Match.MATCHED, "auto: it gave 900"),
    ],
)
def test_only_a_condition_that_is_true_spares_people(auto: str, match: Match, because: str) -> None:
    verdict = policy(f"auto: {{when: {auto}, because: small}}").judge(WRITE)
    (why,) = verdict.why

    assert why.match is match
    assert why.because.startswith(because)
    assert (verdict.demand is None) == (match is Match.AUTO)
    assert bool(verdict.auto) == (match is Match.AUTO)


def test_nothing_destructive_is_spared_whatever_a_rule_says() -> None:
    always = policy('auto: {when: "true", because: small}')

    assert always.demand(REFUND) is not None
    assert always.demand(WRITE) is None


def test_an_explanation_says_why_nobody_is_asked() -> None:
    told = explained(policy('auto: {when: "true", because: small}'), WRITE)

    assert told.lines == ("r asks nobody: small (when true)", "Nobody is asked.")
    assert [one.rule for one in told.auto] == ["r"]


def test_an_explanation_tells_of_every_term() -> None:
    more = (
        'exclude: ["@interns"], hours: {weekdays: [1-5], from: "09:00", to: "17:00"}, '
        'escalate: {after: 2h, to: ["@b"]}, reason: {pattern: "T-[0-9]+", hint: a ticket}'
    )
    text = (
        'defaults: {expires: 24h}\nrules: [{name: r, when: "true", '
        f'stages: [{{all: [{{from: ["@a"]}}, {{from: ["@c"], approve: 2}}]}}], {more}}}]\n'
    )

    assert explained(load_policy(text), REFUND).lines[1:] == (
        "1. 1 of @a (1 may reject) and 2 of @c (1 may reject)",
        "Open for 1d.",
        "After 2h @b may decide too, beside @a, @c.",
        "May not decide: @interns.",
        "May be approved Mon–Fri 09:00–17:00 (UTC).",  # noqa: RUF001
        "A reason is required: a ticket",
    )


def test_a_definition_may_want_parts_and_a_form_of_reason_too() -> None:
    definition = load_definition(
        """
        workflow: w
        title: W
        owner: "@o"
        deputy: "@d"
        steps:
          - id: s
            uses: http.request
            with: {service: shop, path: /}
            approval:
              stages: [{all: [{from: ["@x"]}, {from: ["@y"]}]}]
              reason: {pattern: "T-[0-9]+", hint: a ticket}
        """
    )
    approval = definition.step("s").approval

    assert isinstance(approval, Approval)
    demand = policy().demand(WRITE, approval)
    assert demand is not None
    assert [one.turn for one in demand.stages] == [None, 1, 1]
    assert [one.hint for one in demand.patterns] == ["a ticket"]
    assert demand.needs_reason
