"""A loop does its steps for each item: one effect an item, as many at once as it says."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import Clock, Working, failing, id_of
from workflows.entry import RunId
from workflows.errors import ActionFailedError
from workflows.flow import loop_output
from workflows.replay import after, replay
from workflows.run import RunState
from workflows.store import Subject
from workflows.telling import MOST_LEFT_TOLD

PATIENCE = 60.0
REFUSED = ActionFailedError("no such name", error_class="refused")
PAY = change("pay").replace("name: pay", 'name: "${{ item.name }}"')


def loop(more: str = "", *, steps: str | None = None) -> str:
    body = steps or change("pay", '"${{ item.by }}"').replace(
        "name: pay", 'name: "${{ item.name }}"'
    )
    return workflow(
        "pay-all",
        f"""
steps:
  - id: look
    uses: world.list
    with: {{name: rows}}
  - id: each
    foreach: ${{{{ steps.look.output.rows }}}}
    {more}
    steps: [{body}]
  - id: close
    when: steps.each.output.failed < steps.each.output.count
    uses: world.change
    with: {{name: close, by: "${{{{ steps.each.output.done }}}}"}}
""",
    )


def paying(store: SqlStore, clock: Clock, text: str, *, items: int = 3) -> tuple[Working, RunId]:
    house = Working(store, clock, definitions=(text,))
    house.world.items = [{"name": f"n{one}", "by": one + 1} for one in range(items)]
    return house, house.start("pay-all")


def failing_for(name: str) -> object:
    def trouble(place: str) -> None:
        if place == f"before {name}":
            raise REFUSED

    return trouble


def test_each_item_has_one_effect_under_its_own_key(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, loop())
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/pay/0", f"{run}/pay/1", f"{run}/pay/2", f"{run}/close"]
    assert house.world.number == 10 + 1 + 2 + 3 + 3


def test_a_list_without_items_is_over_at_once(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, loop(), items=0)
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == []


def test_items_go_on_at_the_same_time_but_no_more_than_it_says(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, loop("max_parallel: 2"), items=6)
    meeting = threading.Barrier(2, timeout=PATIENCE)
    guard, at_work, most = threading.Lock(), set[str](), [0]

    def count(place: str) -> None:
        if not place.startswith("before n"):
            return
        with guard:
            at_work.add(place)
            most[0] = max(most[0], len(at_work))
        meeting.wait()
        with guard:
            at_work.discard(place)

    house.world.trouble = count
    house.settle()

    assert house.status(run) == "done"
    assert most == [2]
    assert len(house.world.effects) == 7


def test_an_item_that_fails_is_left_behind_if_the_loop_says_so(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, loop("on_item_failure: continue"))
    house.world.trouble = failing_for("n1")  # type: ignore[assignment]
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/pay/0", f"{run}/pay/2", f"{run}/close"]
    left = [one for one in house.entries(run) if one.data.get("rule") == "item_failed"]
    assert [one.data["step"] for one in left] == ["pay/1"]


def test_of_many_items_that_are_left_behind_the_first_are_told_and_all_are_counted(
    store: SqlStore, clock: Clock
) -> None:
    more = MOST_LEFT_TOLD + 5
    house, run = paying(store, clock, loop("on_item_failure: continue"), items=more)

    def trouble(place: str) -> None:
        if place.startswith("before n"):
            raise REFUSED

    house.world.trouble = trouble
    house.settle()
    kinds = ("action.failed", "decision.made")
    items = [one for one in house.entries(run) if "/" in str(one.data.get("step"))]
    failed = [one for one in items if one.kind in kinds]
    told = [one for one in failed if house.store.outbox.find(Subject.STEP, one.id) is not None]

    assert replay(run, house.entries(run)).left == more
    assert [len(failed), len(told)] == [2 * more, 2 * MOST_LEFT_TOLD]
    assert told == failed[: 2 * MOST_LEFT_TOLD]


def test_a_history_is_folded_in_one_as_entry_by_entry(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, loop("on_item_failure: continue"))
    house.world.trouble = failing_for("n1")  # type: ignore[assignment]
    house.settle()
    entries = house.entries(run)
    told = RunState(id=run)
    for entry in entries:
        before, steps = told, dict(told.steps)
        told = after(told, entry)

        assert before.steps == steps
    assert replay(run, entries) == told
    assert type(replay(run, entries).steps) is dict


def test_an_item_of_which_a_branch_failed_is_left_behind_before_what_follows_it(
    store: SqlStore, clock: Clock
) -> None:
    body = (
        f"{{id: sides, parallel: {{left: [{PAY}], right: [{change('send')}]}}}}, {change('tell')}"
    )
    house, run = paying(store, clock, loop("on_item_failure: continue", steps=body))
    house.world.trouble = failing_for("n1")  # type: ignore[assignment]
    house.settle()

    done = {one.partition("/")[2] for one in house.world.effects}
    assert house.status(run) == "done"
    assert done == {
        *("pay/0", "send/0", "tell/0"),
        "send/1",  # It had begun already; nothing of the item begins after that.
        *("pay/2", "send/2", "tell/2"),
        "close",
    }
    assert (
        house.world.number == 10 + 3 + 1 + 3 + 2
    )  # Two of three were done, says the step after it.


def test_a_loop_that_stops_within_one_that_goes_on_takes_its_whole_item_with_it(
    store: SqlStore, clock: Clock
) -> None:
    inner = (
        '{id: inner, foreach: "${{ steps.look.output.rows }}", as: other, steps: ['
        + PAY
        + f"]}}, {change('tell')}"
    )
    house, run = paying(store, clock, loop("on_item_failure: continue", steps=inner))
    house.world.trouble = failing("before n0", REFUSED)
    house.settle()

    done = [one.partition("/")[2] for one in house.world.effects]
    assert house.status(run) == "done"
    assert done == [
        *("pay/1/0", "pay/1/1", "pay/1/2", "tell/1"),
        *("pay/2/0", "pay/2/1", "pay/2/2", "tell/2"),
        "close",
    ]


def test_no_item_is_left_behind_because_the_time_of_the_whole_run_is_over(
    store: SqlStore, clock: Clock
) -> None:
    text = loop("on_item_failure: continue").replace("steps:", "deadline: 1h\nsteps:", 1)
    house, run = paying(store, clock, text)

    def slow(place: str) -> None:
        if place == "before":
            clock.forward(timedelta(minutes=40))

    house.world.trouble = slow
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == [f"{run}/pay/0", f"{run}/pay/1"]

    house.engine.settle_exception(run, "pay/2", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects[2:] == [f"{run}/pay/2", f"{run}/close"]


def test_an_item_that_fails_stops_the_loop_and_a_person_says_how_it_goes_on(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, loop())
    house.world.trouble = failing_for("n1")  # type: ignore[assignment]
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == [f"{run}/pay/0"]

    house.world.trouble = lambda _place: None
    house.engine.settle_exception(run, "pay/1", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects[:3] == [f"{run}/pay/{one}" for one in range(3)]


def test_no_new_item_begins_while_one_waits_for_a_person(store: SqlStore, clock: Clock) -> None:
    house, run = paying(store, clock, loop("max_parallel: 2"), items=5)

    def trouble(place: str) -> None:
        if place == "before n0":
            raise REFUSED
        if place == "before n1":  # It is under way until the first one has stopped.
            wait_until(
                lambda: "exception" in [one.data.get("decision") for one in house.entries(run)]
            )

    house.world.trouble = trouble
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == [f"{run}/pay/1"]


def wait_until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_the_items_stay_what_they_were_when_it_began(store: SqlStore, clock: Clock) -> None:
    asked = destructive("pay", '"${{ item.by }}"')
    house, run = paying(store, clock, loop(steps=asked), items=2)
    house.settle()
    house.world.items = []
    for _ in range(2):
        house.approve(run)
        house.settle()

    assert house.world.effects == [f"{run}/pay/0", f"{run}/pay/1", f"{run}/close"]


def test_a_denied_item_is_left_behind_if_the_loop_says_so(store: SqlStore, clock: Clock) -> None:
    asked = destructive("pay", '"${{ item.by }}"')
    text = loop("on_item_failure: continue", steps=asked)
    house, run = paying(store, clock, text, items=2)
    house.settle()
    house.deny(run)
    house.settle()
    house.approve(run)
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/pay/1", f"{run}/close"]


@pytest.mark.parametrize(("answer", "tries"), [("skip", 1), ("retry", 2)])
def test_an_item_that_was_done_and_does_not_show_waits_for_a_person_and_never_counts_as_failed(
    store: SqlStore, clock: Clock, answer: str, tries: int
) -> None:
    shows = "item.name != 'n0' || result.value > 13"
    proof = f'verify: {{uses: world.read, with: {{name: x}}, expect: "{shows}", within: 1s}}'
    pay = PAY.replace("effect: write", f"effect: write, {proof}")
    text = loop("on_item_failure: continue\n    max_parallel: 2", steps=pay)
    house, run = paying(store, clock, text)
    house.settle()
    clock.forward(timedelta(seconds=2))
    house.settle()

    assert house.status(run) == "exception"
    assert "verification.failed" in house.kinds(run)
    assert sorted(house.world.effects) == [f"{run}/pay/{one}" for one in range(3)]

    house.engine.settle_exception(run, "pay/0", person=id_of("omar"), answer=answer)
    house.settle()
    clock.forward(timedelta(seconds=2))
    house.settle()
    output = loop_output(house.shelf.active("pay-all"), state_of(house, run), "each")

    assert house.status(run) == "done"
    assert isinstance(output, dict)
    assert (output["count"], output["done"], output["failed"]) == (3, 3, 0)
    assert house.world.effects.count(f"{run}/pay/0") == tries


def state_of(house: Working, run: RunId) -> RunState:
    return replay(run, house.entries(run))


def test_a_denied_item_ends_the_run_otherwise(store: SqlStore, clock: Clock) -> None:
    asked = destructive("pay", '"${{ item.by }}"')
    house, run = paying(store, clock, loop(steps=asked), items=2)
    house.settle()
    house.deny(run)
    house.settle()

    assert house.status(run) == "denied"


@pytest.mark.parametrize(("items", "most"), [(11, "max_items: 10"), (1001, "")])
def test_a_list_that_is_too_long_is_refused_before_anything_is_done(
    store: SqlStore, clock: Clock, items: int, most: str
) -> None:
    house, run = paying(store, clock, loop(most), items=items)
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == []


def test_a_list_of_which_only_a_part_was_read_is_refused_before_anything_is_done(
    store: SqlStore, clock: Clock
) -> None:
    house, run = paying(store, clock, loop("on_item_failure: continue"))
    house.world.is_cut = True
    house.settle()
    stopped = house.entries(run)[-1].data

    assert [house.status(run), stopped["rule"]] == ["exception", "list_is_cut"]
    assert house.world.effects == []


def test_a_process_that_takes_over_in_the_middle_does_no_item_twice(
    store: SqlStore, clock: Clock
) -> None:
    text = loop("max_parallel: 3")
    house, run = paying(store, clock, text, items=9)

    def stop(place: str) -> None:
        if place == "before n4":
            raise KeyboardInterrupt

    house.world.trouble = stop
    with pytest.raises(KeyboardInterrupt):
        house.settle()
    fresh = Working(store, clock, world=house.world, definitions=(text,))
    fresh.world.trouble = lambda _place: None
    for _ in range(3):
        fresh.sweep()
        clock.forward(fresh.shelf.active("pay-all").step("pay").timeout * 2)
    fresh.settle()

    assert fresh.status(run) == "done"
    assert sorted(fresh.world.effects) == sorted(
        [f"{run}/pay/{one}" for one in range(9)] + [f"{run}/close"]
    )
