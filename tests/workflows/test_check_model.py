"""What a language model answered decides nothing: a definition that lets it is refused."""

import pytest

from tests.workflows.definition_kit import HEAD, said

ASK = (
    HEAD
    + """\
inputs:
  text: {type: string}
steps:
  - id: sort
    uses: model.ask
    with: {prompt: "Which team answers this? ${{ inputs.text }}"}
    returns: {answer: {team: string, urgent: boolean, list: [string]}}
"""
)
POST = "  - id: tell\n    uses: slack.post\n    with: {text: %s}\n"
TEAM = '"${{ steps.sort.output.answer.team }}"'
GATE = '    approval: {stages: [{from: ["@finance-leads"]}]}\n'
PLAIN = POST % '"hello"'


def test_a_models_words_may_fill_what_people_are_asked_about() -> None:
    assert said(ASK + POST % TEAM + GATE) == []


def test_a_models_words_fill_nothing_that_nobody_is_asked_about() -> None:
    (fault,) = said(ASK + POST % TEAM)

    assert fault.startswith("14:11:")
    assert "steps[1].with: takes what a language model answered, and nobody is asked" in fault


LOOP = """\
  - id: each
    foreach: ${{ steps.sort.output.answer.list }}
    steps:
      - {id: inner, uses: slack.post, with: {text: hello}}
"""
QUESTION = f"""\
  - id: fine
    ask:
      of: ["@finance-ops"]
      question: {TEAM}
      fields: {{fine: {{type: boolean}}}}
"""
CHILD = f"  - id: other\n    workflow: refund-other\n    inputs: {{team: {TEAM}}}\n"
AGAIN = f"""\
  - id: again
    uses: model.ask
    with: {{prompt: {TEAM}}}
    returns: {{answer: string}}
"""
WHEN = "    when: steps.sort.output.answer.urgent\n"
INDIRECT = "    when: size(string(steps.sort.output.answer.team)) > 3\n"


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        (PLAIN + WHEN, "steps[1].when"),
        (PLAIN + GATE + WHEN, "steps[1].when"),
        (PLAIN + INDIRECT, "steps[1].when"),
        (LOOP, "steps[1]"),
        (QUESTION, "steps[1]"),
        (CHILD, "steps[1]"),
        (AGAIN, "steps[1].with"),
    ],
)
def test_a_models_words_decide_nothing(steps: str, place: str) -> None:
    assert any(f" {place}: " in fault and "language model" in fault for fault in said(ASK + steps))


def test_a_proof_never_rests_on_a_models_words() -> None:
    step = (
        "  - id: refund\n    uses: http.request\n"
        "    with: {service: shop, method: POST, path: /refunds}\n" + GATE + "    verify:\n"
        f"      uses: http.request\n      with: {{service: shop, path: {TEAM}}}\n"
        "      returns: {body: {done: boolean}}\n"
        "      expect: result.body.done || steps.sort.output.answer.urgent\n"
    )

    faults = said(ASK + step)

    assert [one for one in faults if "steps[1].verify.with: rests on" in one]
    assert [one for one in faults if "steps[1].verify.expect: rests on" in one]


def test_a_step_of_a_model_says_what_is_answered() -> None:
    missing = ASK.replace(
        "    returns: {answer: {team: string, urgent: boolean, list: [string]}}\n", ""
    )

    (fault,) = said(missing)

    assert "steps[0].returns: is missing: model.ask has to say what the model answers" in fault
