"""Locks and places that runs take crosswise, over runs that they start: none waits for ever."""

import threading
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, workflow
from tests.world import Clock, Working, id_of
from workflows.entry import RunId
from workflows.replay import replay
from workflows.undoable import done

MINUTE = timedelta(minutes=1)


def pausing(name: str, head: str, calls: str) -> str:
    """Return a workflow that rests for a minute before it starts another one."""
    return workflow(name, f"{head}\nsteps: [{{id: rest, wait: 1m}}, {{id: inner, {calls}}}]")


def acting(name: str, head: str) -> str:
    return workflow(name, f"{head}\nsteps: [{change('act')}]")


LEFT = pausing("left", "lock: one", "workflow: needs-two")
RIGHT = pausing("right", "lock: two", "workflow: needs-one")
NEEDS_ONE = acting("needs-one", "lock: one")
NEEDS_TWO = acting("needs-two", "lock: two")
CROSSWISE = (LEFT, RIGHT, NEEDS_ONE, NEEDS_TWO)


def begun(house: Working, *names: str, apart: bool = False) -> list[RunId]:
    """Start a run of each, and let them come to their calls, together or one after the other."""
    runs = []
    for name in names:
        inputs = {"calls": True} if "calls" in house.shelf.active(name).inputs else {}
        runs.append(house.start(name, inputs))
        house.settle()
        house.clock.forward(MINUTE / 4 if apart else timedelta())
    for _ in range(16):
        house.clock.forward(MINUTE / 4)
        house.settle()
    return runs


def child_of(house: Working, run: RunId) -> RunId:
    called = [one for one in house.entries(run) if one.data.get("child")]
    return RunId(str(called[-1].data["child"]))


def why(house: Working, run: RunId) -> tuple[object, str]:
    said = [one for one in house.entries(run) if one.data.get("decision") == "exception"]
    return said[-1].data["rule"], (said[-1].parts["reason"].value or b"").decode()


@pytest.mark.parametrize("apart", [True, False])
def test_the_second_of_two_that_take_locks_crosswise_stops_and_names_both(
    store: SqlStore, clock: Clock, *, apart: bool
) -> None:
    house = Working(store, clock, definitions=CROSSWISE)
    left, right = begun(house, "left", "right", apart=apart)

    assert house.status(left) == "waiting"
    assert house.status(child_of(house, left)) == "queued"
    assert house.status(right) == "exception"
    assert why(house, right) == (
        "lock_circle",
        (
            f"It needs the lock one, which run {left[:8]} of left holds. That one waits, by run"
            f" {child_of(house, left)[:8]}, for the lock two of run {right[:8]}, which waits for"
            f" this. Cancel run {left[:8]} and retry this step, or abort this run; and have both"
            " workflows take these locks in one order."
        ),
    )


def test_what_the_refusal_says_to_do_leads_out(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=CROSSWISE)
    left, right = begun(house, "left", "right")
    house.engine.settle_exception(right, "inner", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(right) == "exception"  # Nothing has changed.

    house.engine.cancel(left, person=id_of("rita"), reason="it stands in the way")
    house.settle()
    house.engine.settle_exception(right, "inner", person=id_of("omar"), answer="retry")
    house.settle()

    assert (house.status(left), house.status(right)) == ("cancelled", "done")
    assert house.world.effects == [f"{child_of(house, right)}/act"]


def test_a_run_that_was_refused_counts_as_nothing_that_was_done(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=CROSSWISE)
    left, right = begun(house, "left", "right")
    done_by = [
        done(house.shelf.active(name), replay(run, house.entries(run))).called
        for name, run in (("left", left), ("right", right))
    ]

    assert done_by == [("inner",), ()]


def test_aborting_the_second_lets_the_first_go_on(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=CROSSWISE)
    left, right = begun(house, "left", "right")
    house.engine.settle_exception(right, "inner", person=id_of("omar"), answer="abort")
    house.settle()

    assert (house.status(left), house.status(right)) == ("done", "aborted")


def test_a_circle_of_three_over_a_workflow_between_is_found(store: SqlStore, clock: Clock) -> None:
    between = workflow("between", "steps: [{id: inner, workflow: needs-two}]")
    first = pausing("first", "lock: one", "workflow: between")
    second = pausing("second", "lock: two", "workflow: needs-three")
    third = pausing("third", "lock: three", "workflow: needs-one")
    three = acting("needs-three", "lock: three")
    texts = first, second, third, between, NEEDS_ONE, NEEDS_TWO, three
    house = Working(store, clock, definitions=texts)
    runs = begun(house, "first", "second", "third", apart=True)

    assert [house.status(one) for one in runs] == ["waiting", "waiting", "exception"]
    assert why(house, runs[2])[0] == "lock_circle"


def test_whoever_waits_for_a_run_that_goes_on_is_not_refused(store: SqlStore, clock: Clock) -> None:
    holder = workflow("holder", f"lock: one\nsteps: [{{id: rest, wait: 1h}}, {change('act')}]")
    house = Working(store, clock, definitions=(holder, RIGHT, NEEDS_ONE))
    held, right = begun(house, "holder", "right")

    assert house.status(child_of(house, right)) == "queued"

    house.clock.forward(timedelta(hours=1))
    house.settle()

    assert (house.status(held), house.status(right)) == ("done", "done")


def test_an_item_whose_run_would_wait_for_ever_is_left_behind(
    store: SqlStore, clock: Clock
) -> None:
    each = (
        "foreach: '${{ [1] }}', on_item_failure: continue, steps: [{id: one, workflow: needs-one}]"
    )
    right = pausing("right", "lock: two", each)
    house = Working(store, clock, definitions=(LEFT, right, NEEDS_ONE, NEEDS_TWO))
    runs = begun(house, "left", "right", apart=True)

    assert [house.status(one) for one in runs] == ["done", "done"]


CALLS = "inputs: {calls: {type: boolean, default: false}}"


def placed(places: int) -> tuple[str, str]:
    """Return two workflows that start each other; of the second so many may go on at once."""
    call = "workflow: {}, inputs: {{calls: false}}, when: inputs.calls"
    left = pausing("left", f"at_once: 1\n{CALLS}", call.format("right"))
    right = pausing("right", f"at_once: {places}\n{CALLS}", call.format("left"))
    return left, right


@pytest.mark.parametrize(("places", "ends"), [(1, ["waiting", "exception"]), (2, ["done", "done"])])
def test_places_taken_crosswise_are_found_unless_there_is_another(
    store: SqlStore, clock: Clock, places: int, ends: list[str]
) -> None:
    house = Working(store, clock, definitions=placed(places))
    runs = begun(house, "left", "right")

    assert [house.status(one) for one in runs] == ends


def test_a_run_is_refused_the_place_of_the_one_around_it(store: SqlStore, clock: Clock) -> None:
    again = pausing("again", f"at_once: 1\n{CALLS}", "workflow: again, when: inputs.calls")
    house = Working(store, clock, definitions=(again,))
    (run,) = begun(house, "again")

    assert house.status(run) == "exception"
    assert why(house, run)[1].startswith(
        f"It needs a place among the runs of again that go on at once, which run {run[:8]} holds"
    )


def test_whoever_stands_before_a_run_in_the_line_for_a_place_is_seen(
    store: SqlStore, clock: Clock
) -> None:
    left = pausing("left", "lock: one", "workflow: placed")
    head = "at_once: 1\ninputs: {which: {type: string, default: own}}\nlock: ${{ inputs.which }}"
    both = workflow("placed", f"{head}\nsteps: [{{id: rest, wait: 5m}}]")
    house = Working(store, clock, definitions=(left, both))
    (run,) = [house.start("left", {})]
    house.settle()
    held, before = (house.start("placed", {"which": one}) for one in ("own", "one"))
    house.settle()
    house.clock.forward(MINUTE)
    house.settle()

    assert (house.status(held), house.status(before)) == ("waiting", "queued")
    assert house.status(run) == "exception"


def at_once(house: Working, runs: list[RunId]) -> None:
    """Look at each of these runs in a thread of its own, all in one moment."""
    meeting = threading.Barrier(len(runs), timeout=60)

    def go_on(run: RunId) -> None:
        meeting.wait()
        house.engine.advance(run)

    hands = [threading.Thread(target=go_on, args=(one,)) for one in runs]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


@pytest.mark.parametrize("_round", range(4))
def test_of_two_that_close_a_circle_at_one_moment_one_is_started(
    store: SqlStore, clock: Clock, _round: int
) -> None:
    house = Working(store, clock, definitions=CROSSWISE)
    runs = [house.start(name, {}) for name in ("left", "right")]
    house.settle()
    house.clock.forward(MINUTE)
    at_once(house, runs)
    house.settle()

    assert sorted(house.status(one) for one in runs) == ["exception", "waiting"]


PLACED_HEAD = "at_once: 1\ninputs: {which: {type: string, default: own}}"
PLACED = workflow(
    "placed", f"{PLACED_HEAD}\nlock: ${{{{ inputs.which }}}}\nsteps: [{change('act')}]"
)


def at_its_call(store: SqlStore, clock: Clock) -> tuple[Working, RunId]:
    """Return a run that holds lock one, and in its next segment starts one that needs a place."""
    left = pausing("left", "lock: one", "workflow: placed")
    house = Working(store, clock, definitions=(left, PLACED))
    outer = house.start("left", {})
    house.settle()
    clock.forward(MINUTE)
    house.engine.handle_due(*store.due(until=clock(), limit=1))
    return house, outer


def end(house: Working) -> None:
    for _ in range(8):
        house.settle()
        house.clock.forward(MINUTE / 4)


def test_a_run_that_takes_the_place_of_a_child_about_to_begin_steps_back(
    store: SqlStore, clock: Clock
) -> None:
    house, outer = at_its_call(store, clock)
    house.engine.advance(outer)  # Its child is there, and nobody has looked at it yet.
    before = house.start("placed", {"which": "one"})
    house.engine.advance(before)
    end(house)

    assert [house.status(one) for one in (outer, before)] == ["done", "done"]


@pytest.mark.parametrize("_round", range(4))
def test_a_child_and_another_that_want_a_place_at_one_moment_do_not_wait_for_each_other(
    store: SqlStore, clock: Clock, _round: int
) -> None:
    house, outer = at_its_call(store, clock)
    before = house.start("placed", {"which": "one"})
    at_once(house, [outer, before])
    end(house)
    if house.status(outer) == "exception":  # The other one was first, and was seen.
        assert why(house, outer)[0] == "lock_circle"
        house.engine.settle_exception(outer, "inner", person=id_of("omar"), answer="abort")
        end(house)

    assert house.status(outer) in {"done", "aborted"}
    assert house.status(before) == "done"


def test_a_run_that_has_a_place_and_waits_for_one_of_the_house_is_seen(
    store: SqlStore, clock: Clock
) -> None:
    left = pausing("left", "", "workflow: placed")
    placed = workflow("placed", f"at_once: 1\nsteps: [{change('act')}]")
    house = Working(store, clock, definitions=(left, placed), most_runs=1)
    outer = house.start("left", {})
    house.settle()
    before = house.start("placed", {})
    house.settle()
    for _ in range(8):
        house.clock.forward(MINUTE / 4)
        house.settle()

    assert house.status(before) == "queued"
    assert house.status(outer) == "exception"
    assert why(house, outer)[0] == "lock_circle"


@pytest.mark.parametrize("name", ["all", "workflow/locked"])
def test_a_lock_by_the_name_of_places_is_another_thing(
    store: SqlStore, clock: Clock, name: str
) -> None:
    rest = f"steps: [{{id: rest, wait: 1m}}, {change('act')}]"
    locked = workflow("locked", f"lock: {name}\nat_once: 2\n{rest}")
    free = workflow("free", rest)
    house = Working(store, clock, definitions=(locked, free), most_runs=2)
    runs = [house.start(name, {}) for name in ("locked", "free", "free", "locked", "locked")]
    for _ in range(40):
        house.settle()
        house.clock.forward(MINUTE / 4)

    assert [house.status(one) for one in runs] == ["done"] * 5


def test_whoever_stood_in_the_line_of_the_release_before_has_its_turn(
    store: SqlStore, clock: Clock
) -> None:
    locked = workflow("locked", f"lock: all\nsteps: [{{id: rest, wait: 1m}}, {change('act')}]")
    house = Working(store, clock, definitions=(locked,))
    runs = [house.start("locked", {}) for _ in range(3)]
    house.settle()
    with store.begin() as unit:
        unit.transaction.run("UPDATE lock_queue SET key = 'all'")
    for _ in range(20):
        house.settle()
        house.clock.forward(MINUTE / 4)

    assert [house.status(one) for one in runs] == ["done"] * 3
