"""Random weeks of runs that branch, loop, wait, ask, call others and are undone.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_flows.py
-o timeout=0` looks for hours instead of seconds, at new weeks each time.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.crash.flow_paths import BACK, CHILD
from tests.properties.happenings import REFUSED, TROUBLES, Happenings
from tests.properties.office import Office
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import POLICY, failing

EVERYTHING = workflow(
    "everything",
    f"""
at_once: 2
deadline: 20h
steps:
  - id: look
    uses: world.list
    with: {{name: x}}
  - id: sides
    parallel:
      left:
        - id: each
          foreach: "${{{{ steps.look.output.rows }}}}"
          max_parallel: 2
          on_item_failure: continue
          steps:
            - {change("pay", '"${{ item.by }}"')}
            - {destructive("send", undo=BACK)}
      right:
        - {{id: rest, wait: 3h}}
        - id: how
          ask:
            of: ["@deciders"]
            question: How?
            fields: {{by: {{type: integer, minimum: 1, maximum: 5}}}}
            expires: 6h
        - {destructive("give", '"${{ steps.how.output.by }}"', undo=BACK)}
  - {{id: inner, workflow: child}}
  - {change("last")}
""",
)
NOTE = "            - {id: note, wait: 1m}\n      right:"
# Other versions, some of which a run cannot go by once it has come far enough.
NEWER = {
    "as it was": EVERYTHING,
    "other words": EVERYTHING.replace("- {id: inner,", '- {id: inner, title: "Another",'),
    "a step in the loop": EVERYTHING.replace("      right:", NOTE),
    "a step at the end": EVERYTHING + "  - {id: more, wait: 1m}\n",
    "another end": EVERYTHING.replace("id: last,", "id: end,"),
    "a step before": EVERYTHING.replace(
        "- {id: inner,", "- {id: pause, wait: 1m}\n  - {id: inner,"
    ),
}


class Flows(Happenings):
    """Everything people, targets, clocks and power cuts do to runs of many branches."""

    workflow = "everything"

    def __init__(self) -> None:
        super().__init__()
        definitions = (*reversed(NEWER.values()), CHILD)
        self.office = Office(self.folder, definitions=definitions, policy=POLICY)
        self.office.house.activate(EVERYTHING)
        self.office.world.items = [{"name": "n", "by": 1}, {"name": "n", "by": 2}]

    @initialize(kind=st.sampled_from(["", *sorted(TROUBLES)]), steps=st.integers(0, 4))
    def begin(self, kind: str, steps: int) -> None:
        """Begin in the middle: most of what is interesting comes after some approvals."""
        self.start()
        for _ in range(steps):
            self.all_goes_well()
        if kind:
            self.trouble(kind, 2)

    @rule()
    @precondition(lambda self: len(self.runs) < 4)
    def start_another(self) -> None:
        self.start()

    @rule(times=st.integers(1, 4))
    def the_last_is_refused(self, times: int) -> None:
        self.office.world.trouble = failing("before last", REFUSED, times=times)

    @rule(at=st.integers(0, 3), to=st.sampled_from(sorted(NEWER)))
    def move(self, at: int, to: str) -> None:
        self.move_to(NEWER[to], at)


class TestFlows(Flows.TestCase):  # type: ignore[misc]
    """The machine as a test."""

    settings = settings(
        max_examples=25 if os.environ.get("INTERLOCK_PROPERTIES") != "long" else 2_000,
        stateful_step_count=20,
        deadline=None,
    )
