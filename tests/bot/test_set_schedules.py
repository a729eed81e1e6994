"""Schedules that people set, under the clock: once over replicas, downtime and jumping clocks."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import Clock as AlarmClock
from bot.schedules import Standing
from bot.timetable import Timetable
from storage.database import Database
from storage.history import read_entries
from storage.rebuild import check_projections
from storage.schedules import live_schedules
from tests.stores import begun
from tests.world import CHANGE, NOON, Clock, Working, id_of
from workflows.definition import Definition
from workflows.entry import SYSTEM, Draft, Entry, Json, RunId
from workflows.errors import (
    ScheduleClosedError,
    UnclearTimeError,
    UnknownWorkflowError,
    UnreadableVersionError,
)
from workflows.loading import load_definition
from workflows.people import Person, PersonId
from workflows.schedule import ScheduleState
from workflows.scheduling import NewSchedule, ScheduleChange
from workflows.triggers import Missed, Once, Overlap, Trigger, When

LATER = NOON + timedelta(hours=3)
DAILY = Trigger(cron="0 9 * * *", timezone="Europe/Berlin")
ID = "change-it/1"
MADE_UP = """triggers:
  - {cron: "0 9 * * *", timezone: Europe/Berlin, inputs: {by: 5}, missed: run_once}
"""
ANSWERING: Mapping[str, Json] = {"owner": "@owners", "deputy": "@deputies", "actions": "0" * 64}


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Working:
    clock = Clock()
    return Working(begun(database, tmp_path, clock), clock)


def standing(house: Working) -> Standing:
    return Standing(
        store=house.store,
        engine=house.engine,
        people=house.town,
        definitions=lambda: [house.shelf.active("change-it")],
        version=house.shelf.version,
        is_destructive=lambda _: False,  # Whoever sets one here says what becomes of it.
        channel="ops",
    )


def replica(house: Working) -> Timetable:
    """Return what another process, or the same one started anew, would look with."""
    return Timetable(house.store, standing(house).to_fire, born=house.clock())


def sets(house: Working, when: When, *, schedule: str = ID) -> None:
    house.engine.set_schedule(
        NewSchedule(
            id=schedule,
            workflow="change-it",
            inputs={"by": "5"},
            when=when,
            person=id_of("rita"),
            channel="C1",
        )
    )


def changes(house: Working, to: str, *, by: str = "rita", schedule: str = ID) -> None:
    house.engine.change_schedule(
        ScheduleChange(id=schedule, workflow="change-it", to=ScheduleState(to), person=id_of(by))
    )


def looks(house: Working, at: datetime, *timetables: Timetable) -> None:
    house.clock.at = at
    for one in timetables or (replica(house),):
        one.fire_due(at)


def told(house: Working, *kinds: str) -> list[Entry]:
    with house.store.database.read() as connection:
        return [one for one in read_entries(connection, 0, 10_000) if one.kind in kinds]


def dues(house: Working) -> list[str]:
    return [str(one.data["due"]) for one in told(house, "schedule.fired")]


def notices(house: Working) -> dict[str, str]:
    """Return what was said, by where."""
    rows = house.store.outbox.claim_messages(by="test", limit=50)
    return {row.channel: str(row.body["text"]) for row in rows if isinstance(row.body, dict)}


def test_a_workflow_that_changed_is_told_before_the_values_are_judged_by_it(
    house: Working,
) -> None:
    shown = house.shelf.active("change-it").version
    house.shelf.put(CHANGE.replace("maximum: 1000", "maximum: 3"))
    new = NewSchedule(
        id=ID,
        workflow="change-it",
        inputs={"by": "5"},
        when=DAILY,
        person=id_of("rita"),
        version=shown,
    )

    with pytest.raises(ScheduleClosedError, match="was changed meanwhile"):
        house.engine.set_schedule(new)


def test_one_moment_fires_once_over_replicas_and_ends(house: Working) -> None:
    sets(house, Once(at=LATER, timezone="Europe/Berlin"))
    one, other = replica(house), replica(house)

    looks(house, LATER - timedelta(seconds=1), one, other)
    assert told(house, "run.started") == []
    for seconds in (0, 1, 16, 30):
        looks(house, LATER + timedelta(seconds=seconds), one, other)
    looks(house, LATER + timedelta(days=400))

    (started,) = told(house, "run.started")
    assert started.data["trigger"] == "schedule"
    assert started.data["source"] == ID
    assert started.actor.kind == "user"
    assert house.store.person(started.actor.ref) == id_of("rita")
    assert dues(house) == ["2026-03-02T16:00:00+01:00 Europe/Berlin"]
    assert told(house, "schedule.missed") == []
    assert live_schedules(house.store.database) == []
    assert check_projections(house.store.database) == []


def test_a_moment_that_comes_while_it_is_recorded_fires(database: Database, tmp_path: Path) -> None:
    at = NOON

    def now() -> datetime:
        nonlocal at
        at += timedelta(milliseconds=1)
        return at

    house = Working(begun(database, tmp_path, now), now)  # type: ignore[arg-type]
    for soon in range(10):
        with suppress(UnclearTimeError):  # That moment has passed already.
            sets(house, Once(at=at + timedelta(milliseconds=soon)), schedule=f"change-it/{soon}")
    at += timedelta(seconds=5)
    replica(house).fire_due(now())

    assert len(told(house, "run.started")) == len(told(house, "schedule.set")) > 0
    assert live_schedules(house.store.database) == []


def test_whoever_set_it_cannot_approve_its_runs(house: Working) -> None:
    sets(house, Once(at=LATER))
    looks(house, LATER)
    house.settle()
    run = told(house, "run.started")[0].run
    assert run is not None

    assert house.town.groups["@deciders"] >= {"rita", "ana"}
    assert house.request(run).requester == told(house, "run.started")[0].actor.ref
    with pytest.raises(Exception, match="someone else"):
        house.approve(run, by="rita")
    house.approve(run, by="ana")


def test_a_clock_that_jumps_ahead_and_back_fires_nothing_twice_and_loses_nothing(
    house: Working,
) -> None:
    sets(house, DAILY.model_copy(update={"missed": Missed.RUN_ONCE}))
    table = replica(house)
    ahead = [datetime(2026, 3, day, 8, 0, tzinfo=UTC) for day in (3, 4, 24)]
    again = [datetime(2026, 3, day, 8, 0, tzinfo=UTC) for day in (4, 5, 6, 24, 25)]

    for moment in (*ahead, *again):
        looks(house, moment, table, replica(house))
        looks(house, moment + timedelta(seconds=15), table)

    days = [due[:10] for due in dues(house)]
    assert len(set(days)) == len(days)
    assert {"2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-25"} <= set(days)
    runs = [one.data["started"] for one in told(house, "schedule.fired") if one.data["started"]]
    assert len(set(runs)) == len(runs) == len(told(house, "run.started"))
    assert check_projections(house.store.database) == []


def test_a_clock_that_was_ahead_for_a_moment_holds_up_no_schedule(house: Working) -> None:
    sets(house, DAILY.model_copy(update={"overlap": Overlap.QUEUE}))
    table = replica(house)
    looks(house, NOON + timedelta(days=30), table)
    before = len(dues(house))

    for hours in range(24):
        looks(house, NOON + timedelta(hours=hours), table)

    assert dues(house)[before:] == ["2026-03-03T09:00:00+01:00 Europe/Berlin"]
    assert check_projections(house.store.database) == []


@pytest.mark.parametrize(
    ("rule", "runs", "words"),
    [(Missed.SKIP, 0, "it is skipped"), (Missed.RUN_ONCE, 1, "a run makes up for it")],
)
def test_a_moment_at_which_nobody_served_is_told_and_ends_the_schedule(
    house: Working, rule: Missed, runs: int, words: str
) -> None:
    sets(house, Once(at=LATER, missed=rule))

    for days in (20, 21):
        looks(house, LATER + timedelta(days=days))

    assert len(told(house, "run.started")) == runs
    assert len(told(house, "schedule.missed")) == 1
    assert words in notices(house)["C1"]
    assert live_schedules(house.store.database) == []
    assert check_projections(house.store.database) == []


@pytest.mark.parametrize("when", [Once(at=LATER), DAILY])
def test_what_became_destructive_since_it_was_set_is_not_made_up_for(
    house: Working, when: When
) -> None:
    made_up = {"missed": Missed.RUN_ONCE}
    sets(
        house,
        replace(when, **made_up) if isinstance(when, Once) else when.model_copy(update=made_up),
    )
    now = replace(standing(house), is_destructive=lambda _: True)

    house.clock.at = LATER + timedelta(days=20)
    Timetable(house.store, now.to_fire, born=NOON).fire_due(house.clock.at)

    assert told(house, "run.started") == []
    assert "skipped" in notices(house)["C1"]
    assert check_projections(house.store.database) == []


def test_a_rhythm_counts_from_when_it_was_set_and_not_from_the_beginning(house: Working) -> None:
    sets(house, DAILY)

    looks(house, NOON + timedelta(minutes=1))
    looks(house, datetime(2026, 3, 3, 8, 0, tzinfo=UTC))

    assert dues(house) == ["2026-03-03T09:00:00+01:00 Europe/Berlin"]
    assert told(house, "schedule.missed") == []


def test_what_comes_due_during_a_pause_neither_fires_nor_counts_as_missed(house: Working) -> None:
    sets(house, DAILY)
    table = replica(house)
    looks(house, NOON + timedelta(hours=1), table)
    changes(house, "paused", by="omar")
    looks(house, NOON + timedelta(days=3), table, replica(house))
    changes(house, "active")
    looks(house, NOON + timedelta(days=3, minutes=1), table, replica(house))
    assert told(house, "schedule.fired", "schedule.missed") == []

    looks(house, datetime(2026, 3, 6, 8, 0, tzinfo=UTC), table, replica(house))
    assert dues(house) == ["2026-03-06T09:00:00+01:00 Europe/Berlin"]


def test_a_deleted_schedule_fires_no_more(house: Working) -> None:
    sets(house, Once(at=LATER))
    table = replica(house)
    looks(house, NOON, table)
    changes(house, "deleted")

    looks(house, LATER, table)

    assert told(house, "run.started", "schedule.fired") == []


@pytest.mark.parametrize("left", ["group", "guest"])
def test_whoever_may_no_longer_run_it_starts_nothing_and_people_are_told(
    house: Working, left: str
) -> None:
    sets(house, Once(at=LATER))
    if left == "group":
        house.town.groups["@askers"].clear()
    else:
        house.town.guests.add("rita")

    for seconds in (0, 30):
        looks(house, LATER + timedelta(seconds=seconds))

    assert told(house, "run.started") == []
    assert [one.data["started"] for one in told(house, "schedule.fired")] == [None]
    said = notices(house)
    assert "rita, who set it, may not run change-it now" in said["C1"]
    assert "could not start" in said[id_of("omar")]


def test_unreadable_people_hold_a_moment_and_it_is_not_lost(house: Working) -> None:
    sets(house, Once(at=LATER, missed=Missed.RUN_ONCE))
    house.town.is_readable = False
    table = replica(house)
    for minutes in (0, 1, 5):
        looks(house, LATER + timedelta(minutes=minutes), table)
    assert told(house, "run.started", "schedule.fired") == []

    house.town.is_readable = True
    looks(house, LATER + timedelta(minutes=6), table)

    assert len(told(house, "run.started")) == 1
    assert len(dues(house)) == 1


def test_unreadable_people_for_long_skip_what_must_not_come_late(house: Working) -> None:
    sets(house, Once(at=LATER))
    house.town.is_readable = False
    table = replica(house)

    for minutes in (0, 2, 3):
        looks(house, LATER + timedelta(minutes=minutes), table)

    assert told(house, "run.started") == []
    assert "it is skipped" in notices(house)["C1"]


def test_values_that_do_not_fit_a_new_version_start_nothing_and_are_told(house: Working) -> None:
    sets(house, Once(at=LATER))
    house.shelf.put(CHANGE.replace("maximum: 1000", "maximum: 4"))

    looks(house, LATER)

    assert told(house, "run.started") == []
    assert "could not start" in notices(house)["C1"]


def test_a_run_that_still_goes_on_skips_the_next_firing(house: Working) -> None:
    sets(house, DAILY)
    for day in (3, 4):
        looks(house, datetime(2026, 3, day, 8, 0, tzinfo=UTC))

    assert [one.data["started"] is None for one in told(house, "schedule.fired")] == [False, True]


@pytest.mark.parametrize("to", ["paused", "deleted"])
@pytest.mark.parametrize("days", [0, 3])
def test_what_is_paused_while_another_one_is_slow_to_start_starts_nothing(
    house: Working, to: str, days: int
) -> None:
    rhythm = DAILY.model_copy(update={"missed": Missed.RUN_ONCE})
    for one in (ID, "change-it/2"):
        sets(house, rhythm, schedule=one)
    person = house.town.person

    def slow(who: PersonId) -> Person:
        house.town.person = person  # type: ignore[method-assign]  # Once is enough.
        changes(house, to, schedule="change-it/2")
        return person(who)

    house.town.person = slow  # type: ignore[method-assign]
    looks(house, datetime(2026, 3, 3 + days, 8, 0, tzinfo=UTC))

    assert [one.data["source"] for one in told(house, "run.started")] == [ID]
    assert {one.data["schedule"] for one in told(house, "schedule.fired")} == {ID}
    assert {one.data["schedule"] for one in told(house, "schedule.missed")} <= {ID}
    assert not any("could not" in words for words in notices(house).values())
    assert check_projections(house.store.database) == []


def test_a_definitions_schedule_rests_while_it_is_paused(house: Working) -> None:
    text = CHANGE + 'triggers: [{cron: "0 9 * * *", timezone: Europe/Berlin, inputs: {by: 5}}]\n'
    house.shelf.put(text)
    (known,) = standing(house).known()
    assert (known.is_definitions, known.is_paused) == (True, False)
    order = ScheduleChange(
        id=known.id,
        workflow="change-it",
        to=ScheduleState.PAUSED,
        person=id_of("omar"),
        is_definitions=True,
    )
    house.engine.change_schedule(order)
    looks(house, datetime(2026, 3, 3, 8, 0, tzinfo=UTC))
    assert told(house, "schedule.fired") == []

    house.engine.change_schedule(replace(order, to=ScheduleState.ACTIVE))
    looks(house, datetime(2026, 3, 3, 8, 1, tzinfo=UTC))
    looks(house, datetime(2026, 3, 4, 8, 0, tzinfo=UTC))

    assert dues(house) == ["2026-03-04T09:00:00+01:00 Europe/Berlin"]
    assert told(house, "run.started")[0].actor.kind == "schedule"
    assert told(house, "schedule.missed") == []


def test_a_setter_who_was_erased_starts_nothing(house: Working) -> None:
    sets(house, Once(at=LATER))
    with house.store.begin() as unit:
        unit.transaction.driver.execute("DELETE FROM audit_subject")

    looks(house, LATER)

    assert told(house, "run.started") == []
    assert "erased" in notices(house)["C1"]


def test_a_process_that_died_after_the_start_starts_no_second_run(house: Working) -> None:
    sets(house, Once(at=LATER))
    house.clock.at = LATER
    run = standing(house).to_fire()[0].begin(LATER)  # And then it is killed.

    looks(house, LATER + timedelta(seconds=20))

    assert [one.run for one in told(house, "run.started")] == [run]
    assert [one.data["started"] for one in told(house, "schedule.fired")] == [run]


@pytest.mark.parametrize("away", ["retired", "out of the file"])
def test_what_came_while_a_file_had_no_such_schedule_was_not_missed(
    house: Working, away: str
) -> None:
    text = CHANGE + MADE_UP
    house.activate(text)
    looks(house, datetime(2026, 3, 3, 8, 0, tzinfo=UTC))
    house.clock.at = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    if away == "retired":
        catalog(house, "workflow.retired", text, reason="file_removed")
    else:
        house.activate(CHANGE)
    house.clock.at = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
    catalog(house, "workflow.activated", text, replaces=None, level="trial", **ANSWERING)
    house.shelf.put(text)
    looks(house, datetime(2026, 3, 12, 9, 1, tzinfo=UTC))

    assert told(house, "schedule.missed") == []
    assert len(dues(house)) == 1

    house.activate(text.replace("Change the number", "Change it"))  # It stands in that one, too.
    looks(house, datetime(2026, 3, 14, 9, 0, tzinfo=UTC))

    assert [one.data["n"] for one in told(house, "schedule.missed")] == [2]
    assert dues(house)[1:] == ["2026-03-14T09:00:00+01:00 Europe/Berlin"]


def test_a_version_that_only_a_newer_release_can_read_holds_up_no_schedule(house: Working) -> None:
    text, newer = CHANGE + MADE_UP, CHANGE.replace("Change the number", "Change it")
    house.activate(newer)
    house.activate(text)
    sets(house, DAILY, schedule="change-it/later")
    known = house.shelf.version

    def version(digest: str) -> Definition:
        found = known(digest)
        if found.title != "Change the number":
            raise UnreadableVersionError("A newer release wrote this version.")
        return found

    house.shelf.version = version  # type: ignore[method-assign]
    looks(house, datetime(2026, 3, 5, 8, 0, tzinfo=UTC))

    assert len({one.data["schedule"] for one in told(house, "schedule.fired")}) == 2
    assert [one.data["n"] for one in told(house, "schedule.missed")] == [2, 2]


def test_a_defect_in_one_schedule_holds_up_no_other(
    house: Working, caplog: pytest.LogCaptureFixture
) -> None:
    for one in (ID, "change-it/2"):
        sets(house, DAILY, schedule=one)
    first, second = standing(house).to_fire()

    def begin(due: datetime) -> RunId:
        raise ZeroDivisionError(due)

    at = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
    broken = replace(first, begin=begin)
    house.clock.at = at
    Timetable(house.store, lambda: [broken, second], born=NOON).fire_due(at)

    assert [one.data["source"] for one in told(house, "run.started")] == [second.name]
    assert "a schedule failed" in caplog.text
    looks(house, at)  # It stays due.
    assert len(told(house, "run.started")) == 2


def catalog(house: Working, kind: str, text: str, **data: Json) -> None:
    definition = load_definition(text)
    named: dict[str, Json] = {"workflow": definition.workflow, "version": definition.version}
    with house.store.begin() as unit:
        unit.append(Draft(kind=kind, actor=SYSTEM, data={**named, **data}))


def test_a_schedule_whose_workflow_was_retired_starts_nothing_and_is_told(house: Working) -> None:
    sets(house, Once(at=LATER))
    house.shelf.active = _retired  # type: ignore[method-assign]
    gone = replace(standing(house), definitions=list)

    house.clock.at = LATER
    Timetable(house.store, gone.to_fire, born=NOON).fire_due(LATER)

    assert told(house, "run.started") == []
    assert "could not start: its workflow was retired" in notices(house)["C1"]
    assert live_schedules(house.store.database) == []


def test_a_schedule_whose_workflow_cannot_be_read_here_can_be_paused(house: Working) -> None:
    sets(house, DAILY)

    def active(name: str) -> Definition:
        raise UnreadableVersionError(f"{name} was published by a newer release.")

    house.shelf.active = active  # type: ignore[method-assign]
    changes(house, "paused")

    assert [one.state for one in live_schedules(house.store.database)] == [ScheduleState.PAUSED]


def _retired(name: str) -> Definition:
    raise UnknownWorkflowError(f"There is no workflow {name}.")


def test_a_moment_twice_in_the_autumn_night_fires_once(house: Working) -> None:
    house.clock.at = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    sets(house, Trigger(cron="30 2 * * *", timezone="Europe/Berlin", overlap=Overlap.QUEUE))
    table = replica(house)

    for minutes in range(0, 20 * 60, 15):
        looks(house, datetime(2026, 10, 24, 12, 0, tzinfo=UTC) + timedelta(minutes=minutes), table)

    assert dues(house) == ["2026-10-25T02:30:00+02:00 Europe/Berlin"]


@pytest.mark.parametrize("off", [0, 3, -3])
def test_the_clock_wakes_for_a_schedule_that_is_set_while_it_sleeps(
    database: Database, tmp_path: Path, off: int
) -> None:
    looked: list[datetime] = []

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(days=off)  # A server's, beside a wrong machine.

    house = Working(begun(database, tmp_path, now), now)  # type: ignore[arg-type]
    table = replica(house)
    alarm = AlarmClock(
        house.store,
        house.engine.handle_due,
        table,
        now=now,
        backstop=timedelta(minutes=5),  # Longer than this waits for it to be told.
    )
    house.store.on_due(alarm.due_at)
    fire_due = table.fire_due
    table.fire_due = lambda at: (looked.append(at), fire_due(at))[1]  # type: ignore[method-assign]
    alarm.start()
    try:
        ends = time.monotonic() + 60
        sets(house, Once(at=(now() + timedelta(seconds=2)).replace(microsecond=0)))
        while not told(house, "schedule.fired") and time.monotonic() < ends:
            time.sleep(0.05)
    finally:
        alarm.stop()

    assert len(told(house, "run.started")) == 1
    assert len(looked) < 20
