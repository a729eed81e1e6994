"""A person's eyes: what they see now, what they were told, and waiting until it appears."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.errors import NotPossibleError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.records import Channel, Complaint, Ephemeral, Message, Notification, User, View
from sandbox.screens import top_view
from sandbox.seen import SeenMessage, SeenView, seen_message, seen_view
from sandbox.words import find_channel, find_user

PATIENCE = 60.0  # Seconds, for a machine that does much else.
Blocks = tuple[Json, ...]


class Looking:
    """What one person can see; everything returned is a copy."""

    def __init__(self, hub: Hub, user_id: str) -> None:
        self._hub = hub
        self.id = user_id

    @property
    def user(self) -> User:
        """The account, live."""
        return self._hub.state.users[self.id]

    @property
    def name(self) -> str:
        """The name others call them by."""
        return self.user.name

    @property
    def view(self) -> SeenView | None:
        """The modal in front, if one is open."""
        with self._hub.state.lock:
            view = top_view(self._hub, self.id)
            return seen_view(self._hub, view) if view else None

    @property
    def home(self) -> SeenView | None:
        """The app's Home as published to them."""
        with self._hub.state.lock:
            view = self._hub.state.views.get(self.user.home or "")
            return seen_view(self._hub, view) if view else None

    @property
    def ephemerals(self) -> list[SeenMessage]:
        """What only they see, oldest first."""
        with self._hub.state.lock:
            found = [one for one in self._hub.state.ephemerals if one.to == self.id]
            return [seen_message(self._hub, one) for one in found]

    @property
    def complaints(self) -> list[Complaint]:
        """What Slack told them because the app did not answer."""
        with self._hub.state.lock:
            return [one for one in self._hub.state.complaints if one.user == self.id]

    @property
    def notifications(self) -> list[Notification]:
        """What their phone showed, oldest first."""
        with self._hub.state.lock:
            return [one for one in self._hub.state.notifications if one.user == self.id]

    def sees(
        self, channel: str = "#ops", *, thread: SeenMessage | None = None
    ) -> list[SeenMessage]:
        """Return the messages of a channel, or of a thread, their own ephemerals included."""
        with self._hub.state.lock:
            place = self._channel(thread.channel if thread else channel)
            if self.id not in place.members:
                return []
            root = (thread.thread_ts or thread.ts) if thread else None
            found = [one for one in self._visible() if one.channel == place.id]
            shown = [one for one in found if _in(one, root)]
            return [seen_message(self._hub, one) for one in sorted(shown, key=_moment)]

    def wait_for_view(
        self, words: str = "", *, other_than: SeenView | None = None, timeout: float = PATIENCE
    ) -> SeenView:
        """Return the open modal as soon as `words` stand in it."""

        def look() -> SeenView | None:
            view = self.view
            fresh = view is not None and (other_than is None or view.hash != other_than.hash)
            return view if view and fresh and words in view.words else None

        return self._hub.state.wait(
            look, timeout=timeout, what=f"a modal with {words!r} for {self.name}"
        )

    def wait_for_home(self, words: str = "", *, timeout: float = PATIENCE) -> SeenView:
        """Return Home as soon as `words` stand in it."""

        def look() -> SeenView | None:
            home = self.home
            return home if home and words in home.words else None

        return self._hub.state.wait(look, timeout=timeout, what=f"Home with {words!r}")

    def wait_for_no_view(self, *, timeout: float = PATIENCE) -> None:
        """Return as soon as no modal is open."""
        self._hub.state.wait(lambda: self.view is None, timeout=timeout, what="the modal to close")

    def wait_for_ephemeral(self, words: str = "", *, timeout: float = PATIENCE) -> SeenMessage:
        """Return the newest ephemeral as soon as one with `words` is there."""

        def look() -> SeenMessage | None:
            return next((one for one in reversed(self.ephemerals) if words in one.words), None)

        return self._hub.state.wait(
            look, timeout=timeout, what=f"an ephemeral with {words!r} for {self.name}"
        )

    def wait_for_message(
        self,
        words: str = "",
        *,
        channel: str = "#ops",
        thread: SeenMessage | None = None,
        timeout: float = PATIENCE,
    ) -> SeenMessage:
        """Return the newest message they see as soon as one with `words` is there."""

        def look() -> SeenMessage | None:
            seen = self.sees(channel, thread=thread)
            return next((one for one in reversed(seen) if words in one.words), None)

        return self._hub.state.wait(look, timeout=timeout, what=f"a message with {words!r}")

    def wait_for_notification(self, words: str, *, timeout: float = PATIENCE) -> Notification:
        """Return the newest notification as soon as one with `words` is there."""

        def look() -> Notification | None:
            return next((one for one in reversed(self.notifications) if words in one.text), None)

        return self._hub.state.wait(look, timeout=timeout, what=f"a notification with {words!r}")

    def _active(self) -> User:
        if self.user.deleted:
            raise NotPossibleError(f"{self.name} is deactivated and cannot sign in")
        return self.user

    def _channel(self, name: str) -> Channel:
        other = find_user(self._hub.state, name) if name.startswith("@") else None
        if other is not None:
            return self._hub.state.direct(self.id, other.id)
        channel = find_channel(self._hub.state, name)
        if channel is None:
            raise NotPossibleError(f"no channel called {name!r}")
        return channel

    def _visible(self) -> list[Message | Ephemeral]:
        state = self._hub.state
        places = [one for one in state.channels.values() if self.id in one.members]
        stored = [message for place in places for message in place.messages.values()]
        return [*stored, *(one for one in state.ephemerals if one.to == self.id)]

    def _search_everywhere(
        self, find: Callable[[Blocks], Json], *, behind: bool = False
    ) -> tuple[Message | Ephemeral | View, Json]:
        """Return the first place, modal before newest message before Home, that has it.

        With `behind` what Home showed before counts as well, the newest first.
        """
        view = top_view(self._hub, self.id)
        home = self._hub.state.views.get(self.user.home or "")
        newest = sorted(self._visible(), key=_moment, reverse=True)
        places = [view] if view else [*newest, *([home] if home else [])]
        shown = [(one, _blocks_of(one)) for one in places]
        if behind and home is not None and view is None:
            shown += [(home, tuple(blocks)) for blocks in reversed(home.earlier)]
        for place, blocks in shown:
            try:
                return place, find(blocks)
            except NotPossibleError as problem:
                if not str(problem).startswith("0 "):
                    raise
        raise NotPossibleError(f"{self.name} sees nothing of that kind")

    def _present(self, message: SeenMessage) -> Message | Ephemeral:
        for one in self._visible():
            if (one.channel, one.ts) == (message.channel, message.ts):
                return one
        raise NotPossibleError(f"{self.name} does not see that message any more")

    def _as_it_was(self, message: SeenMessage) -> Message | Ephemeral:
        """Return the record with the blocks of back then, for a client that is behind."""
        stored = self._hub.state.channels[message.channel].messages.get(message.ts)
        if stored is not None:
            return replace(stored, blocks=list(message.blocks), text=message.text)
        return Message(
            ts=message.ts,
            channel=message.channel,
            user=message.user,
            text=message.text,
            blocks=list(message.blocks),
            thread_ts=message.thread_ts,
        )


def _blocks_of(place: Message | Ephemeral | View) -> Blocks:
    return tuple(place.content["blocks"] if isinstance(place, View) else place.blocks)


def _in(message: Message | Ephemeral, root: str | None) -> bool:
    if root is not None:
        return root in {message.thread_ts, message.ts}
    return message.thread_ts in {None, message.ts}


def _moment(message: Message | Ephemeral) -> int:
    return int(message.ts.replace(".", ""))
