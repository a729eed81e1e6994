"""A schedule that somebody was shown and has not confirmed: it travels in the button itself.

Nothing is stored before the confirmation. What comes back came through a client, so all of it
is judged again, for the person who confirms; the draft gives them nothing they could not type.
"""

from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from bot.forms import FormState
from bot.payloads import UnreadablePayloadError
from workflows.errors import ScheduleClosedError
from workflows.people import PersonId
from workflows.scheduling import NewSchedule
from workflows.triggers import Cron, Missed, Once, Trigger, When, Zone

LIFE = timedelta(minutes=15)
NAME_LENGTH = 48
_ID_LENGTH = 12


class ScheduleDraft(BaseModel):
    """What would be set. `made` is when it was shown, `at` the one moment, both in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(max_length=64, pattern=r"^[A-Za-z0-9_.:/@-]+$")
    workflow: str
    version: str
    channel: str
    made: int
    timezone: Zone
    cron: Cron | None = None
    at: int | None = None
    note: str = ""
    typed: str = ""
    revision: int = 0
    inputs: dict[str, JsonValue] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the draft that `text` writes.

        Raises:
            UnreadablePayloadError: it writes none.
        """
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            raise UnreadablePayloadError("This is no schedule of ours.") from error
        if (found.cron is None) == (found.at is None):
            raise UnreadablePayloadError("This schedule does not say when.")
        return found

    @property
    def text(self) -> str:
        """Return it as a button or a modal carries it."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def form(self) -> FormState:
        """Return it as the state of the form that asks for its inputs."""
        return FormState(
            workflow=self.workflow,
            version=self.version,
            channel=self.channel,
            revision=self.revision,
        )

    def when(self, missed: Missed = Missed.SKIP) -> When:
        """Return the times it would fire at."""
        if self.at is not None:
            at = datetime.fromtimestamp(self.at, UTC)
            return Once(at=at, timezone=self.timezone, missed=missed)
        return Trigger(cron=str(self.cron), timezone=self.timezone, missed=missed)

    def order(self, person: PersonId, *, missed: Missed) -> NewSchedule:
        """Return what the engine is asked, in the name of `person`."""
        return NewSchedule(
            id=self.id,
            workflow=self.workflow,
            inputs=self.inputs,
            when=self.when(missed),
            person=person,
            version=self.version,
            channel=self.channel,
            message=self.typed,
        )

    def refuse_old(self, now: datetime) -> None:
        """Return if it was shown only a while ago.

        Raises:
            ScheduleClosedError: it is too old to be confirmed.
        """
        if now.timestamp() - self.made > LIFE.total_seconds():
            raise ScheduleClosedError(
                f"This question is older than {LIFE // timedelta(minutes=1)} minutes,"
                " so nothing was set.",
                hint="Ask once more.",
            )


def schedule_id(workflow: str, random: str) -> str:
    """Return the id of a new schedule; `random` are hexadecimal digits never given before."""
    return f"{workflow[:NAME_LENGTH]}/{random[:_ID_LENGTH]}"
