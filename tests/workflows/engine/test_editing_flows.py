"""Changing what is asked in runs of more than one branch: what begins anew, and what forbids it."""

import threading
from collections.abc import Callable

import pytest

from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.workflows.engine.flows import Making, destructive, making, workflow
from tests.world import Clock, Working, id_of
from workflows.entry import Entry, RequestId, RunId
from workflows.errors import NotAllowedError
from workflows.gate import Outcome, Verdict
from workflows.orders import Ballot, Edit
from workflows.questioning import Answer

PATIENCE = 60.0

INPUTS = "inputs: {by: {type: integer, title: By}, note: {type: string, title: Note}}\n"
GIVEN = {"by": 5, "note": "as agreed"}
BY = '"${{ inputs.by }}"'

BOTH_ASK = (
    INPUTS
    + f"""
steps:
  - id: sides
    parallel:
      left: [{destructive("left", BY)}]
      right: [{destructive("right", "1")}]
"""
)
EACH = (
    INPUTS
    + f"""
steps:
  - {{id: list, uses: world.list, with: {{name: "${{{{ inputs.note }}}}"}}}}
  - id: each
    foreach: "${{{{ steps.list.output.rows }}}}"
    as: row
    steps:
      - {destructive("one", '"${{ row.by }}"')}
"""
)
LOOK = "{id: see, uses: world.read, with: {name: number}}"
LEFT_OUT = (
    INPUTS
    + f"""
steps:
  - {{id: extra, when: inputs.by > 100, uses: world.read, with: {{name: number}}}}
  - {destructive("last", BY)}
"""
)
QUESTION = (
    """{id: sure, ask: {of: ["@directors"], question: "QUESTION", fields: {ok: {type: boolean}}}}"""
)
WAITS = (
    INPUTS
    + f"""
steps:
  - {{id: pause, wait: 1h}}
  - {destructive("last", BY)}
"""
)


def asking(question: str) -> str:
    return (
        INPUTS
        + f"""
steps:
  - {QUESTION.replace("QUESTION", question)}
  - {destructive("last", BY)}
"""
    )


@pytest.fixture
def make(store: SqlStore, clock: Clock) -> Making:
    return making(store, clock)


def begun(make: Making, steps: str) -> tuple[Working, RunId]:
    house = make(workflow("it", steps))
    run = house.start("it", GIVEN)
    house.settle()
    return house, run


def requests(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == "approval.requested"]


def request_of(house: Working, run: RunId, step: str) -> RequestId:
    named = [one.data["request"] for one in requests(house, run) if one.data["step"] == step]
    return RequestId(str(named[-1]))


def change(house: Working, run: RunId, step: str, **values: object) -> None:
    request = request_of(house, run, step)
    house.engine.edit(Edit(request=request, person=id_of("rita"), inputs={**GIVEN, **values}))


def approve(house: Working, run: RunId, step: str, verdict: Verdict = Verdict.APPROVE) -> None:
    request = request_of(house, run, step)
    house.engine.decide(Ballot(request=request, person=id_of("ana"), verdict=verdict))


def deny(house: Working, run: RunId, step: str) -> None:
    approve(house, run, step, Verdict.DENY)


def test_every_open_request_of_the_run_is_asked_again(make: Making) -> None:
    house, run = begun(make, BOTH_ASK)
    old = request_of(house, run, "right")
    change(house, run, "left", by=7)
    house.settle()
    approve(house, run, "left")
    approve(house, run, "right")
    house.settle()

    assert house.store.request(old).outcome is Outcome.WITHDRAWN
    assert [one.data["reason"] for one in house.entries(run) if one.kind.endswith("withdrawn")] == [
        "edited"
    ]
    assert house.world.number == 10 + 7 + 1
    assert house.status(run) == "done"
    assert [str(one) for one in check_projections(house.store.database)] == []


def test_an_unused_approval_of_another_branch_is_void_too(make: Making) -> None:
    house, run = begun(make, BOTH_ASK)
    house.effects_wait = "not yet"
    approve(house, run, "right")
    change(house, run, "left", by=7)
    house.effects_wait = None
    house.settle()

    assert house.world.effects == []
    assert house.store.request(request_of(house, run, "right")).outcome is Outcome.OPEN


def test_a_loop_goes_over_the_list_that_the_new_values_give(make: Making) -> None:
    house = make(workflow("it", EACH))
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run = house.start("it", GIVEN)
    house.settle()
    house.world.items = [{"name": "c", "by": 30}]
    change(house, run, "one/0", note="the other list")
    house.settle()
    approve(house, run, "one/0")
    house.settle()

    assert house.world.number == 40
    assert house.world.effects == [f"{run}/one/0"]
    assert house.status(run) == "done"


def test_what_stands_in_the_loop_is_read_again_for_the_new_items(make: Making) -> None:
    looks = EACH.replace("    steps:\n", f"    steps:\n      - {LOOK}\n")
    house = make(workflow("it", looks))
    house.world.items = [{"name": "a", "by": 1}]
    run = house.start("it", GIVEN)
    house.settle()
    change(house, run, "one/0", note="the other list")
    house.settle()

    assert house.world.reads == 2


def test_an_item_that_was_refused_forbids_the_change(make: Making) -> None:
    goes_on = EACH.replace("    as: row\n", "    as: row\n    on_item_failure: continue\n")
    house = make(workflow("it", goes_on))
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run = house.start("it", GIVEN)
    house.settle()
    deny(house, run, "one/0")
    house.settle()

    with pytest.raises(NotAllowedError, match="was refused already"):
        change(house, run, "one/1", note="the other list")


def test_a_run_that_was_started_for_a_step_forbids_the_change(make: Making) -> None:
    calls = f"{INPUTS}steps:\n  - {{id: inner, workflow: other}}\n  - {destructive('last', BY)}\n"
    look = "{id: look, uses: world.read, with: {name: number}}"
    house = make(workflow("it", calls), workflow("other", f"steps: [{look}]"))
    run = house.start("it", GIVEN)
    house.settle()

    with pytest.raises(NotAllowedError, match="“inner” has started another run"):
        change(house, run, "last", by=7)


def test_a_step_that_was_left_out_is_judged_again(make: Making) -> None:
    house, run = begun(make, LEFT_OUT)
    reads = house.world.reads
    change(house, run, "last", by=101)
    house.settle()

    assert house.world.reads == reads + 1
    assert "step.observed" in house.kinds(run)


def test_a_wait_is_not_waited_for_again(make: Making, clock: Clock) -> None:
    house, run = begun(make, WAITS)
    clock.at += house.due(run)[0].at - clock.at
    house.settle()
    change(house, run, "last", by=7)
    house.settle()
    approve(house, run, "last")
    house.settle()

    assert house.kinds(run).count("wait.started") == 1
    assert house.world.number == 17


def answered(house: Working, run: RunId) -> None:
    asked = [one for one in house.entries(run) if one.kind == "question.asked"][-1]
    house.engine.answer(
        Answer(
            run=run,
            request=RequestId(str(asked.data["request"])),
            person=id_of("dora"),
            values={"ok": True},
        )
    )
    house.settle()


def test_an_answer_about_something_else_still_counts(make: Making) -> None:
    house, run = begun(make, asking("Is it a good day?"))
    answered(house, run)
    change(house, run, "last", by=7)
    house.settle()

    assert house.kinds(run).count("question.asked") == 1
    assert house.store.request(request_of(house, run, "last")).outcome is Outcome.OPEN


def test_an_answer_about_the_old_values_forbids_the_change(make: Making) -> None:
    house, run = begun(make, asking("Is ${{ inputs.by }} right?"))
    answered(house, run)

    with pytest.raises(NotAllowedError, match="“sure” was done with the old values"):
        change(house, run, "last", by=7)

    change(house, run, "last", note="other words")
    house.settle()
    assert house.kinds(run).count("approval.requested") == 2


def test_a_branch_that_reads_with_the_old_values_keeps_nothing_of_it(make: Making) -> None:
    """The read is under way while the values change; what it gives is not taken for the new."""
    slow = (
        INPUTS
        + f"""
steps:
  - id: sides
    parallel:
      left: [{destructive("left", BY)}]
      right:
        - {{id: look, uses: world.read, with: {{name: "${{{{ inputs.note }}}}"}}}}
        - {destructive("right", '"${{ steps.look.output.value }}"')}
"""
    )
    house = make(workflow("it", slow))
    reads, goes_on = threading.Event(), threading.Event()

    def trouble(place: str) -> None:
        if place == "read" and not goes_on.is_set():
            reads.set()
            assert goes_on.wait(PATIENCE)

    house.world.trouble = trouble
    run = house.start("it", GIVEN)
    segment = threading.Thread(target=house.settle)
    segment.start()
    assert reads.wait(PATIENCE)
    _until(lambda: bool(requests(house, run)))
    change(house, run, "left", note="another")
    goes_on.set()
    segment.join(PATIENCE)
    house.sweep()

    edited = next(one.rseq for one in house.entries(run) if one.kind == "approval.edited")
    looks = [one.rseq > edited for one in house.entries(run) if one.data.get("step") == "look"]
    assert looks == [True]
    assert house.world.reads == 2  # The first answer came for the old values.


def _until(is_so: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(600):
        if is_so():
            return
        tick.wait(0.05)
    raise AssertionError("it never came")
