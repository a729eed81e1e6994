"""What Slack delivers, read at the door: who did it, where, and which delivery it was.

Identity is team and user together. A click of somebody from another workspace names their
own team in `user.team_id`; Bolt's context would name ours. What is asked for stands in the
modules of the listeners.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.roster import person_id
from workflows.errors import InterlockError
from workflows.people import PersonId
from workflows.store import Delivery

MOST_TEXT = 12_000


class UnreadablePayloadError(InterlockError):
    """Slack delivered something that cannot be attributed to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person behind a delivery, and where they were."""

    person: PersonId
    team: str  # Their own.
    user: str
    channel: str
    trigger: str
    delivery: Delivery
    response_url: str = ""


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


P = TypeVar("P", bound=_Payload)


class Typed(_Payload):
    """A slash command, flat as Slack sends it."""

    command: str
    text: str = ""
    team_id: str
    user_id: str
    channel_id: str
    trigger_id: str
    response_url: str = ""

    @property
    def caller(self) -> Caller:
        return Caller(
            person=person_id(self.team_id, self.user_id),
            team=self.team_id,
            user=self.user_id,
            channel=self.channel_id,
            trigger=self.trigger_id,
            delivery=Delivery(team=self.team_id, kind="command", key=self.trigger_id),
            response_url=self.response_url,
        )


class _User(_Payload):
    id: str
    team_id: str = ""


class _Identified(_Payload):
    id: str


class _View(_Payload):
    id: str
    type: str = "modal"
    hash: str = ""
    callback_id: str = ""
    private_metadata: str = ""
    app_installed_team_id: str = ""
    state: dict[str, Any] = Field(default_factory=dict)


class _Press(_Payload):
    action_id: str
    value: str = ""
    action_ts: str = ""
    selected_option: dict[str, Any] | None = None

    @property
    def said(self) -> str:
        """Return the value of a button, or of what was chosen in a menu."""
        return str((self.selected_option or {}).get("value", "")) or self.value


class Interaction(_Payload):
    """A click in a message, a modal or a Home, or a modal sent."""

    user: _User
    team: _Identified | None = None
    channel: _Identified | None = None
    container: dict[str, Any] = Field(default_factory=dict)
    trigger_id: str = ""
    response_url: str = ""
    actions: tuple[_Press, ...] = ()
    view: _View | None = None

    @property
    def caller(self) -> Caller:
        """Return who did this.

        Raises:
            UnreadablePayloadError: it does not say from which workspace they are.
        """
        team = self.user.team_id or (self.team.id if self.team else "")
        if not team:
            raise UnreadablePayloadError("Slack did not say which workspace this person is from.")
        return Caller(
            person=person_id(team, self.user.id),
            team=team,
            user=self.user.id,
            channel=self.place["channel"],
            trigger=self.trigger_id,
            delivery=self._delivery(team),
            response_url=self.response_url,
        )

    @property
    def is_home(self) -> bool:
        """Whether it was done on the person's Home tab, which is no message and no modal."""
        return self.view is not None and self.view.type == "home"

    @property
    def press(self) -> _Press:
        """Return the button or menu that was used."""
        return self.actions[0]

    @property
    def sent(self) -> _View:
        """Return the modal that was sent.

        Raises:
            UnreadablePayloadError: there is none.
        """
        if self.view is None:
            raise UnreadablePayloadError("Slack did not say which form was sent.")
        return self.view

    @property
    def place(self) -> dict[str, str]:
        """Return where the message stands that was clicked, empty for a modal or a Home."""
        channel = self.channel.id if self.channel else str(self.container.get("channel_id", ""))
        return {"channel": channel, "message_ts": str(self.container.get("message_ts", ""))}

    @property
    def thread_to_answer(self) -> str:
        """Return the thread in which the clicked message is a reply, "" where it is none."""
        return thread_to_answer(self.container)

    def _delivery(self, team: str) -> Delivery:
        if self.view is not None and not self.actions:
            return Delivery(team=team, kind="submission", key=f"{self.view.id}/{self.view.hash}")
        return Delivery(team=team, kind="click", key=self.trigger_id)


class Shortcut(Interaction):
    """A shortcut used on a message, wherever it stands."""

    callback_id: str = ""
    message_ts: str = ""
    message: dict[str, Any] = Field(default_factory=dict)

    @property
    def ts(self) -> str:
        """Return the message's timestamp."""
        return self.message_ts or str(self.message.get("ts", ""))

    @property
    def thread(self) -> str:
        """Return the first message of its thread, the message itself outside one."""
        return str(self.message.get("thread_ts") or self.ts)

    @property
    def thread_to_answer(self) -> str:
        return thread_to_answer(self.message)


class Event(_Payload):
    """Something that happened in the workspace, from the Events API."""

    event_id: str
    team_id: str = ""
    event: dict[str, Any]

    @property
    def delivery(self) -> Delivery:
        return Delivery(team=self.team_id, kind="event", key=self.event_id)


def thread_to_answer(message: Mapping[str, Any]) -> str:
    """Return the thread in which a message is a reply, "" where it is none.

    At a `response_url` Slack answers in the channel unless the thread is named. What is shown to
    one person alone below a message without replies, nobody sees.
    """
    own, thread = message.get("message_ts") or message.get("ts"), message.get("thread_ts")
    return str(thread) if thread and thread != own else ""


def read_typed(body: Mapping[str, Any]) -> Typed:
    """Return the slash command in `body`.

    Raises:
        UnreadablePayloadError: it is none.
    """
    typed = _read(Typed, body)
    if len(typed.text) > MOST_TEXT:
        raise UnreadablePayloadError(
            f"This is longer than {MOST_TEXT} characters.", hint="Use the form: /ops run"
        )
    return typed


def read_interaction(body: Mapping[str, Any]) -> Interaction:
    """Return the click or submission in `body`.

    Raises:
        UnreadablePayloadError: it is none.
    """
    return _read(Interaction, body)


def read_shortcut(body: Mapping[str, Any]) -> Shortcut:
    """Return the message shortcut in `body`.

    Raises:
        UnreadablePayloadError: it is none.
    """
    return _read(Shortcut, body)


def read_event(body: Mapping[str, Any]) -> Event:
    """Return the event in `body`.

    Raises:
        UnreadablePayloadError: it is none.
    """
    return _read(Event, body)


def _read(model: type[P], body: Mapping[str, Any]) -> P:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise UnreadablePayloadError("Slack delivered something unreadable.") from error
