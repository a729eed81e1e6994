"""What the sandbox remembers: people, places, messages, views, and short-lived handles.

The records are plain and mutable; `state.State` owns them and its lock guards them.
How they look on the wire is told in `wire`.
"""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.loose import Json

ChannelKind = Literal["public", "private", "im"]


@dataclass(slots=True, kw_only=True)
class User:
    """Someone with an account: a person, or the bot."""

    id: str
    team: str
    name: str
    real_name: str
    email: str
    tz: str = "Europe/Berlin"
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False
    teams: list[str] = field(default_factory=list)  # Of an organisation; `team` is where they are.
    bot_id: str | None = None
    home: str | None = None
    in_home: bool = False
    display_name: str = ""  # What they show instead of their user name, as anybody may choose.


@dataclass(slots=True, kw_only=True)
class Message:
    """A stored message; `change` counts its edits so that a page knows what to redraw."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    bot_id: str | None = None
    subtype: str | None = None
    edited: Json | None = None
    client_msg_id: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    change: int = 0

    @property
    def is_reply(self) -> bool:
        """Whether the message sits in a thread below its first message."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(slots=True, kw_only=True)
class Channel:
    """A place for messages, a direct message included."""

    id: str
    name: str
    kind: ChannelKind
    created: int
    creator: str
    team: str = ""
    members: list[str] = field(default_factory=list)
    archived: bool = False
    shared: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Group:
    """A user group with its handle."""

    id: str
    handle: str
    name: str
    created: int
    team: str = ""
    members: list[str] = field(default_factory=list)
    disabled_at: int = 0
    updated: int = 0


@dataclass(slots=True, kw_only=True)
class Ephemeral:
    """A message that only `to` sees, and only while nobody takes it away."""

    ts: str
    channel: str
    to: str
    text: str
    author: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or a Home: what the app sent, and what the person has typed so far."""

    id: str
    user: str
    hash: str
    content: Json
    root: str
    previous: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None
    earlier: list[list[Json]] = field(
        default_factory=list
    )  # A Home's blocks before this, newest last.

    @property
    def type(self) -> str:
        """`modal` or `home`."""
        return str(self.content["type"])


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Leave to open one modal, for three seconds."""

    id: str
    user: str
    expires: float
    view: str | None = None
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """Leave to answer a gesture five times within half an hour."""

    token: str
    user: str
    channel: str
    expires: float
    message_ts: str | None = None
    ephemeral: bool = False
    uses: int = 0


@dataclass(slots=True, kw_only=True)
class File:
    """An uploaded file; it can be referred to once its upload is completed."""

    id: str
    team: str
    user: str
    name: str
    size: int
    token: str
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    in_form: bool = False  # Uploaded into a form of the app, which so may see it.
    channels: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Execution:
    """One run of a step of ours in a Workflow Builder workflow, which waits until it is told."""

    id: str
    callback_id: str
    inputs: Json
    token: str
    token_expires: float
    state: Literal["running", "completed", "failed"] = "running"
    outputs: Json = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Grant:
    """A bot token, and the refresh token that is exchanged for the next one.

    `ended` is the error that a call with it meets, once it was taken back.
    """

    token: str
    refresh: str = ""
    expires: float | None = None
    ended: str = ""


@dataclass(slots=True, kw_only=True)
class Notification:
    """What a person's phone shows: always made from `text` alone."""

    at: float
    user: str
    channel: str
    ts: str
    text: str


@dataclass(slots=True, kw_only=True)
class Complaint:
    """Something Slack itself told a person because the app did not answer."""

    at: float
    user: str
    kind: str
    text: str
    error: str
    channel: str | None = None
    message_ts: str | None = None
    action_id: str | None = None
