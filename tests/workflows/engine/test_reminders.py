"""Those who have not decided are reminded, each time the policy says, and nobody else."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.world import POLICY, Clock, Working, id_of
from workflows.entry import Entry, RunId
from workflows.store import Subject

REMINDING = POLICY.replace("approve: 1}]", "approve: 2}]\n    remind: [2h, 8h]")


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, policy=REMINDING)


def reminders(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == "approval.reminded"]


def wait(house: Working, hours: int) -> None:
    house.clock.forward(timedelta(hours=hours))
    house.settle()


def test_each_reminder_of_the_policy_comes_at_its_time(house: Working) -> None:
    run = house.start()
    house.settle()
    counts = []
    for hours in (1, 1, 5, 1, 10):
        wait(house, hours)
        counts.append(len(reminders(house, run)))

    assert counts == [0, 1, 1, 2, 2]
    assert [one.data["n"] for one in reminders(house, run)] == [1, 2]


def test_only_those_who_have_not_decided_are_reminded(house: Working) -> None:
    run = house.start()
    house.settle()
    house.approve(run, by="ana")
    wait(house, 2)
    with house.store.begin() as unit:
        ben = unit.ref(id_of("ben"))

    assert [one.data["to"] for one in reminders(house, run)] == [[ben]]


def test_a_reminder_is_told_in_the_thread(house: Working) -> None:
    run = house.start()
    house.settle()
    wait(house, 2)
    (reminder,) = reminders(house, run)

    assert house.store.outbox.find(Subject.STEP, reminder.id) is not None


def test_nobody_is_reminded_of_what_is_decided(house: Working) -> None:
    run = house.start()
    house.settle()
    house.deny(run, by="ana")
    wait(house, 9)

    assert reminders(house, run) == []
