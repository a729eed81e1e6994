"""All schedules there are, those of definitions and those people set, and how each starts a run.

Which moments are due is for `timetable`; setting and changing them for `workflows.scheduling`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.firings import schedule_name
from bot.library import Library
from bot.timetable import Schedule
from storage.catalog_history import versions_had
from storage.listing import people_of
from storage.schedules import live_schedules, schedule_inputs
from storage.store import SqlStore
from workflows.definition import Definition
from workflows.engine import Engine
from workflows.entry import Actor, ActorKind, Json, RunId
from workflows.errors import (
    InputsError,
    NotAllowedError,
    PeopleUnreadableError,
    UnknownWorkflowError,
    UnreadableVersionError,
)
from workflows.orders import Start
from workflows.people import CLICK_AGE, People, PersonId
from workflows.schedule import ScheduleRow, ScheduleState
from workflows.triggers import Missed, Once, Trigger, When

MOST_TOLD = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSchedule:
    """A schedule and what it starts. `definition` is None once its workflow was retired.

    Without a `row` that says who set it, it stands in the definition.
    """

    id: str
    workflow: str
    when: When
    definition: Definition | None
    row: ScheduleRow | None = None
    inputs: Mapping[str, Json] | None = None  # None: in the entry that set it.

    @property
    def is_definitions(self) -> bool:
        """Whether it stands in a workflow's file."""
        return self.inputs is not None

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused it."""
        return self.row is not None and self.row.state is ScheduleState.PAUSED

    @property
    def title(self) -> str:
        """Return what people call the workflow."""
        return self.definition.title if self.definition is not None else self.workflow


def known_schedules(
    definitions: Iterable[Definition], rows: Iterable[ScheduleRow]
) -> list[KnownSchedule]:
    """Return every schedule that has not ended: the files' first, then those people set."""
    active = {one.workflow: one for one in definitions}
    stored = {one.id: one for one in rows}
    of_files = [
        _of_file(definition, trigger, stored)
        for definition in active.values()
        for trigger in definition.schedules
    ]
    set_ones = [
        KnownSchedule(
            id=row.id,
            workflow=row.workflow,
            when=row.when,
            definition=active.get(row.workflow),
            row=row,
        )
        for row in stored.values()
        if row.when is not None
    ]
    return [*of_files, *set_ones]


def _of_file(
    definition: Definition, trigger: Trigger, stored: Mapping[str, ScheduleRow]
) -> KnownSchedule:
    name = schedule_name(definition.workflow, trigger)
    return KnownSchedule(
        id=name,
        workflow=definition.workflow,
        when=trigger,
        definition=definition,
        row=stored.get(name),
        inputs=trigger.inputs,
    )


def _since(known: KnownSchedule) -> datetime | None:
    """Return since when its moments are its own: it was set, or goes on, since then."""
    row, when = known.row, known.when
    if row is None:
        return None
    if isinstance(when, Once):
        # Its moment was still to come then; it may have come before that was recorded.
        return min(row.changed_at, when.at - timedelta(milliseconds=1))
    return row.changed_at


def rule_for(library: Library, definition: Definition) -> Missed:
    """Return what becomes of moments of a set schedule at which nobody served.

    What cannot be undone is never made up for at an hour that nobody chose.
    """
    return Missed.SKIP if library.is_destructive(definition) else Missed.RUN_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Reads the schedules for the clock. `channel` is for those without their own."""

    store: SqlStore
    engine: Engine
    people: People
    definitions: Callable[[], Sequence[Definition]]
    version: Callable[[str], Definition]
    is_destructive: Callable[[Definition], bool]
    channel: str

    def known(self) -> list[KnownSchedule]:
        """Return every schedule that has not ended."""
        return known_schedules(self.definitions(), live_schedules(self.store.database))

    def to_fire(self) -> list[Schedule]:
        """Return those that fire: all but the paused."""
        return [self._schedule(one) for one in self.known() if not one.is_paused]

    def _schedule(self, known: KnownSchedule) -> Schedule:
        begin = self._begin_file if known.is_definitions else self._begin_set
        return Schedule(
            name=known.id,
            workflow=known.workflow,
            title=known.title,
            trigger=self._when(known),
            begin=partial(begin, known),
            channel=self._channel_of(known),
            since=_since(known),
            owners=partial(self._owners, known),
            stands_since=partial(self._stands_since, known),
        )

    def _when(self, known: KnownSchedule) -> When:
        """Return its times, and the rule for those missed by what the workflow does now.

        Whoever set it was told the rule of the version that they saw.
        """
        when = known.when
        if known.is_definitions or known.definition is None or when.missed is Missed.SKIP:
            return when
        if not self.is_destructive(known.definition):
            return when
        if isinstance(when, Once):
            return replace(when, missed=Missed.SKIP)
        return when.model_copy(update={"missed": Missed.SKIP})

    def _stands_since(self, known: KnownSchedule) -> datetime | None:
        """Return since when a file's schedule has stood in it without a break.

        What lies before was not missed: it was taken out of the file then, or the workflow was
        retired.
        """
        since = None
        if known.is_definitions:
            for at, version in versions_had(self.store.database, known.workflow):
                if version is None or not self._is_in(version, known.id):
                    break
                since = at
        return since

    def _is_in(self, version: str, schedule: str) -> bool:
        try:
            definition = self.version(version)
        except (UnknownWorkflowError, UnreadableVersionError):
            return False  # Of what only a newer release can read nobody says what it missed.
        named = (schedule_name(definition.workflow, one) for one in definition.schedules)
        return schedule in named

    def _channel_of(self, known: KnownSchedule) -> str:
        own = known.definition.channel if known.definition is not None else None
        asked = known.row.channel if known.row is not None else None
        return own or asked or self.channel

    def _begin_file(self, known: KnownSchedule, due: datetime) -> RunId | None:
        actor = Actor(kind=ActorKind.SCHEDULE, ref=known.id)
        return self._start(known, due, known.inputs or {}, actor=actor)

    def _begin_set(self, known: KnownSchedule, due: datetime) -> RunId | None:
        """Start a run in the name of whoever set the schedule, if they still may."""
        inputs = None if known.row is None else schedule_inputs(self.store.database, known.row)
        if known.row is None or known.row.set_by is None or inputs is None:
            raise InputsError({"values": "they were erased"}, hint="Set the schedule once more.")
        person = self.store.person(known.row.set_by)
        if person is None:
            raise NotAllowedError("Whoever set it was erased.", hint="Set the schedule once more.")
        try:
            return self._start(known, due, inputs, person=person)
        except NotAllowedError as error:
            name = people_of(self.store.database, [known.row.set_by])[known.row.set_by][1]
            raise NotAllowedError(
                f"{name or 'whoever'}, who set it, may not run {known.workflow} now.",
                hint="Somebody who may can set it anew; delete this one.",
            ) from error

    def _start(
        self,
        known: KnownSchedule,
        due: datetime,
        inputs: Mapping[str, Json],
        *,
        person: PersonId | None = None,
        actor: Actor | None = None,
    ) -> RunId:
        order = Start(
            workflow=known.workflow,
            inputs=inputs,
            trigger="schedule",
            person=person,
            actor=actor,
            key=f"{known.id}@{due.isoformat()}",
            channel=self._channel_of(known),
            source=known.id,
        )
        return self.engine.start(order).run

    def _owners(self, known: KnownSchedule) -> Sequence[PersonId]:
        """Return who answers for the workflow, as far as Slack can write to them."""
        if known.definition is None:
            return ()
        try:
            found = self.people.members(known.definition.owner, max_age=CLICK_AGE)
        except PeopleUnreadableError:
            log.warning("an owner could not be read", extra={"workflow": known.workflow})
            return ()
        return [one for one in sorted(found) if one.startswith("slack:")][:MOST_TOLD]
