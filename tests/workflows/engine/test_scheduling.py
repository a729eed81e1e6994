"""Setting and changing schedules: who may, once each, and nothing that cannot be undone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.history import read_entries
from storage.rebuild import check_projections
from storage.schedules import live_schedules, schedule_inputs
from tests.world import NOON, POLICY, Working, id_of, policy_in
from workflows.definition import Definition
from workflows.entry import Draft, Entry
from workflows.errors import (
    InputsError,
    InterlockError,
    NotAllowedError,
    ScheduleClosedError,
    StorageError,
    UnclearTimeError,
    UnknownWorkflowError,
)
from workflows.people import PersonId
from workflows.schedule import ScheduleRow, ScheduleState
from workflows.scheduling import NewSchedule, ScheduleChange
from workflows.triggers import Missed, Once, Overlap, Trigger

LATER = NOON + timedelta(hours=3)
ONCE = NewSchedule(
    id="change-it/1",
    workflow="change-it",
    inputs={"by": "5"},
    when=Once(at=LATER, timezone="Europe/Berlin"),
    person=id_of("rita"),
    channel="C1",
    message="schedule change-it in 3 hours by=5",
)


def change(to: str, *, by: str = "rita", schedule: str = ONCE.id) -> ScheduleChange:
    return ScheduleChange(id=schedule, workflow="change-it", to=ScheduleState(to), person=id_of(by))


def recorded(house: Working) -> list[Entry]:
    with house.store.database.read() as connection:
        found = read_entries(connection, 0, 1_000)
    return [one for one in found if one.kind.startswith("schedule.")]


def kinds(house: Working) -> list[str]:
    return [one.kind for one in recorded(house)]


def row(house: Working) -> ScheduleRow:
    (found,) = live_schedules(house.store.database)
    return found


def test_a_schedule_is_kept_as_it_was_set_and_its_values_only_in_a_part(house: Working) -> None:
    rhythm = Trigger(cron="0 9 * * 1", timezone="Asia/Tokyo", missed=Missed.RUN_ONCE)
    assert house.engine.set_schedule(ONCE)
    assert house.engine.set_schedule(replace(ONCE, id="change-it/2", when=rhythm))

    once, weekly = live_schedules(house.store.database)
    assert once.when == ONCE.when
    assert weekly.when == rhythm
    assert (once.channel, once.state, once.set_at) == ("C1", "active", NOON)
    assert once.set_by is not None
    assert house.store.person(once.set_by) == id_of("rita")
    assert schedule_inputs(house.store.database, once) == {"by": 5}
    (first, _) = recorded(house)
    assert first.data["at"] == "2026-03-02T15:00:00.000Z"
    assert set(first.parts) == {"input", "message"}
    assert "5" not in str(first.data["cron"])
    assert check_projections(house.store.database) == []


def test_the_same_schedule_twice_is_one(house: Working) -> None:
    assert house.engine.set_schedule(ONCE)
    assert not house.engine.set_schedule(ONCE)

    assert kinds(house) == ["schedule.set"]


def test_two_confirmations_at_one_instant_are_one(house: Working) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: house.engine.set_schedule(ONCE), range(4)))

    assert sorted(done) == [False, False, False, True]
    assert kinds(house) == ["schedule.set"]


@pytest.mark.parametrize(
    ("news", "refusal"),
    [
        ({"person": id_of("ana")}, NotAllowedError),
        ({"inputs": {}}, InputsError),
        ({"inputs": {"by": "5", "no": "1"}}, InputsError),
        ({"version": "0" * 64}, ScheduleClosedError),
        ({"when": Once(at=NOON)}, UnclearTimeError),
        ({"when": Once(at=NOON + timedelta(days=500))}, UnclearTimeError),
    ],
)
def test_what_may_not_be_started_may_not_be_set(
    house: Working, news: dict[str, object], refusal: type[InterlockError]
) -> None:
    with pytest.raises(refusal):
        house.engine.set_schedule(replace(ONCE, **news))  # type: ignore[arg-type]

    assert kinds(house) == []


@pytest.mark.parametrize("by", ["rita", "omar", "sam"])
def test_setter_owner_and_deputy_pause_resume_and_delete(house: Working, by: str) -> None:
    house.engine.set_schedule(ONCE)

    assert house.engine.change_schedule(change("paused", by=by))
    assert row(house).state is ScheduleState.PAUSED
    assert not house.engine.change_schedule(change("paused", by=by))
    house.clock.forward(timedelta(minutes=1))
    assert house.engine.change_schedule(change("active", by=by))
    assert (row(house).state, row(house).changed_at) == ("active", house.clock())
    assert house.engine.change_schedule(change("deleted", by=by))

    assert live_schedules(house.store.database) == []
    told = ["schedule.set", "schedule.paused", "schedule.resumed", "schedule.deleted"]
    assert kinds(house) == told
    assert {one.actor.kind.value for one in recorded(house)} == {"user"}
    assert check_projections(house.store.database) == []


@pytest.mark.parametrize("by", ["ana", "dora"])
def test_nobody_else_may_change_a_schedule(house: Working, by: str) -> None:
    house.engine.set_schedule(ONCE)

    for to in ("paused", "deleted"):
        with pytest.raises(NotAllowedError):
            house.engine.change_schedule(change(to, by=by))

    assert kinds(house) == ["schedule.set"]


def test_a_governor_clears_away_what_a_retired_workflow_leaves(house: Working) -> None:
    def retired(name: str) -> Definition:
        raise UnknownWorkflowError(f"There is no workflow {name}.")

    house.engine.set_schedule(ONCE)
    house.town.groups["@governors"] = {"gina"}
    house.policy = policy_in(f'{POLICY}\nroles: {{governors: ["@governors"]}}\n')

    with pytest.raises(NotAllowedError):
        house.engine.change_schedule(change("deleted", by="gina"))
    house.shelf.active = retired  # type: ignore[method-assign]
    assert house.engine.change_schedule(change("deleted", by="gina"))


def test_an_account_of_this_machine_may_pause_what_files_say_and_not_what_people_set(
    house: Working,
) -> None:
    house.engine.set_schedule(ONCE)
    local = PersonId("os:root")
    files = replace(change("paused", schedule="change-it/f"), person=local, is_definitions=True)

    assert house.engine.change_schedule(files)
    assert not house.engine.change_schedule(files)
    with pytest.raises(NotAllowedError):
        house.engine.change_schedule(replace(change("paused"), person=local))


def test_an_owner_who_became_a_guest_may_not(house: Working) -> None:
    house.engine.set_schedule(ONCE)
    house.town.guests.add("omar")

    with pytest.raises(NotAllowedError):
        house.engine.change_schedule(change("paused", by="omar"))


def test_what_has_ended_is_not_brought_back(house: Working) -> None:
    house.engine.set_schedule(ONCE)
    house.engine.change_schedule(change("deleted"))

    for to in ("paused", "active"):
        with pytest.raises(ScheduleClosedError):
            house.engine.change_schedule(change(to))
    assert not house.engine.change_schedule(change("deleted"))
    assert not house.engine.set_schedule(ONCE)
    assert kinds(house) == ["schedule.set", "schedule.deleted"]


def test_the_database_itself_refuses_to_bring_back_what_has_ended(house: Working) -> None:
    house.engine.set_schedule(ONCE)
    house.engine.change_schedule(change("deleted"))
    last = recorded(house)[-1]

    for kind in ("schedule.paused", "schedule.resumed", "schedule.deleted", "schedule.set"):
        with pytest.raises(StorageError), house.store.begin() as unit:
            unit.append(_draft(kind, last))

    assert kinds(house) == ["schedule.set", "schedule.deleted"]


def _draft(kind: str, last: Entry) -> Draft:
    data = dict(last.data)
    if kind == "schedule.set":
        data |= {"version": "v", "cron": "0 9 * * *", "at": None, "timezone": "UTC"}
        data |= {"missed": "skip", "overlap": "skip"}
    return Draft(kind=kind, actor=last.actor, data=data)


def test_a_definitions_schedule_can_be_paused_and_resumed_and_never_deleted(
    house: Working,
) -> None:
    files = replace(change("paused", by="omar", schedule="change-it/f"), is_definitions=True)

    assert house.engine.change_schedule(files)
    assert (row(house).state, row(house).when) == ("paused", None)
    assert house.engine.change_schedule(replace(files, to=ScheduleState.ACTIVE))
    with pytest.raises(ScheduleClosedError, match="workflow's file"):
        house.engine.change_schedule(replace(files, to=ScheduleState.DELETED))
    assert check_projections(house.store.database) == []


def test_a_moment_that_passed_during_a_pause_is_not_resumed(house: Working) -> None:
    house.engine.set_schedule(ONCE)
    house.engine.change_schedule(change("paused"))
    house.clock.forward(timedelta(hours=4))

    with pytest.raises(ScheduleClosedError, match="passed while it was paused"):
        house.engine.change_schedule(change("active"))


def test_unreadable_people_change_nothing(house: Working) -> None:
    house.engine.set_schedule(ONCE)
    house.town.is_readable = False

    with pytest.raises(InterlockError):
        house.engine.change_schedule(change("paused"))
    with pytest.raises(InterlockError):
        house.engine.set_schedule(replace(ONCE, id="change-it/2"))
    assert kinds(house) == ["schedule.set"]


def test_a_row_gives_back_every_way_to_fire() -> None:
    base = ScheduleRow(id="a", workflow="w", state=ScheduleState.ACTIVE, changed_at=NOON)
    said = {"timezone": "UTC", "missed": Missed.RUN_ALL, "overlap": Overlap.QUEUE}

    assert base.when is None
    at = datetime(2026, 4, 1, tzinfo=UTC)
    assert replace(base, at=at, **said).when == Once(at=at, **said)  # type: ignore[arg-type]
    assert replace(base, cron="0 9 * * *", **said).when == Trigger(cron="0 9 * * *", **said)  # type: ignore[arg-type]
