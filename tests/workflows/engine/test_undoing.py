"""What an aborted run did is taken back: the last effect first, each asked for, each on record."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.workflows.engine.test_waits import summary_of
from tests.world import LOST, Clock, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import RequestId, RunId
from workflows.errors import ActionFailedError, RequestClosedError
from workflows.gate import Outcome
from workflows.questioning import Answer
from workflows.replay import replay
from workflows.trouble import troubles

PROOF = "verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}"
BACK = "{uses: world.change, with: {name: back, by: -1}, effect: %s, " + PROOF + "}"
GATED = BACK % "destructive"
FREE = BACK % "write"
BROKEN = ActionFailedError("no", error_class="refused")
TWO = workflow(
    "two",
    f"steps: [{destructive('one', undo=FREE)}, {destructive('two', undo=GATED)}, "
    f"{destructive('final')}, {destructive('three', undo=FREE)}]",
)
SIDES = workflow(
    "sides",
    f"steps: [{destructive('one', undo=GATED)}, {{id: both, parallel: "
    f"{{l: [{change('left')}], r: [{change('right')}]}}}}]",
)


def broken_at_three(store: SqlStore, clock: Clock) -> tuple[Working, RunId]:
    house = Working(store, clock, definitions=(TWO,))

    def trouble(place: str) -> None:
        if place == "before three":
            raise BROKEN

    house.world.trouble = trouble
    run = house.start("two")
    house.settle()
    for _ in range(4):
        house.approve(run)
        house.settle()
    assert house.status(run) == "exception"
    return house, run


def abort_and_undo(house: Working, run: RunId) -> None:
    house.engine.settle_exception(run, "three", person=id_of("omar"), answer="undo")
    house.settle()


def test_effects_are_taken_back_in_reverse_each_through_its_gate(
    store: SqlStore, clock: Clock
) -> None:
    house, run = broken_at_three(store, clock)
    abort_and_undo(house, run)

    assert house.status(run) == "waiting"
    assert house.request(run).step == "two/undo"

    house.approve(run)
    house.settle()

    assert house.status(run) == "aborted"
    assert house.world.effects == [
        f"{run}/{one}" for one in ("one", "two", "final", "two/undo", "one/undo")
    ]
    assert house.kinds(run)[-1] == "run.finished"


def test_an_undo_that_is_denied_ends_the_run_with_what_stands(
    store: SqlStore, clock: Clock
) -> None:
    house, run = broken_at_three(store, clock)
    abort_and_undo(house, run)
    house.deny(run)
    house.settle()

    assert house.status(run) == "denied"
    assert f"{run}/one/undo" not in house.world.effects


def test_an_undo_in_doubt_is_settled_like_any_effect(store: SqlStore, clock: Clock) -> None:
    house, run = broken_at_three(store, clock)
    abort_and_undo(house, run)
    house.world.can_probe = False
    house.world.number = -100  # So the verification shows nothing either.
    house.world.trouble = failing("before", LOST)
    house.approve(run)
    house.settle()

    assert house.status(run) == "in_doubt"

    house.world.number = 100
    house.engine.settle_doubt(run, "two/undo", person=id_of("omar"), happened=Happened.YES)
    house.settle()

    assert house.status(run) == "aborted"
    assert house.world.effects[-1] == f"{run}/one/undo"


@pytest.mark.parametrize(("answer", "end"), [("skip", "aborted"), ("abort", "aborted")])
def test_an_undo_that_fails_needs_a_person_too(
    store: SqlStore, clock: Clock, answer: str, end: str
) -> None:
    house, run = broken_at_three(store, clock)

    def trouble(place: str) -> None:
        if place == "before back":
            raise BROKEN

    house.world.trouble = trouble
    abort_and_undo(house, run)
    house.approve(run)
    house.settle()

    assert house.status(run) == "exception"

    house.world.trouble = lambda _place: None
    house.engine.settle_exception(run, "two/undo", person=id_of("omar"), answer=answer)
    house.settle()

    assert house.status(run) == end
    assert (f"{run}/one/undo" in house.world.effects) == (answer == "skip")
    assert "omar aborted it and wanted taken back what could be." in summary_of(house, run)


def test_an_undo_that_fails_is_no_reason_to_begin_undoing_anew(
    store: SqlStore, clock: Clock
) -> None:
    house, run = broken_at_three(store, clock)
    house.world.trouble = failing("before back", BROKEN)
    abort_and_undo(house, run)
    house.approve(run)
    house.settle()

    with pytest.raises(RequestClosedError, match="being undone already"):
        house.engine.settle_exception(run, "two/undo", person=id_of("omar"), answer="undo")

    house.engine.settle_exception(run, "two/undo", person=id_of("omar"), answer="retry")
    house.settle()
    house.approve(run)
    house.settle()

    assert house.status(run) == "aborted"
    assert house.world.effects[-2:] == [f"{run}/two/undo", f"{run}/one/undo"]


@pytest.mark.parametrize("answer", ["retry", "skip", "undo", "abort"])
def test_while_a_run_is_undone_another_step_that_stopped_does_not_go_on(
    store: SqlStore, clock: Clock, answer: str
) -> None:
    house = Working(store, clock, definitions=(SIDES,))
    house.world.trouble = refusing({"before left", "before right"})
    run = house.start("sides")
    house.settle()
    house.approve(run)
    house.settle()
    house.engine.settle_exception(run, "left", person=id_of("omar"), answer="undo")
    house.settle()
    before = house.kinds(run)

    if answer == "abort":
        house.engine.settle_exception(run, "right", person=id_of("sam"), answer=answer)
        assert house.status(run) == "aborted"
        return
    with pytest.raises(RequestClosedError, match="being undone"):
        house.engine.settle_exception(run, "right", person=id_of("sam"), answer=answer)

    assert house.kinds(run) == before
    assert troubles(replay(run, house.entries(run)), house.entries(run)) == ()
    house.approve(run)
    house.settle()
    assert house.status(run) == "aborted"
    assert house.world.effects == [f"{run}/one", f"{run}/one/undo"]


THREE_SIDES = workflow(
    "sides",
    f"steps: [{destructive('one', undo=FREE)}, {{id: all, parallel: {{l: [{change('left')}], "
    f"m: [{change('middle')}], r: [{change('right')}]}}}}]",
)


def stopped_on_two_sides(store: SqlStore, clock: Clock) -> tuple[Working, RunId]:
    """Two branches wait for a person, and of the third nobody knows whether it happened."""
    house = Working(store, clock, definitions=(THREE_SIDES,))
    run = house.start("sides")
    house.settle()

    def trouble(place: str) -> None:
        if place in ("before left", "before right"):
            raise BROKEN
        if place == "before middle":
            raise LOST

    house.world.trouble = trouble
    house.world.can_probe = False
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    return house, run


def test_aborting_what_is_being_undone_stops_it_although_something_is_in_doubt(
    store: SqlStore, clock: Clock
) -> None:
    house, run = stopped_on_two_sides(store, clock)
    for step, answer in (("left", "undo"), ("right", "abort")):
        house.engine.settle_exception(run, step, person=id_of("omar"), answer=answer)
    house.engine.settle_doubt(run, "middle", person=id_of("omar"), happened=Happened.NO)
    house.world.trouble = lambda _place: None
    house.settle()

    assert house.status(run) == "aborted"
    assert house.world.effects == [f"{run}/one"]


@pytest.mark.parametrize("answer", ["retry", "skip", "abort", "undo"])
def test_nobody_settles_another_step_of_a_run_that_was_aborted(
    store: SqlStore, clock: Clock, answer: str
) -> None:
    house, run = stopped_on_two_sides(store, clock)
    house.engine.settle_exception(run, "left", person=id_of("omar"), answer="abort")
    with pytest.raises(RequestClosedError, match="was aborted already"):
        house.engine.settle_exception(run, "right", person=id_of("sam"), answer=answer)
    entries = house.entries(run)

    assert [one.step for one in troubles(replay(run, entries), entries)] == ["middle"]

    house.engine.settle_doubt(run, "middle", person=id_of("omar"), happened=Happened.NO)
    house.settle()

    assert house.status(run) == "aborted"
    assert house.world.effects == [f"{run}/one"]


@pytest.mark.parametrize("answer", ["retry", "skip", "abort", "undo"])
def test_nobody_settles_a_step_of_a_run_that_is_being_cancelled(
    store: SqlStore, clock: Clock, answer: str
) -> None:
    house, run = stopped_on_two_sides(store, clock)
    assert not house.engine.cancel(run, person=id_of("rita"), reason="enough")
    with pytest.raises(RequestClosedError, match="was cancelled already"):
        house.engine.settle_exception(run, "right", person=id_of("sam"), answer=answer)
    house.engine.settle_doubt(run, "middle", person=id_of("omar"), happened=Happened.NO)
    house.settle()

    assert house.status(run) == "cancelled"
    assert house.world.effects == [f"{run}/one"]


def refusing(places: set[str]) -> Callable[[str], None]:
    def trouble(place: str) -> None:
        if place in places:
            raise BROKEN

    return trouble


def test_a_plain_abort_takes_nothing_back(store: SqlStore, clock: Clock) -> None:
    house, run = broken_at_three(store, clock)
    house.engine.settle_exception(run, "three", person=id_of("omar"), answer="abort")
    house.settle()

    assert house.status(run) == "aborted"
    assert len(house.world.effects) == 3


BESIDE = workflow(
    "sides",
    f"steps: [{destructive('one', undo=GATED)}, {{id: all, parallel: {{l: [{change('left')}], "
    f"m: [{destructive('middle')}], c: [{{id: inner, workflow: child}}], "
    'q: [{id: why, ask: {of: ["@deciders"], question: Why?, fields: {by: {type: integer}}}}]}}]',
)
CHILD = workflow("child", f"steps: [{{id: rest, wait: 1h}}, {change('late')}]")
EndsHow = Callable[[Working, RunId], None]


def undone(house: Working, run: RunId) -> None:
    house.engine.settle_exception(run, "left", person=id_of("omar"), answer="undo")


def cancelled(house: Working, run: RunId) -> None:
    house.engine.cancel(run, person=id_of("rita"), reason="enough")


@pytest.mark.parametrize(("how", "error"), [(undone, BROKEN), (cancelled, LOST)])
def test_what_a_run_asks_and_started_is_taken_back_once_its_end_is_decided(
    store: SqlStore, clock: Clock, how: EndsHow, error: Exception
) -> None:
    house = Working(store, clock, definitions=(BESIDE, CHILD))
    run = house.start("sides")
    house.settle()
    house.world.trouble = failing("before left", error)
    house.world.can_probe = False
    house.approve(run)
    house.settle()
    asked = {
        str(one.data["step"]): one
        for one in house.entries(run)
        if one.kind in ("approval.requested", "question.asked")
    }
    middle, why = (RequestId(str(asked[one].data["request"])) for one in ("middle", "why"))
    how(house, run)
    house.settle()
    clock.forward(timedelta(hours=2))
    house.settle()

    assert house.status(run) in ("waiting", "in_doubt")  # For what has to be known or undone.
    assert store.request(middle).outcome is Outcome.WITHDRAWN
    assert f"{run}/one" == house.world.effects[-1]  # The child did nothing after that.
    given = Answer(run=run, request=why, person=id_of("ana"), values={"by": 1})
    with pytest.raises(RequestClosedError):
        house.engine.answer(given)
