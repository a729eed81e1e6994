"""A step may start another workflow: a run of its own, linked both ways."""

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.fuse import Crash
from tests.workflows.engine.flows import change, destructive, workflow
from tests.workflows.engine.gated import assert_sound, publish
from tests.world import Clock, Working, failing, id_of
from workflows import calling as calling_room
from workflows.entry import RunId
from workflows.errors import ActionFailedError, NotEligibleError
from workflows.orders import Edit
from workflows.replay import replay
from workflows.undoable import done

PARENT = workflow(
    "parent",
    'steps: [{id: inner, workflow: child, inputs: {by: "${{ 2 + 1 }}"}}, '
    + change("after", more=", when: 'steps.inner.output.outcome == \"done\"'")
    + "]",
)
CHILD = workflow(
    "child",
    "inputs: {by: {type: integer}}\nsteps: [" + destructive("act", '"${{ inputs.by }}"') + "]",
)
GATED_PARENT = workflow(
    "parent",
    "inputs: {by: {type: integer}}\nsteps: ["
    + destructive("first", '"${{ inputs.by }}"')
    + ', {id: inner, workflow: child, inputs: {by: "${{ inputs.by }}"}}]',
)
SELF = workflow("parent", "steps: [{id: inner, workflow: parent}]")


def calling(store: SqlStore, clock: Clock, *texts: str) -> tuple[Working, RunId]:
    house = Working(store, clock, definitions=texts or (PARENT, CHILD))
    run = house.start("parent", {})
    house.settle()
    return house, run


def child_of(house: Working, run: RunId) -> RunId:
    started = next(one for one in house.entries(run) if one.kind == "wait.started")
    return RunId(str(started.data["child"]))


def test_the_parent_waits_for_the_child_and_goes_on_with_its_end(
    store: SqlStore, clock: Clock
) -> None:
    house, run = calling(store, clock)
    child = child_of(house, run)

    assert house.status(run) == "waiting"
    assert house.entries(child)[0].data["parent"] == {"run": run, "step": "inner", "depth": 1}
    assert house.entries(child)[0].data["trigger"] == "workflow"

    house.approve(child)
    house.settle()

    assert house.status(child) == "done"
    assert house.status(run) == "done"
    assert house.world.effects == [f"{child}/act", f"{run}/after"]


def test_whoever_asked_for_the_parent_decides_nothing_in_the_child(
    store: SqlStore, clock: Clock
) -> None:
    house, run = calling(store, clock)
    child = child_of(house, run)
    try:
        house.approve(child, by="rita")
    except NotEligibleError:
        refused = True

    assert refused
    assert house.status(child) == "waiting"


def test_whoever_published_the_parent_decides_nothing_in_the_child(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house = Working(store, clock, definitions=(PARENT, CHILD))
    publish(house, by="ana", workflow="parent")
    run = house.start("parent", {})
    house.settle()
    child = child_of(house, run)

    with pytest.raises(NotEligibleError, match="You published what runs here"):
        house.approve(child, by="ana")
    house.approve(child, by="ben")
    house.settle()
    assert house.status(run) == "done"
    assert_sound(database)


def test_whoever_changed_the_parent_decides_nothing_in_the_child(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(GATED_PARENT, CHILD))
    house.town.groups["@askers"].add("ben")
    run = house.start("parent", {"by": 5})
    house.settle()
    house.engine.edit(Edit(request=house.request(run).id, person=id_of("ben"), inputs={"by": 700}))
    house.settle()
    house.approve(run, by="ana")
    house.settle()
    child = child_of(house, run)

    with pytest.raises(NotEligibleError, match="You changed what is asked"):
        house.approve(child, by="ben")
    assert house.status(child) == "waiting"


def test_what_a_run_has_done_names_the_steps_that_ran_on_their_own(
    store: SqlStore, clock: Clock
) -> None:
    house, run = calling(store, clock)
    house.world.trouble = failing(
        "before after", ActionFailedError("no", error_class="refused"), times=1
    )
    house.approve(child_of(house, run))
    house.settle()
    state = replay(run, house.entries(run))

    assert house.status(run) == "exception"
    assert done(house.shelf.active("parent"), state).called == ("inner",)


def test_a_child_that_ends_otherwise_needs_a_person_who_may_start_it_anew(
    store: SqlStore, clock: Clock
) -> None:
    house, run = calling(store, clock)
    first = child_of(house, run)
    house.deny(first)
    house.settle()

    assert house.status(run) == "exception"

    house.engine.settle_exception(run, "inner", person=id_of("omar"), answer="retry")
    house.settle()
    started = [one.data["child"] for one in house.entries(run) if one.kind == "wait.started"]

    assert len(set(started)) == 2
    house.approve(RunId(str(started[1])))
    house.settle()
    assert house.status(run) == "done"


def test_a_loop_that_goes_on_leaves_an_item_behind_whose_child_was_denied(
    store: SqlStore, clock: Clock
) -> None:
    look = "{id: look, uses: world.list, with: {name: rows}}"
    inner = '{id: inner, workflow: child, inputs: {by: "${{ item.by }}"}}'
    each = f"foreach: '${{{{ steps.look.output.rows }}}}', steps: [{inner}]"
    text = f"steps: [{look}, {{id: each, {each}, on_item_failure: continue}}]"
    house = Working(store, clock, definitions=(workflow("parent", text), CHILD))
    house.world.items = [{"name": f"n{one}", "by": one} for one in (1, 2)]
    run = house.start("parent", {})
    house.settle()
    house.deny(child_of(house, run))
    house.settle()
    started = [one.data["child"] for one in house.entries(run) if one.kind == "wait.started"]
    house.approve(RunId(str(started[1])))
    house.settle()
    left = [one.data for one in house.entries(run) if one.data.get("rule") == "item_failed"]

    assert house.status(run) == "done"
    assert [(one["step"], one["error_class"]) for one in left] == [("inner/0", "child_denied")]


def test_the_child_is_cancelled_with_its_parent(store: SqlStore, clock: Clock) -> None:
    house, run = calling(store, clock)
    child = child_of(house, run)
    house.engine.cancel(run, person=id_of("rita"), reason="enough")
    house.settle()

    assert (house.status(run), house.status(child)) == ("cancelled", "cancelled")
    assert house.world.effects == []


def test_a_child_cancelled_by_itself_is_told_to_its_parent(store: SqlStore, clock: Clock) -> None:
    house, run = calling(store, clock)
    house.engine.cancel(child_of(house, run), person=id_of("omar"), reason="enough")
    house.settle()

    assert house.status(run) == "exception"


def test_inputs_that_do_not_fit_the_child_need_a_person(store: SqlStore, clock: Clock) -> None:
    house, run = calling(store, clock, PARENT.replace("2 + 1", "'three'"), CHILD)

    assert house.status(run) == "exception"


def test_a_workflow_that_starts_itself_ends_at_a_depth(store: SqlStore, clock: Clock) -> None:
    house, run = calling(store, clock, SELF)

    assert house.status(run) == "waiting"
    depths = [len(house.kinds(one)) for one in house.store_runs()]
    assert len(depths) <= 6


def test_a_child_that_was_never_begun_leaves_nothing_due_behind_its_cancelled_parent(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Working(store, clock, definitions=(PARENT, CHILD))
    run = house.start("parent", {})

    def killed(*_: object) -> None:
        raise Crash("between the note of the child and its start")

    monkeypatch.setattr(calling_room, "_start", killed)
    with pytest.raises(Crash):
        house.settle()
    monkeypatch.undo()
    house.engine.cancel(run, person=id_of("rita"), reason="enough")
    house.settle()

    assert house.status(run) == "cancelled"
    assert house.due(run) == []


@pytest.mark.parametrize("calls", ["middle", "locked"])
def test_a_child_that_would_wait_for_the_lock_of_a_run_around_it_needs_a_person(
    store: SqlStore, clock: Clock, calls: str
) -> None:
    outer = workflow("parent", f"lock: one\nsteps: [{{id: inner, workflow: {calls}}}]")
    middle = workflow("middle", "steps: [{id: inner, workflow: locked}]")
    locked = workflow("locked", f"lock: one\nsteps: [{change('act')}]")
    house, run = calling(store, clock, outer, middle, locked)

    asks = child_of(house, run) if calls == "middle" else run
    stopped = next(one for one in house.entries(asks) if one.kind == "decision.made")
    assert house.status(asks) == "exception"
    assert b"needs the lock one, which run" in (stopped.parts["reason"].value or b"")
    assert house.world.effects == []
