"""Fires schedules: each moment once, however many replicas look, and tells what was missed.

A run is started under a key that names the moment, then the moment is taken in one unit with
its entry. A process that dies in between starts the same run again, which is the same run.
"""

import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bot.firings import MOST_CAUGHT_UP, Gap, Plan, next_firing, plan, wall_time
from bot.local_time import told
from bot.wording import bold, escape, plural
from storage.firings import Fired, active_since, fired
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import Actor, ActorKind, Draft, Json, RunId
from workflows.errors import (
    InputsUnreadableError,
    InterlockError,
    PeopleUnreadableError,
    ScheduleClosedError,
    StorageError,
    UnknownWorkflowError,
)
from workflows.people import PersonId
from workflows.starting import admit_schedule
from workflows.store import Message, Subject
from workflows.triggers import Missed, Overlap, Trigger, When

log = logging.getLogger(__name__)

Begin = Callable[[datetime], "RunId | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Something that happens at certain times. `begin` may safely be called twice for one."""

    name: str
    workflow: str
    title: str
    trigger: When
    begin: Begin
    channel: str = ""  # Where people are told what was missed.
    since: datetime | None = None  # It was set or resumed then; what came before is not its own.
    owners: Callable[[], Sequence[PersonId]] = tuple  # Who is told, too, when it cannot start.
    stands_since: Callable[[], datetime | None] = lambda: None  # The same for one of a file.
    makes_up: bool = False  # What the database held back is done once, whatever its trigger says.


def minute_of(log_id: str) -> int:
    """Return the minute at which a log looks at itself: hosts hold many, and not all at once."""
    return zlib.crc32(log_id.encode()) % 60


class Timetable:
    """The schedules of this moment. `born` counts for those that have no earlier beginning."""

    def __init__(
        self, store: SqlStore, schedules: Callable[[], Sequence[Schedule]], *, born: datetime
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._born = born
        self._coming: dict[str, datetime] = {}
        self._looked_at = born
        self._held: set[str] = set()  # Those that the database keeps from firing.
        self._is_away = False

    def fire_due(self, now: datetime) -> datetime | None:
        """Fire what is due at `now`; return the next moment for which to wake up."""
        schedules = self._schedules()
        if now < self._looked_at:
            self._coming.clear()  # The clock was put back: what comes next is nearer again.
        self._looked_at = now
        if self._is_away:
            self._held.update(one.name for one in schedules)
            self._is_away = False
        for one in schedules:
            if self._coming.get(one.name, now) <= now:
                self._look_at(one, now)
        names = {one.name for one in schedules}
        self._coming = {name: at for name, at in self._coming.items() if name in names}
        return min((at for at in self._coming.values() if at > now), default=None)

    def note_outage(self) -> None:
        """Know that nothing could fire at this look, since the database is away or full."""
        self._is_away = True

    def _look_at(self, schedule: Schedule, now: datetime) -> None:
        try:
            is_held = self._handle(schedule, now)
        except StorageError:
            self._held.add(schedule.name)
            waits = {"schedule": schedule.name}
            log.warning("a schedule waits for the database", extra=waits, exc_info=True)
            is_held = True
        except (PeopleUnreadableError, InputsUnreadableError):
            # Asked again at the next look; after a minute the moment counts as missed.
            log.warning("a schedule waits for Slack", extra={"schedule": schedule.name})
            is_held = True
        except ScheduleClosedError:
            # Others before it took their time. What comes due from the pause on is not made up for.
            log.info("a schedule was paused or ended meanwhile", extra={"schedule": schedule.name})
            is_held = False
        except Exception:
            # It stays due, and is tried again at the next look; the others fire meanwhile.
            log.exception("a schedule failed", extra={"schedule": schedule.name})
            is_held = True
        else:
            self._held.discard(schedule.name)
        coming = now if is_held else next_firing(schedule.trigger, after=now)
        if coming is not None:
            self._coming[schedule.name] = coming

    def _handle(self, schedule: Schedule, now: datetime) -> bool:
        """Do what is due; True if something is held back until the present run has ended."""
        stands = fired(self._store.database, schedule.name, until=now)
        queues = schedule.trigger.overlap is Overlap.QUEUE
        if queues and stands.is_running:
            return True
        planned = partial(
            plan,
            self._trigger_of(schedule),
            now=now,
            held_until=stands.finished_at if queues else None,
        )
        since = self._since(schedule, stands)
        todo = planned(since=since)
        if todo.gap is not None and (stood := schedule.stands_since()) is not None:
            todo = planned(since=max(since, stood))
        is_skipped = stands.is_running and schedule.trigger.overlap is Overlap.SKIP
        start = todo.start[:1] if queues else todo.start
        self._carry_out(schedule, todo, start, is_skipped=is_skipped, is_first=stands.has_run)
        return len(start) < len(todo.start)

    def _trigger_of(self, schedule: Schedule) -> When:
        trigger = schedule.trigger
        if schedule.makes_up and schedule.name in self._held and isinstance(trigger, Trigger):
            return trigger.model_copy(update={"missed": Missed.RUN_ONCE})
        return trigger

    def _since(self, schedule: Schedule, stands: Fired) -> datetime:
        known = [one for one in (stands.last, schedule.since) if one is not None]
        if known:
            return max(known)
        return active_since(self._store.database).get(schedule.workflow, self._born)

    def _carry_out(
        self,
        schedule: Schedule,
        todo: Plan,
        start: Sequence[datetime],
        *,
        is_skipped: bool,
        is_first: bool,
    ) -> None:
        gap = todo.gap
        taken = None if gap is None else _taken_now(gap, todo.start, start)
        if gap is not None and taken is not None and taken.last not in start:
            with self._store.begin() as unit:
                admit_schedule(unit, schedule.name)
                if unit.take_firing(schedule.name, taken.last):
                    _tell_of_gap(unit, schedule, gap, taken)
        for due in start:
            run = None if is_skipped else self._begin(schedule, due)
            with self._store.begin() as unit:
                if not unit.take_firing(schedule.name, due):
                    continue  # Another replica was first; the run is the same one.
                if gap is not None and taken is not None and taken.last == due:
                    _tell_of_gap(unit, schedule, gap, taken)
                unit.append(_fired(schedule, due, run))
                if is_skipped and is_first and due == start[0]:
                    _tell_of_skipping(unit, schedule, due)

    def _begin(self, schedule: Schedule, due: datetime) -> RunId | None:
        try:
            return schedule.begin(due)
        except (
            StorageError,
            PeopleUnreadableError,
            InputsUnreadableError,
            ScheduleClosedError,
        ):
            raise
        except InterlockError as error:
            # The moment is used up: the same start would be refused again, and again.
            log.warning("a schedule could not start", extra={"schedule": schedule.name})
            self._tell(schedule, due, f"could not start: {escape(_why(error), 500)}")
            return None

    def _tell(self, schedule: Schedule, due: datetime, words: str) -> None:
        key = f"refused/{schedule.name}/{due.isoformat()}"
        owners = schedule.owners()  # Slack is asked before the unit.
        with self._store.begin() as unit:
            _notify(unit, schedule, key=key, words=words)
            for person in owners:
                # By pseudonym: what cannot be told is noted in the log, which names nobody.
                named = f"{key}/{unit.ref(person)}"
                _notify(unit, schedule, key=named, words=words, to=person)


def _why(error: InterlockError) -> str:
    if isinstance(error, UnknownWorkflowError):  # A name that is near would help nobody here.
        return "its workflow was retired. Whoever set it, or a governor, can delete it in the list."
    return str(error)


def _fired(schedule: Schedule, due: datetime, run: RunId | None) -> Draft:
    data: dict[str, Json] = {
        "schedule": schedule.name,
        "workflow": schedule.workflow,
        "due": wall_time(due, schedule.trigger.timezone),
        "started": run,
    }
    return Draft(kind="schedule.fired", actor=_actor(schedule), data=data)


def _taken_now(gap: Gap, coming: Sequence[datetime], start: Sequence[datetime]) -> Gap:
    """Return how far a gap is over now: to its end, or to the first of those that go in turn.

    Of moments that are made up for one after the other the last one, taken at once, would stand
    for all before it. Those behind the first are not missed: the run in front holds them back.
    """
    made_up = [one for one in coming if gap.first <= one <= gap.last]
    if gap.last in start or not {*made_up}.intersection(start):
        return gap
    return replace(gap, last=start[0], count=gap.count - len(made_up) + 1)


def _tell_of_gap(unit: SqlUnit, schedule: Schedule, gap: Gap, taken: Gap) -> None:
    """Record what of a gap is taken, and tell people of the whole of it."""
    zone = schedule.trigger.timezone
    data: dict[str, Json] = {
        "schedule": schedule.name,
        "workflow": schedule.workflow,
        "due_first": wall_time(taken.first, zone),
        "due_last": wall_time(taken.last, zone),
        "n": taken.count,
        "rule": taken.rule.value,
    }
    unit.append(Draft(kind="schedule.missed", actor=_actor(schedule), data=data))
    made_up = {
        Missed.SKIP: ("it is skipped", "they are skipped"),
        Missed.RUN_ONCE: ("a run makes up for it", "one run makes up for them"),
        Missed.RUN_ALL: ("a run makes up for it", _all_made_up(gap.count)),
    }[gap.rule][gap.count > 1]
    first = escape(told(gap.first, zone).local, 80)
    at = f"first at {first}" if gap.count > 1 else f"at {first}"
    words = f"missed {plural(gap.count, 'time')}, {at}; {made_up}."
    _notify(unit, schedule, key=f"missed/{schedule.name}/{gap.last.isoformat()}", words=words)


def _tell_of_skipping(unit: SqlUnit, schedule: Schedule, due: datetime) -> None:
    """Tell people of the first moment that a run holds back: the log alone has those after it."""
    at = escape(told(due, schedule.trigger.timezone).local, 80)
    words = (
        f"was due at {at} and skipped: its last run still goes on. It starts no other until that"
        " one has ended."
    )
    _notify(unit, schedule, key=f"skipped/{schedule.name}/{due.isoformat()}", words=words)


def _all_made_up(count: int) -> str:
    is_cut = count > MOST_CAUGHT_UP
    return f"the newest {MOST_CAUGHT_UP} are made up for" if is_cut else "they are made up for"


def _notify(unit: SqlUnit, schedule: Schedule, *, key: str, words: str, to: str = "") -> None:
    channel = to or schedule.channel
    if channel:
        text = f"🕓 The schedule of {bold(schedule.title, 150)} {words}"
        unit.send(Message(subject=Subject.NOTICE, key=key, channel=channel, body={"text": text}))


def _actor(schedule: Schedule) -> Actor:
    return Actor(kind=ActorKind.SCHEDULE, ref=schedule.name)
