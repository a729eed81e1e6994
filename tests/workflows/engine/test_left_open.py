"""What stops a run once a field was left open is warned of when the file is checked."""

import pytest

from storage.store import SqlStore
from tests.workflows.definition_kit import HEAD, demo_policy, real_actions
from tests.workflows.engine.flows import workflow
from tests.world import Clock, Working
from workflows.check import check_text

INPUTS = """\
inputs:
  days: {type: integer, required: false}
  rate: {type: number, required: false}
  note: {type: string, required: false}
  tags: {type: list, of: {type: string}, required: false}
  who: {type: user, required: false}
  big: {type: boolean, required: false}
  sure: {type: boolean}
  size: {type: integer}
  kind: {type: enum, choices: [small, large]}
"""


def warned(when: str) -> list[str]:
    """Return which names of a condition it is warned of."""
    step = f"  - {{id: a, when: {when!r}, wait: 1s}}"
    policy = demo_policy()
    text = f"{HEAD}{INPUTS}steps:\n{step}\n"
    _, found = check_text(text, "w.yaml", real_actions(policy), policy=policy)
    told = [one.what for one in found if "has no value where" in one.what]
    return [one.partition(" where ")[2].partition(" is null")[0] for one in told]


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("inputs.days > 3", ["inputs.days"]),
        ("inputs.days + 1 > inputs.size", ["inputs.days"]),
        ("inputs.rate < 2.5", ["inputs.rate"]),
        ('inputs.note.startsWith("x")', ["inputs.note"]),
        ("size(inputs.tags) > 1", ["inputs.tags"]),
        ('inputs.who.name == "x"', []),  # Nothing that could be tried tells of it.
        ("inputs.big", ["inputs.big"]),
        ("inputs.sure && inputs.days > 3", ["inputs.days"]),
        ("!inputs.sure && inputs.days > 3", ["inputs.days"]),
        ("inputs.days > 3 && inputs.rate > 1.0", ["inputs.days", "inputs.rate"]),
        ("inputs.days != null && inputs.days > 3", []),
        ("inputs.days == null || inputs.days > 3", []),
        ("inputs.big == true", []),
        ('inputs.note != ""', []),
        ('inputs.kind == "large" && inputs.days > 3', []),  # Whoever wrote it may know better.
        ("inputs.size > 3 && inputs.sure", []),
    ],
)
def test_a_condition_is_warned_of_where_null_takes_its_value_away(
    when: str, names: list[str]
) -> None:
    assert warned(when) == names


def test_arguments_lists_and_locks_are_looked_at_as_well() -> None:
    text = f"""{HEAD}{INPUTS}
lock: x/${{{{ inputs.days + 1 }}}}
steps:
  - {{id: a, uses: slack.post, with: {{channel: "#c", text: "${{{{ inputs.days * 2 }}}} days"}}}}
  - id: b
    workflow: other
    inputs: {{n: "${{{{ inputs.days - 1 }}}}", when: "${{{{ inputs.note }}}}"}}
  - {{id: c, foreach: "${{{{ inputs.tags.map(t, t) }}}}", steps: [{{id: d, wait: 1s}}]}}
"""
    policy = demo_policy()
    _, found = check_text(text, "w.yaml", real_actions(policy), policy=policy)
    places = [one.path for one in found if "has no value where" in one.what]

    assert places == ["lock", "steps[0].with.text", "steps[1].inputs.n", "steps[2].foreach"]


@pytest.mark.parametrize(
    ("when", "ends"),
    [("inputs.days > 3", "exception"), ("inputs.days != null && inputs.days > 3", "done")],
)
def test_a_run_stops_where_it_was_warned_of(
    store: SqlStore, clock: Clock, when: str, ends: str
) -> None:
    head = "inputs: {days: {type: integer, required: false}}\nsteps:"
    text = workflow("open", f"{head} [{{id: a, when: '{when}', wait: 1s}}]")
    house = Working(store, clock, definitions=(text,))
    run = house.start("open", {})
    house.settle()

    assert house.status(run) == ends
