"""Which failures are tried again by themselves, and how a run waits for that: as a row."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, LOST, SLOW, UNREACHABLE, Clock, Working, failing
from workflows.entry import RunId
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    PeopleUnreadableError,
    TransientReadError,
)
from workflows.store import DueKind

PATIENT = CHANGE.replace(
    "    with: {name: number}\n  - id: change",
    "    with: {name: number}\n    retry: {attempts: 4, first: 10s, max: 15s}\n  - id: change",
)


def tries(house: Working, run: RunId, kind: str) -> int:
    return house.kinds(run).count(kind)


def goes_on(house: Working, *, times: int = 8) -> None:
    for _ in range(times):
        house.settle()
        house.clock.forward(timedelta(minutes=2))
    house.settle()


@pytest.mark.parametrize(
    ("error", "tried"),
    [
        (TransientReadError("slow", error_class="timeout"), 3),
        (TransientReadError("busy", error_class="http_503"), 3),
        (InDoubtError("no answer", error_class="reply_lost"), 3),  # A read does no harm twice.
        (ActionFailedError("refused", error_class="http_404"), 1),
        (NotPerformedError("no folder", error_class="folder_missing"), 1),
    ],
    ids=lambda one: getattr(one, "error_class", ""),
)
def test_a_read_is_tried_again_where_the_next_answer_may_be_another(
    house: Working, error: ActionError, tried: int
) -> None:
    house.world.trouble = failing("read", error, times=99)
    run = house.start()
    goes_on(house)

    assert tries(house, run, "step.observed") == tried
    assert house.status(run) == "exception"


@pytest.mark.parametrize(
    ("error", "tried", "status"),
    [
        (UNREACHABLE, 3, "exception"),
        (TransientReadError("locked", error_class="locked"), 3, "exception"),
        (ActionFailedError("refused", error_class="http_422"), 1, "exception"),
        (ActionFailedError("half", error_class="exit_1", partly=True), 1, "exception"),
    ],
    ids=lambda one: getattr(one, "error_class", ""),
)
def test_an_effect_is_tried_again_only_if_it_certainly_did_not_happen(
    house: Working, error: ActionError, tried: int, status: str
) -> None:
    house.world.trouble = failing("before", error, times=99)
    run = house.start()
    house.settle()
    house.approve(run)
    goes_on(house)

    assert tries(house, run, "action.intended") == tried
    assert tries(house, run, "approval.granted") == 1
    assert house.status(run) == status
    assert house.world.effects == []


def test_an_effect_in_doubt_is_not_tried_again_before_it_is_certain(house: Working) -> None:
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST, times=99)
    run = house.start()
    house.settle()
    house.approve(run)
    goes_on(house)

    assert tries(house, run, "action.intended") == 1
    assert house.status(run) == "in_doubt"


def test_people_who_cannot_be_read_just_now_are_asked_for_again(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(name: str, *, max_age: timedelta) -> frozenset[str]:
        raise PeopleUnreadableError(f"{name} cannot be read ({max_age}).")

    run = house.start()
    with monkeypatch.context() as patch:
        patch.setattr(house.town, "members", unreadable)
        house.settle()
        assert house.status(run) == "running"
    goes_on(house, times=2)

    assert house.status(run) == "waiting"


def test_a_wait_is_a_row_for_a_moment_and_nobody_s_thread(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, definitions=(PATIENT,))
    house.world.trouble = failing("read", SLOW, times=99)
    run = house.start()
    moments = []
    for _ in range(4):
        house.settle()
        waits = [one.at - clock() for one in house.due(run) if one.kind is DueKind.WAKE]
        moments += waits
        clock.forward(waits[0] if waits else timedelta())

    assert house.queue.runs == []
    assert len(moments) == 3
    assert timedelta(seconds=8) <= moments[0] <= timedelta(seconds=10)
    assert all(timedelta(seconds=12) <= one <= timedelta(seconds=15) for one in moments[1:])
    assert house.status(run) == "exception"
    assert house.world.reads == 4


def test_a_run_is_not_looked_at_before_its_moment(house: Working) -> None:
    house.world.trouble = failing("read", SLOW)
    run = house.start()
    house.settle()
    house.sweep()

    assert house.world.reads == 1
    assert tries(house, run, "step.observed") == 1
