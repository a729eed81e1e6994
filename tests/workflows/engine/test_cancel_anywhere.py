"""A run can be cancelled wherever it stands: it ends, and nothing of it is left open."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import CHANGE, LOST, SLOW, UNREACHABLE, Clock, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import RunId
from workflows.errors import ActionFailedError, RequestClosedError
from workflows.gate import Outcome
from workflows.replay import replay

BACK = (
    "{uses: world.change, with: {name: back, by: -1}, effect: destructive, "
    "verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}}"
)
REFUSED = ActionFailedError("refused", error_class="http_422")
POST = """
workflow: tell-it
title: Tell it
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
lock: number/one
steps:
  - id: tell
    uses: slack.post
    with: {text: "It is done."}
"""
UNDONE = workflow(
    "undone",
    f"""
lock: number/one
steps: [{destructive("one", undo=BACK)}, {destructive("two")}]
""",
)
BRANCHED = workflow(
    "branched",
    f"""
lock: number/one
steps:
  - id: both
    parallel:
      left: [{change("left")}]
      right: [{destructive("right")}]
""",
)
LOOPED = workflow(
    "looped",
    """
lock: number/one
steps:
  - {id: look, uses: world.list, with: {name: rows}}
  - id: each
    foreach: ${{ steps.look.output.rows }}
    max_parallel: 3
    steps:
      - {id: pay, uses: world.change, with: {name: "${{ item.name }}", by: 1}, effect: write}
      - {id: rest, wait: 1h}
""",
)
LOCKED = CHANGE.replace('run_by: ["@askers"]', 'run_by: ["@askers"]\nlock: number/one')


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, definitions=(LOCKED, POST, UNDONE, BRANCHED, LOOPED))


def cancel(house: Working, run: RunId, *, by: str = "rita") -> bool:
    return house.engine.cancel(run, person=id_of(by), reason="enough")


def cancels_at(place: str, house: Working, *, nth: int = 1) -> Callable[[str], None]:
    """Return a trouble that cancels the first run when `place` comes for the nth time."""
    times = [0]

    def trouble(at: str) -> None:
        times[0] += at == place
        if at == place and times[0] == nth:
            cancel(house, house.store_runs()[0])

    return trouble


def waits_for_approval(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def approved(house: Working) -> RunId:
    run = waits_for_approval(house)
    house.approve(run)
    house.settle()
    return run


def in_doubt(house: Working) -> RunId:
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    run = approved(house)
    assert house.status(run) == "in_doubt"
    return run


def ends_cancelled(house: Working, run: RunId) -> None:
    """Check that the run has ended, that nothing follows, and that nothing of it is left."""
    for _ in range(3):
        house.sweep()
        house.clock.forward(timedelta(days=2))
    kinds = house.kinds(run)

    assert house.status(run) == "cancelled"
    assert kinds.count("run.cancelled") == 1
    assert kinds[-1] == "run.cancelled"
    assert house.due(run) == []
    assert replay(run, house.entries(run)).open_intent is None
    with house.store.begin() as unit:
        assert unit.open_request(run) is None
    follower = house.start()
    house.settle()
    assert house.status(follower) == "waiting"  # The lock was handed on.


def test_before_it_began(house: Working) -> None:
    run = house.start()

    assert cancel(house, run)
    ends_cancelled(house, run)
    assert house.world.reads == 1  # Only the follower read.


def test_while_it_waits_for_a_lock(house: Working) -> None:
    first, run = house.start(), house.start()
    house.settle()
    assert house.status(run) == "queued"

    assert cancel(house, run)
    house.deny(first)
    ends_cancelled(house, run)


def test_while_it_reads(house: Working) -> None:
    house.world.trouble = cancels_at("read", house)
    run = house.start()
    house.settle()

    ends_cancelled(house, run)


def test_while_it_waits_to_read_again(house: Working) -> None:
    house.world.trouble = failing("read", SLOW)
    run = house.start()
    house.settle()
    assert house.kinds(run)[-1] == "step.observed"

    assert cancel(house, run)
    ends_cancelled(house, run)


def test_while_it_waits_for_approval(house: Working) -> None:
    run = waits_for_approval(house)

    assert cancel(house, run)
    ends_cancelled(house, run)
    assert house.request(run).outcome is Outcome.WITHDRAWN


def test_once_it_is_approved_and_looked_at_again(house: Working) -> None:
    run = waits_for_approval(house)
    house.world.trouble = cancels_at("read", house)
    house.approve(run)
    house.settle()

    ends_cancelled(house, run)
    assert house.world.effects == []
    assert house.request(run).outcome is Outcome.WITHDRAWN


def test_while_an_effect_is_under_way(house: Working) -> None:
    run = waits_for_approval(house)
    house.world.trouble = cancels_at("after", house)
    house.approve(run)
    house.settle()

    ends_cancelled(house, run)
    assert house.world.effects == [f"{run}/change"]


def test_while_an_effect_fails(house: Working) -> None:
    run = waits_for_approval(house)

    def cancelled_then_refused(place: str) -> None:
        cancels_at("before", house)(place)
        failing("before", REFUSED)(place)

    house.world.trouble = cancelled_then_refused
    house.approve(run)
    house.settle()

    ends_cancelled(house, run)


def test_while_it_waits_to_try_an_effect_again(house: Working) -> None:
    house.world.trouble = failing("before", UNREACHABLE)
    run = approved(house)
    assert house.kinds(run)[-1] == "action.failed"

    assert cancel(house, run)
    ends_cancelled(house, run)
    assert house.world.effects == []


def test_while_its_effect_is_being_verified(house: Working) -> None:
    run = waits_for_approval(house)
    house.world.trouble = cancels_at("read", house, nth=2)  # The first is the second look.
    house.approve(run)
    house.settle()

    ends_cancelled(house, run)
    assert house.world.effects == [f"{run}/change"]


def test_while_it_waits_to_look_for_its_effect_again(house: Working) -> None:
    def forgets(place: str) -> None:
        if place == "after":
            house.world.number = 10

    house.world.trouble = forgets
    run = approved(house)
    assert house.kinds(run)[-1] == "action.executed"

    assert cancel(house, run)
    ends_cancelled(house, run)


@pytest.mark.parametrize("happened", list(Happened))
def test_in_doubt_it_ends_once_somebody_says_what_happened(
    house: Working, happened: Happened
) -> None:
    run = in_doubt(house)

    assert not cancel(house, run)
    house.settle()
    assert house.status(run) == "in_doubt"

    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=happened)
    ends_cancelled(house, run)
    assert house.world.effects == []


def test_in_doubt_it_ends_once_the_probe_can_tell(house: Working) -> None:
    run = in_doubt(house)
    cancel(house, run)
    house.world.can_probe = True
    house.world.effects.append(f"{run}/change")

    ends_cancelled(house, run)


def test_in_exception(house: Working) -> None:
    house.world.trouble = failing("before", REFUSED)
    run = approved(house)
    assert house.status(run) == "exception"

    assert cancel(house, run)
    ends_cancelled(house, run)


def test_while_its_message_waits_to_be_delivered(house: Working) -> None:
    run = house.start("tell-it", {})
    house.settle()
    assert house.status(run) == "waiting"

    assert not cancel(house, run)
    house.settle()
    assert house.status(run) == "waiting"  # Nobody can take a message back that is on its way.

    house.engine.delivered(run, "tell", output={"channel": "C0OPS", "ts": "1.0"})
    ends_cancelled(house, run)


def test_while_its_message_turns_out_to_be_undeliverable(house: Working) -> None:
    run = house.start("tell-it", {})
    house.settle()
    cancel(house, run)
    house.engine.undeliverable(run, step="tell", error_class="is_archived")

    ends_cancelled(house, run)


def being_undone(house: Working) -> RunId:
    """Have a run stop at its second effect, and its first one be taken back."""

    def trouble(place: str) -> None:
        if place == "before two":
            raise REFUSED

    house.world.trouble = trouble
    run = house.start("undone")
    house.settle()
    for _ in range(2):
        house.approve(run)
        house.settle()
    house.engine.settle_exception(run, "two", person=id_of("omar"), answer="undo")
    house.settle()
    assert house.request(run).step == "one/undo"
    return run


def test_while_its_undoing_waits_for_approval(house: Working) -> None:
    run = being_undone(house)

    assert cancel(house, run)
    ends_cancelled(house, run)
    assert house.world.effects == [f"{run}/one"]


def test_while_its_undoing_is_in_doubt(house: Working) -> None:
    run = being_undone(house)
    house.world.can_probe = False
    house.world.number = -100  # So the verification shows nothing either.
    house.world.trouble = failing("before", LOST)
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"

    assert not cancel(house, run)
    house.world.number = 100
    house.engine.settle_doubt(run, "one/undo", person=id_of("omar"), happened=Happened.UNKNOWN)
    ends_cancelled(house, run)


def test_while_one_branch_stopped_and_the_other_waits(house: Working) -> None:
    def trouble(place: str) -> None:
        if place == "before left":
            raise REFUSED

    house.world.trouble = trouble
    run = house.start("branched")
    house.settle()
    assert house.request(run).outcome is Outcome.OPEN

    assert cancel(house, run)
    ends_cancelled(house, run)
    assert house.request(run).outcome is Outcome.WITHDRAWN


def test_inside_a_loop_while_one_item_is_in_doubt_and_the_others_rest(house: Working) -> None:
    house.world.items = [{"name": f"n{one}", "by": 1} for one in range(3)]
    house.world.can_probe = False
    house.world.trouble = failing("before n0", LOST)
    run = house.start("looped")
    house.settle()
    assert house.status(run) == "in_doubt"
    assert house.kinds(run).count("wait.started") == 2

    assert not cancel(house, run)
    house.clock.forward(timedelta(hours=2))
    house.settle()
    assert house.status(run) == "in_doubt"
    house.engine.settle_doubt(run, "pay/0", person=id_of("omar"), happened=Happened.NO)
    ends_cancelled(house, run)
    assert sorted(house.world.effects) == [f"{run}/pay/1", f"{run}/pay/2"]


def test_cancelling_twice_is_one_cancelling(house: Working) -> None:
    run = in_doubt(house)
    cancel(house, run)
    cancel(house, run, by="omar")
    asked = [one for one in house.entries(run) if one.data.get("decision") == "cancel"]

    assert len(asked) == 1


@pytest.mark.parametrize("how", ["done", "rejected", "cancelled"])
def test_a_run_that_has_ended_is_not_cancelled_and_says_how_it_ended(
    house: Working, how: str
) -> None:
    run = waits_for_approval(house)
    if how == "cancelled":
        cancel(house, run)
    else:
        (house.approve if how == "done" else house.deny)(run)
    house.settle()
    before = house.kinds(run)

    with pytest.raises(RequestClosedError, match=f"has ended already: {how}"):
        cancel(house, run)
    assert house.kinds(run) == before
