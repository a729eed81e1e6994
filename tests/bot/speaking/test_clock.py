"""Schedules and due work: once each, however many look; missed ones told; nothing spins."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import NEVER, Clock
from bot.timetable import Schedule, Timetable
from storage.history import read_entries
from storage.request_ends import SetBack
from storage.store import SqlStore
from tests.bot.speaking.office import BOTH, VERSION, HandClock
from workflows.entry import Actor, ActorKind, Draft, Entry, Part, RunId
from workflows.errors import InputsError
from workflows.store import Due, DueKind, NewRun
from workflows.triggers import Missed, Overlap, Trigger

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # Nine o'clock in Berlin.


@dataclass
class Bench:
    """A store, a schedule at nine in Berlin, and the runs that it started."""

    store: SqlStore
    clock: HandClock
    begun: list[datetime] = field(default_factory=list)

    def schedule(
        self,
        *,
        missed: Missed = Missed.SKIP,
        overlap: Overlap = Overlap.SKIP,
        cron: str = "0 9 * * *",
    ) -> Schedule:
        return Schedule(
            name="nightly-check/1a2b3c4d",
            workflow="nightly-check",
            title="Nightly check",
            trigger=Trigger(cron=cron, timezone="Europe/Berlin", missed=missed, overlap=overlap),
            begin=self.begin,
            channel="ops",
        )

    def timetable(self, schedule: Schedule) -> Timetable:
        return Timetable(self.store, lambda: [schedule], born=MONDAY - timedelta(hours=1))

    def begin(self, due: datetime) -> RunId:
        """Start a run under a key, as the engine does."""
        self.begun.append(due)
        key = due.isoformat()
        with self.store.begin() as unit:
            earlier = unit.run_started_as(key)
            if earlier is not None:
                return earlier
            run = RunId(f"r{due:%d%H%M}")
            unit.add_run(
                NewRun(
                    id=run, workflow="nightly-check", version=VERSION, channel="ops", start_key=key
                )
            )
            unit.append(_fact("run.started", run, trigger="schedule"))
            return run

    def finish(self, run: str) -> None:
        with self.store.begin() as unit:
            unit.lock_run(RunId(run))
            unit.append(
                Draft(
                    kind="run.finished",
                    actor=Actor(kind=ActorKind.SYSTEM, ref="interlock"),
                    data={"outcome": "done"},
                    run=RunId(run),
                )
            )

    def told(self, *kinds: str) -> list[Entry]:
        with self.store.database.read() as connection:
            return [one for one in read_entries(connection, 0, 1_000) if one.kind in kinds]

    def started(self) -> list[object]:
        return [one.data["started"] for one in self.told("schedule.fired")]

    def notices(self) -> list[str]:
        rows = self.store.outbox.claim_messages(by="test", limit=50)
        return [str(row.body["text"]) for row in rows if isinstance(row.body, dict)]


def _fact(kind: str, run: RunId, **data: str) -> Draft:
    return Draft(
        kind=kind,
        actor=Actor(kind=ActorKind.SCHEDULE, ref="test"),
        data={"workflow": "nightly-check", "version": VERSION, **data},
        parts={"input": Part(value=b"{}")},
        run=run,
    )


@pytest.fixture
def bench(store: SqlStore, clock: HandClock) -> Bench:
    clock.at = MONDAY - timedelta(minutes=5)
    return Bench(store, clock)


def test_a_schedule_fires_at_its_time_and_once(bench: Bench) -> None:
    timetable = bench.timetable(bench.schedule())

    assert timetable.fire_due(MONDAY - timedelta(seconds=1)) == MONDAY
    timetable.fire_due(MONDAY)
    timetable.fire_due(MONDAY + timedelta(seconds=15))

    (entry,) = bench.told("schedule.fired")
    assert entry.data["due"] == "2026-03-02T09:00:00+01:00 Europe/Berlin"
    assert entry.data["started"] == "r020800"


@BOTH
def test_two_replicas_fire_once(bench: Bench) -> None:
    one, other = (bench.timetable(bench.schedule()) for _ in range(2))

    one.fire_due(MONDAY)
    other.fire_due(MONDAY)

    assert len(bench.told("schedule.fired")) == 1
    assert len(bench.told("run.started")) == 1


def test_a_process_that_died_after_the_start_starts_no_second_run(bench: Bench) -> None:
    bench.begin(MONDAY)

    bench.timetable(bench.schedule()).fire_due(MONDAY + timedelta(seconds=20))

    assert bench.started() == ["r020800"]
    assert len(bench.told("run.started")) == 1


@BOTH
@pytest.mark.parametrize(
    ("rule", "started"),
    [
        (Missed.SKIP, []),
        (Missed.RUN_ONCE, ["r040800"]),
        (Missed.RUN_ALL, ["r020800", "r030800", "r040800"]),
    ],
)
def test_missed_firings_are_told_and_made_up_for(
    bench: Bench, rule: Missed, started: list[str]
) -> None:
    late = MONDAY + timedelta(days=2, hours=3)

    for _ in range(2):
        bench.timetable(bench.schedule(missed=rule)).fire_due(late)

    (gap,) = bench.told("schedule.missed")
    assert gap.data["n"] == 3
    assert gap.data["rule"] == rule.value
    assert bench.started() == started
    assert "missed 3 times" in bench.notices()[0]


@BOTH
def test_a_firing_during_a_run_is_skipped_and_told_once(bench: Bench) -> None:
    timetable = bench.timetable(bench.schedule())
    for days in range(3):
        timetable.fire_due(MONDAY + timedelta(days=days))
    bench.finish("r020800")
    for days in (3, 4):
        timetable.fire_due(MONDAY + timedelta(days=days))
    notices = bench.notices()

    assert bench.started() == ["r020800", None, None, "r050800", None]
    assert ["was due at Tue 3 Mar 2026" in notices[0], "Fri 6 Mar 2026" in notices[1]] == [True] * 2
    assert all("its last run still goes on" in one for one in notices)
    assert len(notices) == 2


@BOTH
def test_a_firing_that_queues_waits_for_the_run_and_was_not_missed(bench: Bench) -> None:
    timetable = bench.timetable(bench.schedule(overlap=Overlap.QUEUE))
    timetable.fire_due(MONDAY)
    for days in (1, 2):
        timetable.fire_due(MONDAY + timedelta(days=days))
    bench.clock.at = MONDAY + timedelta(days=2, hours=1)
    bench.finish("r020800")

    timetable.fire_due(bench.clock.at)
    assert bench.started() == ["r020800", "r030800"]
    bench.clock.forward(minutes=5)
    bench.finish("r030800")
    timetable.fire_due(bench.clock.at)

    assert bench.started() == ["r020800", "r030800", "r040800"]
    assert bench.told("schedule.missed") == []


def test_what_is_made_up_for_in_turn_is_told_once_and_none_of_it_is_lost(bench: Bench) -> None:
    schedule = bench.schedule(missed=Missed.RUN_ALL, overlap=Overlap.QUEUE)
    bench.clock.at = MONDAY + timedelta(days=2, hours=3)
    for run in ("r020800", "r030800", "r040800"):
        bench.timetable(schedule).fire_due(bench.clock.at)
        assert bench.started()[-1] == run
        bench.clock.forward(minutes=5)
        bench.finish(run)

    assert len(bench.started()) == 3
    # What waits for the run in front of it was not missed.
    assert [one.data["n"] for one in bench.told("schedule.missed")] == [1]
    (notice,) = bench.notices()
    assert "missed 3 times, first at Mon 2 Mar 2026" in notice
    assert "CET (Europe/Berlin); they are made up for" in notice


def test_a_start_that_is_refused_is_told_once(bench: Bench) -> None:
    def refuse(_: datetime) -> RunId:
        raise InputsError({"order": "is missing"})

    schedule = bench.schedule()
    refusing = Schedule(
        name=schedule.name,
        workflow=schedule.workflow,
        title=schedule.title,
        trigger=schedule.trigger,
        begin=refuse,
        channel="ops",
    )
    timetable = bench.timetable(refusing)

    timetable.fire_due(MONDAY)
    timetable.fire_due(MONDAY + timedelta(seconds=30))

    assert bench.started() == [None]
    assert "could not start: order: is missing" in bench.notices()[0]


# --- due work -----------------------------------------------------------------------------------


@dataclass
class Handler:
    """Takes due-rows as the engine does; `broken` names one that it cannot."""

    store: SqlStore
    broken: str = ""
    handled: list[str] = field(default_factory=list)
    tries: int = 0

    def __call__(self, due: Due) -> None:
        self.tries += 1
        if due.key == self.broken:
            raise RuntimeError(due.key)
        with self.store.begin() as unit:
            if unit.take_due(due):
                self.handled.append(due.key)


def set_due(bench: Bench, key: str, at: datetime) -> None:
    with bench.store.begin() as unit:
        unit.set_due(Due(kind=DueKind.WAKE, key=key, run=RunId("r020800"), at=at))


def an_alarm(
    bench: Bench, handler: Handler, now: Callable[[], datetime], *, backstop: float = 15
) -> Clock:
    nothing = Timetable(bench.store, list, born=now())
    made = Clock(bench.store, handler, nothing, now=now, backstop=timedelta(seconds=backstop))
    bench.store.on_due(made.due_at)
    return made


def wait_until(holds: Callable[[], bool], *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_what_is_due_is_handled_and_what_is_not_waits(bench: Bench) -> None:
    bench.begin(MONDAY)
    handler = Handler(bench.store)
    alarm = an_alarm(bench, handler, bench.clock)
    set_due(bench, "now", bench.clock.at)
    set_due(bench, "later", bench.clock.at + timedelta(seconds=1))

    alarm.look()
    assert handler.handled == ["now"]

    bench.clock.forward(seconds=1)
    alarm.look()
    assert handler.handled == ["now", "later"]


def test_a_clock_that_was_set_back_has_reminders_find_their_moment_anew(bench: Bench) -> None:
    bench.begin(MONDAY)
    later = bench.clock.at + timedelta(days=1)
    seen: list[Due] = []
    backs: list[SetBack] = []
    alarm = Clock(
        bench.store,
        seen.append,
        Timetable(bench.store, list, born=later),
        now=bench.clock,
        end_in_time=backs.append,
    )
    ahead = bench.clock.at + timedelta(days=2)
    chase = Due(kind=DueKind.CHASE, key="r020800", run=RunId("r020800"), at=ahead)
    set_due(bench, "r020800", later)
    with bench.store.begin() as unit:
        unit.set_due(chase)
    looks = []
    # Whoever begins to look cannot know; seconds are those of a clock that is kept right.
    for seconds in (0, 60, -30, -5 * 24 * 3600, 60):
        bench.clock.forward(seconds=seconds)
        seen.clear()
        alarm.look()
        looks.append([*seen])

    assert looks == [[chase], [], [], [chase], []]
    first, jump = backs
    assert (first.by, first.since) == (timedelta(0), None)
    assert timedelta(0) <= jump.by - timedelta(days=5) < timedelta(minutes=1)
    assert (jump.since or NEVER) <= jump.now


def test_a_defect_with_one_row_does_not_keep_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.begin(MONDAY)
    handler = Handler(bench.store, broken="bad")
    for key in ("a", "bad", "b"):
        set_due(bench, key, bench.clock.at)

    an_alarm(bench, handler, bench.clock).look()

    assert handler.handled == ["a", "b"]
    assert "due work failed" in caplog.text


@BOTH
def test_the_clock_wakes_for_what_is_stored_while_it_sleeps(bench: Bench) -> None:
    bench.begin(MONDAY)
    handler = Handler(bench.store)
    # Without being told it would look again only after five minutes.
    alarm = an_alarm(bench, handler, lambda: datetime.now(UTC), backstop=300)
    alarm.start()
    try:
        before = datetime.now(UTC)
        set_due(bench, "soon", before + timedelta(seconds=0.3))
        wait_until(lambda: handler.handled == ["soon"])
        took = datetime.now(UTC) - before
    finally:
        alarm.stop()

    assert took >= timedelta(seconds=0.3)


def test_what_a_dead_replica_knew_is_found_at_the_next_regular_look(bench: Bench) -> None:
    bench.begin(MONDAY)
    handler = Handler(bench.store)
    alarm = an_alarm(bench, handler, lambda: datetime.now(UTC), backstop=0.3)
    bench.store.on_due(lambda _: None)  # As if another process had stored it.
    alarm.start()
    try:
        wait_until(lambda: alarm._wakes_at == NEVER)  # noqa: SLF001 - asleep.
        set_due(bench, "foreign", datetime.now(UTC))
        wait_until(lambda: handler.handled == ["foreign"])
    finally:
        alarm.stop()


def test_deliveries_are_forgotten_two_days_after_they_came(bench: Bench) -> None:
    now, asked = datetime.now(UTC), list[datetime]()
    timetable = bench.timetable(bench.schedule())
    alarm = Clock(bench.store, lambda _due: None, timetable, now=lambda: now, forget=asked.append)
    alarm.start()
    try:
        wait_until(lambda: bool(asked))
    finally:
        alarm.stop()

    assert asked == [now - timedelta(hours=48)]


def test_a_row_that_cannot_be_handled_does_not_make_the_clock_spin(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.begin(MONDAY)
    handler = Handler(bench.store, broken="bad")
    set_due(bench, "bad", datetime.now(UTC))
    alarm = an_alarm(bench, handler, lambda: datetime.now(UTC))

    alarm.start()
    wait_until(lambda: handler.tries > 0)
    time.sleep(0.5)  # It would try many times.
    alarm.stop()

    assert handler.tries <= 2
    assert "due work failed" in caplog.text
