"""Schedules that people set, pause, resume and delete: who may, and what is recorded of it.

When a schedule fires is counted by `bot/timetable`; which words mean which times is for the
bot too. Whoever sets one is the requester of its runs, and is judged again each time it fires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.binding import json_bytes
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Json, Part
from workflows.errors import (
    NotAllowedError,
    ScheduleClosedError,
    UnclearTimeError,
    UnknownWorkflowError,
    UnreadableVersionError,
)
from workflows.house import House
from workflows.moments import stamp
from workflows.orders import Start
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.schedule import ScheduleRow, ScheduleState
from workflows.starting import LOCAL, Checked, check_start
from workflows.store import Unit
from workflows.triggers import Once, When

FARTHEST = timedelta(days=400)

_KINDS = {
    ScheduleState.PAUSED: "schedule.paused",
    ScheduleState.ACTIVE: "schedule.resumed",
    ScheduleState.DELETED: "schedule.deleted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule that somebody wants set. The same `id` twice is one schedule.

    `version` is the definition they saw; `message` is what they typed.
    """

    id: str
    workflow: str
    inputs: Mapping[str, object]
    when: When
    person: PersonId
    version: str | None = None
    channel: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChange:
    """What somebody wants of a schedule: that it rests, goes on, or is gone.

    `is_definitions` says that it stands in the file of `workflow`.
    """

    id: str
    workflow: str
    to: ScheduleState
    person: PersonId
    is_definitions: bool = False


def check_schedule(house: House, new: NewSchedule) -> Checked:
    """Return what setting `new` would set, and record nothing.

    Raises:
        UnknownWorkflowError, InputsError, NotAllowedError, SecretError, PeopleUnreadableError:
            as when a run is started.
        ScheduleClosedError: the workflow has changed since they saw it.
        UnclearTimeError: its moment has passed, or is too far away.
    """
    order = Start(
        workflow=new.workflow,
        inputs=new.inputs,
        trigger="schedule",
        person=new.person,
        message=new.message,
    )
    _refuse_changed(new, house.definitions.active(new.workflow))  # Its values may not fit any more.
    checked = check_start(house, order)
    _refuse_changed(new, checked.definition)
    _refuse_unreachable(new.when, house.now())
    return checked


def set_schedule(house: House, new: NewSchedule) -> bool:
    """Record a schedule; False if it was set already, so a double click is harmless.

    Raises:
        InterlockError: as `check_schedule`; nothing was set.
        StorageError: nothing was recorded.
    """
    checked = check_schedule(house, new)
    with house.store.begin() as unit:
        if unit.hold_schedule(new.id) is not None:
            return False
        _refuse_unreachable(new.when, unit.now)
        unit.append(_set(house, unit, new, checked))
        unit.wake_at(unit.now)
    return True


def change_schedule(house: House, change: ScheduleChange) -> bool:
    """Pause, resume or delete a schedule; False if it stands so already.

    Raises:
        NotAllowedError: neither whoever set it, nor owner or deputy of the workflow; of one that
            was retired nor a governor.
        ScheduleClosedError: it has ended, or its moment has passed.
        PeopleUnreadableError, StorageError: nothing was changed.
    """
    person = house.people.person(change.person)
    responsible = _responsible(house, change)
    with house.store.begin() as unit:
        row = unit.hold_schedule(change.id)
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(person.id, person.name))
        if not may_change(row, actor.ref, person, responsible):
            raise NotAllowedError(
                "This is for whoever set the schedule, and for owner and deputy of the workflow.",
                hint="The list of schedules names them.",
            )
        if not _is_news(row, change, unit.now):
            return False
        data: dict[str, Json] = {"schedule": change.id, "workflow": change.workflow}
        unit.append(Draft(kind=_KINDS[change.to], actor=actor, data=data))
        unit.wake_at(unit.now)
    return True


def may_change(
    row: ScheduleRow | None, ref: str | None, person: Person, responsible: frozenset[PersonId]
) -> bool:
    """Say whether a person may pause, resume or delete a schedule."""
    if row is not None and row.set_by is not None and row.set_by == ref:
        return True
    is_definitions = row is None or row.set_by is None
    if is_definitions and person.id.startswith(LOCAL):
        return True  # Whoever has this machine's account can change the file itself.
    return person.counts and person.id in responsible


def _is_news(row: ScheduleRow | None, change: ScheduleChange, now: datetime) -> bool:
    if row is None and not change.is_definitions:
        raise ScheduleClosedError(f"There is no schedule {change.id}.", hint="See the list.")
    if change.is_definitions and change.to is ScheduleState.DELETED:
        raise ScheduleClosedError(
            "This schedule stands in the workflow's file, so it cannot be deleted here.",
            hint="Pause it, or take it out of the file.",
        )
    state = ScheduleState.ACTIVE if row is None else row.state
    if state is change.to:
        return False
    if state.is_end:
        raise ScheduleClosedError("This schedule has ended.", hint="Set another one.")
    if row is not None and change.to is ScheduleState.ACTIVE:
        _refuse_to_resume(row.when, now)
    return True


def _refuse_to_resume(when: When | None, now: datetime) -> None:
    if isinstance(when, Once) and when.at <= now:
        raise ScheduleClosedError(
            "Its moment passed while it was paused.", hint="Delete it and set another one."
        )


def _refuse_changed(new: NewSchedule, definition: Definition) -> None:
    if new.version not in {None, definition.version}:
        raise ScheduleClosedError(
            "The workflow was changed meanwhile, so nothing was set.", hint="Set it once more."
        )


def _refuse_unreachable(when: When, now: datetime) -> None:
    if not isinstance(when, Once):
        return
    if when.at <= now:
        raise UnclearTimeError("This moment has passed.", hint="Set it once more, for a later one.")
    if when.at - now > FARTHEST:
        raise UnclearTimeError(
            f"This is more than {FARTHEST.days} days away.", hint="Set it when it comes nearer."
        )


def _responsible(house: House, change: ScheduleChange) -> frozenset[PersonId]:
    if change.person.startswith(LOCAL):
        return frozenset()  # In no group; what an account of this machine may is not read there.
    try:
        definition = house.definitions.active(change.workflow)
    except (UnknownWorkflowError, UnreadableVersionError):
        # Retired, or not to be read here: nothing starts. Whoever set it may clean up, and
        # governors once they are gone.
        named = [house.people.members(one, max_age=CLICK_AGE) for one in house.policy().governors]
        return frozenset[PersonId]().union(*named)
    return owners_of(house, definition)


def owners_of(house: House, definition: Definition) -> frozenset[PersonId]:
    """Return everybody who owns or deputises for a workflow."""
    owners = house.people.members(definition.owner, max_age=CLICK_AGE)
    return owners | house.people.members(definition.deputy, max_age=CLICK_AGE)


def _set(house: House, unit: Unit, new: NewSchedule, checked: Checked) -> Draft:
    when = new.when
    data: dict[str, Json] = {
        "schedule": new.id,
        "workflow": checked.definition.workflow,
        "version": checked.definition.version,
        "cron": None if isinstance(when, Once) else when.cron,
        "at": stamp(when.at) if isinstance(when, Once) else None,
        "timezone": when.timezone,
        "missed": when.missed.value,
        "overlap": when.overlap.value,
        "channel": checked.definition.channel or new.channel,
    }
    parts = {"input": Part(value=json_bytes(dict(checked.inputs)))}
    if new.message:
        parts["message"] = Part(value=house.redact(new.message).encode())
    return Draft(kind="schedule.set", actor=_actor(unit, checked.person), data=data, parts=parts)


def _actor(unit: Unit, person: Person | None) -> Actor:
    if person is None:
        raise NotAllowedError("Only a person can set a schedule.")
    return Actor(kind=ActorKind.USER, ref=unit.ref(person.id, person.name))
