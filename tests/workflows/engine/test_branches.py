"""Branches go on side by side: none waits for what another waits for, and none is forgotten."""

import threading
import time
from datetime import timedelta

import pytest

from storage.patience import server_patience, waiting_for_the_server
from storage.store import SqlStore
from tests.fuse import Crash, Fuse
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import LOST, Clock, Working, failing, id_of
from workflows import walking
from workflows.entry import Draft, RequestId, RunId
from workflows.errors import StorageError
from workflows.gate import Verdict
from workflows.moves import Move
from workflows.orders import Ballot
from workflows.segment import Next, Segment
from workflows.walking import _Branches

PATIENCE = 60.0

BOTH_ASK = workflow(
    "both",
    f"""
steps:
  - id: sides
    parallel:
      left: [{destructive("left")}]
      right: [{destructive("right")}]
  - {change("last")}
""",
)
BOTH_WORK = workflow(
    "both",
    f"""
steps:
  - id: sides
    parallel:
      left: [{change("left")}, {change("left_too")}]
      right: [{change("right")}]
  - {change("last")}
""",
)
ONE_ASKS = workflow(
    "both",
    f"""
steps:
  - id: sides
    parallel:
      left: [{destructive("left")}]
      right: [{change("right")}]
""",
)

ONE_IS_VERIFIED = workflow(
    "both",
    f"""
steps:
  - id: sides
    parallel:
      left: [{change("left", more=", verify: {uses: world.read, with: {name: x}, expect: 'true'}")}]
      right: [{change("right")}]
""",
)


def started(store: SqlStore, clock: Clock, text: str) -> tuple[Working, RunId]:
    house = Working(store, clock, definitions=(text,))
    return house, house.start("both")


def decide(house: Working, run: RunId, step: str, verdict: Verdict = Verdict.APPROVE) -> None:
    asked = [one for one in house.entries(run) if one.kind == "approval.requested"]
    request = next(one.data["request"] for one in reversed(asked) if one.data["step"] == step)
    ballot = Ballot(request=RequestId(str(request)), person=id_of("ana"), verdict=verdict)
    house.engine.decide(ballot)


def steps_of(house: Working, run: RunId, kind: str) -> list[object]:
    return [one.data["step"] for one in house.entries(run) if one.kind == kind]


def test_both_branches_ask_at_once_and_each_goes_on_by_itself(
    store: SqlStore, clock: Clock
) -> None:
    house, run = started(store, clock, BOTH_ASK)
    house.settle()

    assert sorted(map(str, steps_of(house, run, "approval.requested"))) == ["left", "right"]

    decide(house, run, "right")
    house.settle()

    assert house.world.effects == [f"{run}/right"]
    assert house.status(run) == "waiting"

    decide(house, run, "left")
    house.settle()

    assert house.world.effects == [f"{run}/{one}" for one in ("right", "left", "last")]
    assert house.status(run) == "done"


def test_a_denial_in_one_branch_ends_the_run_and_takes_the_other_request_back(
    store: SqlStore, clock: Clock
) -> None:
    house, run = started(store, clock, BOTH_ASK)
    house.settle()
    decide(house, run, "left", Verdict.DENY)
    house.settle()

    assert house.status(run) == "denied"
    assert house.world.effects == []
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "run.finished"]


def test_branches_work_at_the_same_time(store: SqlStore, clock: Clock) -> None:
    house, run = started(store, clock, BOTH_WORK)
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def meet(place: str) -> None:
        if place in ("before left", "before right"):
            meeting.wait()  # Neither would ever arrive alone.

    house.world.trouble = meet
    house.settle()

    assert house.status(run) == "done"
    assert sorted(house.world.effects) == sorted(
        f"{run}/{one}" for one in ("left", "left_too", "right", "last")
    )
    assert house.world.effects[-1] == f"{run}/last"


def test_a_decision_for_one_branch_counts_while_another_works_for_long(
    store: SqlStore, clock: Clock
) -> None:
    house, run = started(store, clock, ONE_ASKS)
    is_asked, is_left_done = threading.Event(), threading.Event()

    def work(place: str) -> None:
        if place == "before right":
            assert is_left_done.wait(PATIENCE)  # Only the other branch can set it.
        if place == "after":  # The left one's: the other is waiting for it.
            is_left_done.set()

    def approve() -> None:
        for _ in range(600):
            if "approval.requested" in house.kinds(run):
                break
            is_asked.wait(0.1)
        decide(house, run, "left")

    house.world.trouble = work
    person = threading.Thread(target=approve)
    person.start()
    house.settle()
    person.join()
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/left", f"{run}/right"]


def test_a_verification_is_recorded_while_another_branch_works_for_long(
    store: SqlStore, clock: Clock
) -> None:
    """Cut short, it would be asked again long after its time, and a person with it."""
    house, run = started(store, clock, ONE_IS_VERIFIED)
    seen = []

    def work(place: str) -> None:
        if place == "before right":
            until = time.monotonic() + 10
            while "verification.passed" not in house.kinds(run) and time.monotonic() < until:
                time.sleep(0.05)
            seen.append("verification.passed" in house.kinds(run))

    house.world.trouble = work
    house.settle()

    assert seen == [True]
    assert house.kinds(run).count("verification.passed") == 1
    assert house.status(run) == "done"


def test_a_doubt_in_one_branch_lets_the_other_finish_and_holds_the_run(
    store: SqlStore, clock: Clock
) -> None:
    house, run = started(store, clock, BOTH_WORK)
    house.world.can_probe = False
    house.world.trouble = failing("before left", LOST)
    house.settle()

    assert house.status(run) == "in_doubt"
    assert house.world.effects == [f"{run}/right"]


class Outage(Fuse):
    """A database that fails at one boundary, and is there again at the next."""

    def burn(self, place: str) -> None:
        try:
            super().burn(place)
        except Crash as end:
            raise StorageError(f"The database went away {place}.") from end


@pytest.mark.parametrize("boundary", [1, 2], ids=["before", "answer lost"])
def test_a_claim_that_fails_in_one_branch_is_told_and_the_run_goes_on(
    store: SqlStore, clock: Clock, boundary: int
) -> None:
    outage = Outage()
    house = Working(store, clock, definitions=(BOTH_ASK,), wrapped=outage.around(store))
    run = house.start("both")
    outage.blows_at = outage.count + boundary

    with pytest.raises(StorageError):
        house.settle()

    # Before, the other branch still asks; with the answer lost it was this one that did.
    assert len(steps_of(house, run, "approval.requested")) == 1

    house.sweep()

    assert sorted(map(str, steps_of(house, run, "approval.requested"))) == ["left", "right"]


def test_no_branch_begins_anything_once_the_run_is_cancelled(store: SqlStore, clock: Clock) -> None:
    house, run = started(store, clock, BOTH_WORK)

    def cancel_meanwhile(place: str) -> None:
        if place == "before left":
            house.engine.cancel(run, person=id_of("rita"), reason="enough")

    house.world.trouble = cancel_meanwhile
    house.settle()
    clock.forward(timedelta(hours=1))
    house.settle()

    assert house.status(run) == "cancelled"
    assert f"{run}/left_too" not in house.world.effects
    intents = steps_of(house, run, "action.intended")
    assert sorted(map(str, intents)) == sorted(map(str, steps_of(house, run, "action.executed")))


def await_end(house: Working, run: RunId, step: str) -> None:
    """Return once the log says that the step was executed."""
    deadline = time.monotonic() + PATIENCE
    while step not in steps_of(house, run, "action.executed"):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_move_that_was_chosen_before_a_cancel_is_not_made_after_it(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, run = started(store, clock, BOTH_WORK)
    is_noted, is_chosen = threading.Event(), threading.Event()
    collect, note, make = _Branches._collect, Segment.note_outcome, walking.make  # noqa: SLF001

    def collects(branches: _Branches) -> None:
        if "right" in branches._busy and branches._busy["right"][1].done():  # noqa: SLF001
            assert is_noted.wait(PATIENCE)  # It looks once left has its outcome, not committed yet.
        collect(branches)

    def notes(segment: Segment, draft: Draft) -> None:
        note(segment, draft)
        if draft.data["step"] == "left":
            is_noted.set()
            assert is_chosen.wait(PATIENCE)

    def makes(segment: Segment, move: Move, **news: int) -> Next:
        if move.step == "left_too":
            is_chosen.set()
            await_end(house, run, "left")  # Which takes up what the person said.
        return make(segment, move, **news)

    def cancel_meanwhile(place: str) -> None:
        if place == "before left":
            await_end(house, run, "right")
            house.engine.cancel(run, person=id_of("rita"), reason="enough")

    monkeypatch.setattr(_Branches, "_collect", collects)
    monkeypatch.setattr(Segment, "note_outcome", notes)
    monkeypatch.setattr(walking, "make", makes)
    house.world.trouble = cancel_meanwhile
    house.settle()

    assert house.status(run) == "cancelled"
    assert house.world.effects == [f"{run}/right", f"{run}/left"]


def test_a_branch_waits_for_a_server_that_is_away_as_long_as_its_segment(
    store: SqlStore, clock: Clock
) -> None:
    house, run = started(store, clock, BOTH_WORK)
    seen: list[float] = []
    house.world.trouble = lambda _at: seen.append(server_patience())
    with waiting_for_the_server(timedelta(minutes=3)):
        house.settle()

    assert house.status(run) == "done"
    assert len(seen) > 4
    assert set(seen) == {180.0}
