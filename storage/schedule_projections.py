"""What the entries about schedules state, as changes of the tables. Pure, as `projections`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from storage.change import Change, Insert, Update, Upsert
from storage.stated_values import moment_in
from workflows.entry import Entry, Json
from workflows.schedule import ScheduleState
from workflows.triggers import Missed

HAS_ENDED = "The schedule has ended or was never set; nothing was recorded."


def schedule_set(entry: Entry) -> Iterable[Change]:
    """A person set a schedule."""
    data = entry.data
    yield Insert(
        "schedule",
        {
            "id": data["schedule"],
            "workflow": data["workflow"],
            "state": ScheduleState.ACTIVE.value,
            "changed_at": entry.at,
            "ended_at": None,
            "entry_id": entry.id,
            "version": data["version"],
            "cron": data["cron"],
            "at": moment_in(data["at"]) if data["at"] is not None else None,
            "is_once": data["at"] is not None,
            "timezone": data["timezone"],
            "missed": data["missed"],
            "overlap": data["overlap"],
            "channel": data.get("channel"),
            "set_by": entry.actor.ref,
            "set_at": entry.at,
        },
    )


def schedule_paused(entry: Entry) -> Iterable[Change]:
    """A schedule rests. One of a definition gets its row only now."""
    yield _stands(entry, ScheduleState.PAUSED)


def schedule_resumed(entry: Entry) -> Iterable[Change]:
    """A schedule goes on."""
    yield _stands(entry, ScheduleState.ACTIVE)


def _stands(entry: Entry, state: ScheduleState) -> Change:
    # The database itself refuses to bring back one that has ended.
    return Upsert(
        "schedule",
        {"id": entry.data["schedule"]},
        {"workflow": entry.data["workflow"], "state": state.value, "changed_at": entry.at},
    )


def schedule_deleted(entry: Entry) -> Iterable[Change]:
    """A schedule that a person had set is gone."""
    yield Update(
        "schedule",
        {"id": entry.data["schedule"], "ended_at": None},
        _ended(entry, ScheduleState.DELETED),
        HAS_ENDED,
    )


def schedule_fired(entry: Entry) -> Iterable[Change]:
    """A moment has come; the schedule of one moment is done with it."""
    yield Upsert(
        "schedule_firing",
        {"schedule": entry.data["schedule"], "due": due_moment(entry.data["due"])},
        {"run_id": entry.data["started"], "is_missed": False},
    )
    yield _end_of_one(entry, ScheduleState.DONE)


def schedule_missed(entry: Entry) -> Iterable[Change]:
    """Moments were missed; the schedule of one moment ends if nothing makes up for it."""
    yield Upsert(
        "schedule_firing",
        {"schedule": entry.data["schedule"], "due": due_moment(entry.data["due_last"])},
        {"run_id": None, "is_missed": True},
    )
    if entry.data["rule"] == Missed.SKIP.value:
        yield _end_of_one(entry, ScheduleState.MISSED)


def _end_of_one(entry: Entry, state: ScheduleState) -> Change:
    where = {"id": entry.data["schedule"], "is_once": True, "ended_at": None}
    return Update("schedule", where, _ended(entry, state))


def _ended(entry: Entry, state: ScheduleState) -> dict[str, Any]:
    return {"state": state.value, "changed_at": entry.at, "ended_at": entry.at}


def due_moment(due: Json) -> datetime:
    """Return the moment that an entry's `due` names: wall time with offset, then its zone."""
    return moment_in(str(due).split(maxsplit=1)[0])
