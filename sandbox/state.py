"""Everything the sandbox knows at this moment, behind one lock.

Whoever reads or writes takes `state.lock`; whoever waits uses `state.wait`. A change is
announced with `state.changed`, which wakes the waiting and tells the page. What a change
means to the app (events, notifications) is left to `posting` and `delivery`.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.errors import SlackError, WaitTimeoutError
from sandbox.loose import Unchecked
from sandbox.records import (
    Channel,
    Complaint,
    Ephemeral,
    Execution,
    File,
    Grant,
    Group,
    Message,
    Notification,
    ResponseUrl,
    Trigger,
    User,
    View,
)
from sandbox.settings import SandboxSettings

T = TypeVar("T")
LOOK_SECONDS = 0.25
BASE32 = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


class State:
    """The workspace's records and the clock, ids and lock they share."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self._turn = threading.Condition(self.lock)
        self._random = random.Random(settings.seed)  # noqa: S311 - ids of a pretend Slack.
        self._last_ts = 0
        self._watchers: list[Callable[[dict[str, Any]], None]] = []
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.ephemerals: list[Ephemeral] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.files: dict[str, File] = {}
        self.executions: dict[str, Execution] = {}
        self.notifications: list[Notification] = []
        self.complaints: list[Complaint] = []
        self.revoked: dict[str, str] = {}
        self.grants: dict[str, Grant] = {}
        self.installed = settings.installed
        self.scopes = settings.app.scopes
        if settings.installed:
            self.grants[settings.app.bot_token] = Grant(token=settings.app.bot_token)
        self.base_url = ""
        self.bot = ""

    def now(self) -> float:
        """Return the time of the sandbox's own clock."""
        return self.settings.clock()

    def next_ts(self) -> str:
        """Return a message id: the time in microseconds, never given twice."""
        self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str, length: int = 10) -> str:
        """Return a fresh id as Slack shapes them."""
        return prefix + "".join(self._random.choices(BASE32, k=length))

    def choose(self, among: list[T]) -> T:
        """Return one of `among`, as the seed decides."""
        return self._random.choice(among)

    def chance(self, rate: float) -> bool:
        """Tell whether something of this probability happens now."""
        return self._random.random() < rate

    def changed(self, kind: str, **what: Unchecked) -> None:
        """Announce a change to everyone who waits or watches."""
        with self.lock:
            self.version += 1
            notice = {"version": self.version, "kind": kind, **what}
            watchers = list(self._watchers)
            self._turn.notify_all()
        for tell in watchers:
            tell(notice)

    def watch(self, tell: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call `tell` on every change until the returned function is called."""
        with self.lock:
            self._watchers.append(tell)

        def stop() -> None:
            with self.lock:
                self._watchers.remove(tell)

        return stop

    def wait(self, look: Callable[[], T | None], *, timeout: float, what: str) -> T:
        """Return what `look` finds as soon as it finds anything.

        Raises:
            WaitTimeoutError: nothing was found within `timeout` seconds of real time.
        """
        deadline = time.monotonic() + timeout
        with self._turn:
            while True:
                found = look()
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WaitTimeoutError(f"waited {timeout:g} s for {what}")
                # What is looked for may happen outside Slack, where nobody tells us.
                self._turn.wait(min(left, LOOK_SECONDS))

    def user(self, user_id: str, error: str = "user_not_found") -> User:
        """Return the user or refuse with `error`."""
        found = self.users.get(user_id)
        if found is None:
            raise SlackError(error)
        return found

    def channel(self, channel_id: str) -> Channel:
        """Return the channel or refuse with `channel_not_found`."""
        found = self.channels.get(channel_id)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def message(self, channel_id: str, ts: str) -> Message:
        """Return the message or refuse with `message_not_found`."""
        found = self.channel(channel_id).messages.get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def direct(self, one: str, other: str) -> Channel:
        """Return the direct conversation of two people, opening it at need."""
        pair = {one, other}
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == pair:
                return channel
        channel = Channel(
            id=self.next_id("D"),
            name="",
            kind="im",
            created=int(self.now()),
            creator=one,
            members=[one, other],
        )
        self.channels[channel.id] = channel
        return channel
