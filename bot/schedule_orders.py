"""What the command line may ask about schedules, and how the bot does it.

As all `orders`, these cross the socket of the process that serves, or are carried out by the
command itself. Words for times are read by the command, so an order holds moments.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bot.core import Core
from bot.foreseeing import asked_when_fired
from bot.schedules import known_schedules, rule_for
from storage.schedules import live_schedules
from workflows.entry import Json
from workflows.errors import InterlockError, ScheduleClosedError
from workflows.foreseen import Foreseen
from workflows.people import PersonId
from workflows.schedule import ScheduleState
from workflows.scheduling import NewSchedule, ScheduleChange
from workflows.triggers import Cron, Missed, Once, Trigger, When, Zone

Id = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.:/@-]+$")]


class NoChannelError(InterlockError):
    """Runs of a schedule would have no place for their threads."""


class ScheduleOrder(BaseModel):
    """Set a schedule, once or by a cron line. The same `id` twice is one schedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: Literal["schedule"] = "schedule"
    id: Id
    workflow: str = Field(max_length=200)
    inputs: dict[str, str]
    timezone: Zone
    cron: Cron | None = None
    at: AwareDatetime | None = None
    channel: str = Field(default="", max_length=200)
    message: str = Field(default="", max_length=12_000)

    @model_validator(mode="after")
    def _fires_in_one_way(self) -> "ScheduleOrder":
        if (self.cron is None) == (self.at is None):
            raise ValueError("either cron or at")
        return self

    def when(self, missed: Missed) -> When:
        """Return the times it would fire at."""
        if self.at is not None:
            at = self.at.replace(microsecond=0)
            return Once(at=at, timezone=self.timezone, missed=missed)
        return Trigger(cron=str(self.cron), timezone=self.timezone, missed=missed)


class ChangeScheduleOrder(BaseModel):
    """Pause, resume or delete a schedule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: Literal["change_schedule"] = "change_schedule"
    id: Id
    to: Literal["paused", "active", "deleted"]


def set_by_order(core: Core, order: ScheduleOrder, person: PersonId) -> Mapping[str, Json]:
    """Set a schedule in the name of `person`.

    Raises:
        InterlockError: nothing was set.
    """
    definition = core.library.active(order.workflow)
    channel = definition.channel or order.channel or core.settings.channel
    if not channel:
        raise NoChannelError(
            "Its runs would have no channel for their threads.",
            hint="Give --channel, or set INTERLOCK_CHANNEL.",
        )
    asks = asked_when_fired(
        core.library,
        core.roles,
        definition,
        inputs=order.inputs,
        person=person,
        at=core.means.clock(),
    )
    is_new = core.engine.set_schedule(
        NewSchedule(
            id=order.id,
            workflow=order.workflow,
            inputs=order.inputs,
            when=order.when(rule_for(core.library, definition)),
            person=person,
            channel=channel,
            message=order.message,
        )
    )
    return {
        "ok": True,
        "schedule": order.id,
        "is_new": is_new,
        "asks_people": asks is Foreseen.SURELY,
        "may_ask_people": asks is not Foreseen.NOT,
    }


def change_by_order(core: Core, order: ChangeScheduleOrder, person: PersonId) -> Mapping[str, Json]:
    """Pause, resume or delete a schedule in the name of `person`.

    Raises:
        ScheduleClosedError: there is none, or it cannot be changed so.
        InterlockError: nothing was changed.
    """
    known = known_schedules(core.library.definitions(), live_schedules(core.store.database))
    found = next((one for one in known if one.id == order.id), None)
    if found is None:
        raise ScheduleClosedError(
            f"There is no schedule {order.id}.", hint="See `interlock schedule list`."
        )
    changed = core.engine.change_schedule(
        ScheduleChange(
            id=found.id,
            workflow=found.workflow,
            to=ScheduleState(order.to),
            person=person,
            is_definitions=found.is_definitions,
        )
    )
    return {"ok": True, "schedule": order.id, "state": order.to, "changed": changed}


def moment_of(when: When) -> tuple[str | None, datetime | None]:
    """Return the cron line or the one moment, as an order holds them."""
    return (None, when.at) if isinstance(when, Once) else (when.cron, None)
