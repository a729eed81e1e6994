"""What is wrong with loops, branches, waits, questions and calls is said where it stands."""

from pathlib import Path

import pytest

from tests.workflows.definition_kit import HEAD, SHIPPED, demo_policy, real_actions
from workflows.check import check, check_text
from workflows.definition import Definition
from workflows.loading import load_definition

LOOK = """
  - id: look
    uses: sql.query
    with: {database: crm, statement: "SELECT id FROM account"}
    returns: {rows: [{id: integer}]}
"""
LOOP = '  - {id: a, foreach: "${{ steps.look.output.rows }}", steps: [{id: b, wait: 1s}]}'


def faults(steps: str, head: str = HEAD) -> str:
    policy = demo_policy()
    text = f"{head}steps:{steps}"
    _, found = check_text(text, "w.yaml", real_actions(policy), policy=policy)
    return "\n".join(str(one) for one in found if not one.is_warning)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("\n  - {id: a, wait: soon}", "'soon' is no length of time"),
        ("\n  - {id: a, wait: 500d}", "is too long"),
        ('\n  - {id: a, wait: {until: "later"}}', "is no moment to wait for"),
        ('\n  - {id: a, wait: {until: "${{ inputs.x }}"}}', "nothing is called inputs.x"),
        ("\n  - {id: a, ask: {of: [], question: Why?, fields: {b: {type: string}}}}", "too short"),
        (
            '\n  - {id: a, ask: {of: ["@x"], question: "${{ y }}", fields: {b: {type: string}}}}',
            "nothing is called y",
        ),
        ('\n  - {id: a, ask: {of: ["@x"], question: Why?, fields: {}}}', "too short"),
        ("\n  - {id: a, parallel: {one: [{id: b, wait: 1s}]}}", "too short"),
        (
            "\n  - {id: a, parallel: {one: [{id: b, wait: 1s}], two: [{id: b, wait: 1s}]}}",
            "another step is called 'b' too",
        ),
        (f'{LOOK}  - {{id: a, foreach: "rows", steps: [{{id: b, wait: 1s}}]}}', "names no list"),
        (
            f'{LOOK}  - {{id: a, foreach: "${{{{ run.id }}}}", steps: [{{id: b, wait: 1s}}]}}',
            "gives string, but a list is needed",
        ),
        (
            LOOK + LOOP.replace("steps:", "max_parallel: 99, steps:"),
            "at most 20",
        ),
        (
            LOOK + LOOP.replace("steps:", "as: inputs, steps:"),
            "means something else here already",
        ),
        (
            LOOK + LOOP.replace("1s", '{until: "${{ item.idd }}"}'),
            "nothing is called item.idd",
        ),
        ("\n  - {id: a, wait: 1s, foreach: x}", "is not known here"),
        ("\n  - {id: a, steps: []}", "uses: is missing"),
    ],
)
def test_each_mistake_is_named_with_what_would_be_right(steps: str, said: str) -> None:
    assert said in faults(steps)


def test_best_effort_is_refused_where_something_cannot_be_undone() -> None:
    step = """
  - id: refund
    uses: http.request
    with: {service: shop, method: POST, path: /refunds}
    effect: destructive
    approval: {stages: [{from: ["@finance-leads"]}]}
    verify:
      uses: http.request
      with: {service: shop, path: /orders}
      returns: {body: {refunded: integer}}
      expect: result.body.refunded > 0
    undo: none
"""
    said = faults(step, HEAD + "mode: best_effort\n")

    assert "is destructive, which best effort never is" in said
    assert "steps[0].verify: has no meaning with mode: best_effort" in said


def test_a_branch_does_not_see_what_the_other_gives_but_what_follows_sees_both() -> None:
    sides = """
  - id: sides
    parallel:
      left:
        - id: look
          uses: sql.query
          with: {database: crm, statement: "SELECT id FROM account"}
      right:
        - {id: rest, wait: {until: "${{ steps.look.output.rows[0] }}"}}
"""
    after = """
  - {id: each, foreach: "${{ steps.look.output.rows }}", steps: [{id: b, wait: 1s}]}
"""

    assert "nothing is called steps.look.output.rows" in faults(sides)
    assert faults(sides.replace("steps.look.output.rows[0]", "run.id") + after.lstrip("\n")) == ""


def calls(name: str, target: str) -> str:
    head = HEAD.replace("refund-customer", name)
    return f"{head}inputs: {{a: {{type: string}}}}\nsteps:\n  - {{id: b, workflow: {target}}}\n"


def test_workflows_that_start_each_other_in_a_circle_are_refused(
    tmp_path: Path,
) -> None:
    for name, target in (("one", "two"), ("two", "three"), ("three", "one")):
        (tmp_path / f"{name}.yaml").write_text(calls(name, target))
    (tmp_path / "apart.yaml").write_text(calls("apart", "one"))
    policy = demo_policy()
    report = check([tmp_path], real_actions(policy), policy)
    said = "\n".join(str(one) for one in report.faults)

    assert "starts itself: one → two → three → one" in said
    assert "leaves the required input 'a' of two open" in said
    assert report.definitions == ()


def test_of_two_files_with_one_name_the_first_can_be_used(tmp_path: Path) -> None:
    steps = "steps: [{id: rest, wait: 1s}]\n"
    for name in ("first", "second"):
        (tmp_path / f"{name}.yaml").write_text(f"{HEAD}description: {name}\n{steps}")
    report = check([tmp_path], {}, None)

    assert [one.description for one in report.definitions] == ["first"]
    assert any("already holds a workflow" in str(one) for one in report.errors)


def test_a_step_that_starts_something_destructive_unsaid_is_warned_of_at_any_depth(
    tmp_path: Path,
) -> None:
    head = HEAD.replace("refund-customer", "inner")
    post = "  - {id: tell, uses: slack.post, with: {channel: '#ops', text: x}, undo: none"
    (tmp_path / "inner.yaml").write_text(f"{head}steps:\n{post}, effect: destructive}}\n")
    outer, middle = (
        calls(*names).replace("inputs: {a: {type: string}}\n", "")
        for names in (("outer", "middle"), ("middle", "inner, effect: destructive"))
    )
    (tmp_path / "middle.yaml").write_text(middle)
    (tmp_path / "outer.yaml").write_text(outer)
    policy = demo_policy()
    found = check([tmp_path], real_actions(policy), policy)
    said = [str(one) for one in found.warnings if "cannot be undone" in str(one)]

    assert len(said) == 1
    assert "step b starts middle, where step tell of inner cannot be undone" in said[0]
    assert "write `effect: destructive` beside it" in said[0]
    assert "outer.yaml" in said[0]


def definition(steps: str) -> Definition:
    return load_definition(f"{HEAD}steps:{steps}")


def test_a_definition_of_every_form_survives_being_stored() -> None:
    every = (
        f"{LOOK}"
        '  - {id: each, foreach: "${{ steps.look.output.rows }}", as: row, '
        "steps: [{id: b, wait: 1s}]}\n"
        "  - {id: sides, parallel: {one: [{id: c, wait: 2h}], two: [{id: d, workflow: other}]}}\n"
        '  - {id: q, ask: {of: ["@x"], question: Why?, fields: {f: {type: string}}}}\n'
        '  - {id: u, wait: {until: "2026-03-31"}}\n'
    )
    made = definition(every)
    again = Definition.from_canonical(made.canonical)

    assert again == made
    assert again.version == made.version


# Taken before there were loops, branches and waits: a run stays on its version for years.
EARLIER = {
    "nightly-check": "df5d9cb26339182f9a899ce487fd43d67f448f29b7374071b5f6c73668a7de34",
    "purge-stale-accounts": "f7080e58cee4b423d5b15fb32383421f3ce50197d1ed36117a9feb3b031c1e96",
    "refund-customer": "becf1efcba50c5dc30fd85a070d7ccf09babf6023a1abfc8fef682b968843eb7",
    "roll-back-release": "00342ba7c92f86f545200e2f6e2e517f2104e786d5b292874e5e69f6254b375f",
}


@pytest.mark.parametrize("name", EARLIER)
def test_a_definition_without_the_new_forms_keeps_its_version(name: str) -> None:
    assert load_definition(SHIPPED / f"{name}.yaml").version == EARLIER[name]
