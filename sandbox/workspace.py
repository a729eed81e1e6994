"""The driver: make people, channels and groups, let people act, ask what is to be seen.

    with SandboxServer() as server:
        workspace = server.workspace
        workspace.add_person("rita")
        workspace.add_channel("ops", members=["rita"], bot=True)
        rita = workspace.person("rita")

        rita.command("/ops run refund-customer", channel="#ops")   # waits for the ack
        form = rita.wait_for_view("Refund a customer")
        rita.submit({"Order": "ord_8841", "Amount in cents": 12000})
        card = workspace.wait_for_message("Approve", channel="#ops")
        workspace.person("ana").click("Approve", message=card)

        server.recorder.calls("chat.postMessage")                   # what the app did

Names go without a mark where the kind is clear (`members=["rita"]`), with `#` or `@` where
it is not. All methods may be called from any thread. See `person` for what people can do,
`looking` for what they can see, `faults` for what can go wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sandbox import events, limits, posting, steps
from sandbox.errors import NotPossibleError
from sandbox.faults import Faults
from sandbox.grants import end_all, newest_token
from sandbox.hub import Hub
from sandbox.looking import PATIENCE
from sandbox.loose import Unchecked
from sandbox.person import Person
from sandbox.recorder import Recorder
from sandbox.records import Channel, ChannelKind, Execution, Group, Message, User
from sandbox.seen import SeenMessage, seen_message
from sandbox.words import find_channel, find_group, find_user

T = TypeVar("T")


class Workspace:
    """One pretend Slack workspace, or an organisation of several."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        app = hub.app
        # An app that nobody has installed yet has no account, which looks like a deactivated one.
        bot = self._add_user(
            app.bot_name, real_name=app.name, is_bot=True, deleted=not hub.state.installed
        )
        bot.bot_id = "B0" + bot.id[2:]
        hub.state.bot = bot.id

    @property
    def id(self) -> str:
        """The id under which the app is installed here."""
        return self._hub.settings.installed_as

    @property
    def token(self) -> str:
        """The bot token that the app was given last, "" if it was never installed."""
        return newest_token(self._hub.state)

    @property
    def recorder(self) -> Recorder:
        """Every call and delivery of this workspace."""
        return self._hub.recorder

    @property
    def faults(self) -> Faults:
        """Where faults are ordered for calls that are about this workspace."""
        return self._hub.faults

    def expire_token(self) -> None:
        """Let the time of the newest token be over."""
        self._hub.state.grants[self.token].expires = self._hub.state.now()

    def uninstall(self, *, error: str = "account_inactive", tells: bool = True) -> None:
        """Remove the app, as an admin would; Slack tells it so if it subscribed to that."""
        with self._hub.state.lock:
            end_all(self._hub.state, error)
            if tells:
                events.uninstalled(self._hub)
        self._hub.state.changed("installed", team=self._hub.settings.team)

    @property
    def bot(self) -> User:
        """The app's own account."""
        return self._hub.state.users[self._hub.state.bot]

    def add_person(  # noqa: PLR0913 - each flag is one a test may want to name.
        self,
        name: str,
        *,
        real_name: str = "",
        tz: str = "Europe/Berlin",
        guest: bool = False,
        single_channel_guest: bool = False,
        bot: bool = False,
        admin: bool = False,
        deactivated: bool = False,
        other_team: str | None = None,
        teams: Sequence[str] = (),
    ) -> Person:
        """Add an account. `other_team` makes it a Slack Connect stranger.

        In an organisation, `teams` are the workspaces they belong to; they are in the first.
        """
        home = list(teams) or [self._hub.settings.team]
        user = self._add_user(
            name,
            team=other_team or home[0],
            teams=home if self._hub.settings.organisation and other_team is None else [],
            real_name=real_name or name.capitalize(),
            tz=tz,
            is_bot=bot,
            is_admin=admin,
            is_restricted=guest or single_channel_guest,
            is_ultra_restricted=single_channel_guest,
            is_stranger=other_team is not None,
            deleted=deactivated,
        )
        return Person(self._hub, user.id)

    def _add_user(self, name: str, *, team: str | None = None, **flags: Unchecked) -> User:
        state = self._hub.state
        home = team or state.settings.team
        domain = state.settings.domain if home == state.settings.team else home.lower()
        # Those who belong to a Grid have ids that begin with W, as far as they are old enough.
        letter = "W" if state.settings.organisation and not flags.get("is_bot") else "U"
        user = User(
            id=_id(letter, name), team=home, name=name, email=f"{name}@{domain}.example", **flags
        )
        with state.lock:
            if user.id in state.users:
                raise NotPossibleError(f"{name} exists already")
            state.users[user.id] = user
        state.changed("people", user=user.id)
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: Sequence[str] = (),
        private: bool = False,
        archived: bool = False,
        bot: bool = True,
        team: str = "",
    ) -> Channel:
        """Add a channel; `bot` says whether the app is in it, `team` where in an organisation."""
        state = self._hub.state
        people = [self.person(one).user for one in members]
        kind: ChannelKind = "private" if private else "public"
        channel = Channel(
            id=_id("C", name),
            name=name,
            kind=kind,
            created=int(state.now()),
            creator=people[0].id if people else state.bot,
            team=team,
            members=[
                *(one.id for one in people),
                *([state.bot] if bot and state.installed else []),
            ],
            archived=archived,
            shared=any(one.is_stranger for one in people),
        )
        with state.lock:
            state.channels[channel.id] = channel
        state.changed("channels", channel=channel.id)
        return channel

    def add_group(
        self, handle: str, *, members: Sequence[str] = (), name: str = "", team: str = ""
    ) -> Group:
        """Add a user group; in an organisation `team` says of which workspace."""
        state = self._hub.state
        group = Group(
            id=_id("S", f"{handle}{team.removeprefix('T0')}"),
            team=team,
            handle=handle,
            name=name or handle.replace("-", " ").capitalize(),
            created=int(state.now()),
            members=[self.person(one).id for one in members],
        )
        with state.lock:
            state.groups[group.id] = group
        state.changed("groups", group=group.id)
        return group

    def person(self, name: str) -> Person:
        """Return the hands and eyes of somebody.

        Raises:
            NotPossibleError: nobody has that name or id.
        """
        user = find_user(self._hub.state, name)
        if user is None:
            raise NotPossibleError(f"nobody is called {name!r}")
        return Person(self._hub, user.id)

    def channel(self, name: str) -> Channel:
        """Return a channel, live."""
        channel = find_channel(self._hub.state, name)
        if channel is None:
            raise NotPossibleError(f"no channel called {name!r}")
        return channel

    def group(self, handle: str) -> Group:
        """Return a user group, live."""
        group = find_group(self._hub.state, handle)
        if group is None:
            raise NotPossibleError(f"no group called {handle!r}")
        return group

    def join_group(self, name: str, handle: str) -> None:
        """Put somebody into a user group."""
        self._change_group(handle, add=[self.person(name).id], remove=[])

    def leave_group(self, name: str, handle: str) -> None:
        """Take somebody out of a user group."""
        self._change_group(handle, add=[], remove=[self.person(name).id])

    def _change_group(self, handle: str, *, add: list[str], remove: list[str]) -> None:
        with self._hub.state.lock:
            group = self.group(handle)
            added = [one for one in add if one not in group.members]
            removed = [one for one in remove if one in group.members]
            group.members[:] = [one for one in group.members if one not in removed] + added
            events.group_changed(self._hub, group, added=added, removed=removed)
        self._hub.state.changed("groups", group=group.id)

    def disable_group(self, handle: str) -> None:
        """Disable a user group; its people can no longer be read."""
        with self._hub.state.lock:
            group = self.group(handle)
            group.disabled_at = int(self._hub.state.now())
            events.group_updated(self._hub, group)
        self._hub.state.changed("groups", group=group.id)

    def join(self, name: str, channel: str) -> None:
        """Put somebody, or with the bot's name the app, into a channel."""
        self._change_channel(name, channel, joined=True)

    def leave(self, name: str, channel: str) -> None:
        """Take somebody, or the app, out of a channel."""
        self._change_channel(name, channel, joined=False)

    def _change_channel(self, name: str, channel: str, *, joined: bool) -> None:
        with self._hub.state.lock:
            place, user = self.channel(channel), self.person(name).user
            if joined == (user.id in place.members):
                return
            if joined:
                place.members.append(user.id)
            else:
                place.members.remove(user.id)
            events.membership_changed(self._hub, place, user, joined=joined)
        self._hub.state.changed("channels", channel=place.id)

    def archive(self, channel: str) -> None:
        """Archive a channel."""
        self.channel(channel).archived = True
        self._hub.state.changed("channels", channel=self.channel(channel).id)

    def deactivate(self, name: str, *, leaves_groups: bool = True) -> None:
        """Deactivate an account and, unless told otherwise, take it out of every group."""
        with self._hub.state.lock:
            user = self.person(name).user
            user.deleted = True
            for group in self._hub.state.groups.values():
                if leaves_groups and user.id in group.members:
                    self._change_group(group.handle, add=[], remove=[user.id])
            events.user_changed(self._hub, user)
        self._hub.state.changed("people", user=user.id)

    def run_step(self, callback_id: str, inputs: Mapping[str, Unchecked]) -> Execution:
        """Let a Workflow Builder workflow come to a step of the app's; it waits until told.

        Raises:
            NotPossibleError: the app offers no such step, or its author left an input out.
        """
        state = self._hub.state
        known = self._hub.app.functions.get(callback_id)
        if known is None:
            raise NotPossibleError(f"the app offers no step {callback_id!r}")
        takes = steps.declared(known, "input_parameters")
        needs = steps.needed(known, "input_parameters")
        if needs - inputs.keys() or inputs.keys() - takes.keys():
            raise NotPossibleError(f"the step takes {sorted(takes)}, and needs {sorted(needs)}")
        with state.lock:
            execution = Execution(
                id=state.next_id("Fx"),
                callback_id=callback_id,
                inputs=dict(inputs),
                token=f"xwfp-{state.next_id('', 40)}",
                token_expires=state.now() + limits.STEP_TOKEN_SECONDS,
            )
            state.executions[execution.id] = execution
            events.function_executed(self._hub, execution)
        return execution

    def delete_message(self, message: SeenMessage) -> None:
        """Delete a message as an admin would."""
        with self._hub.state.lock:
            channel = self._hub.state.channels[message.channel]
            posting.delete(self._hub, channel, self._hub.state.message(channel.id, message.ts))

    def messages(
        self, channel: str = "#ops", *, thread: SeenMessage | None = None
    ) -> list[SeenMessage]:
        """Return the stored messages of a channel outside threads, or of one thread."""
        with self._hub.state.lock:
            found = self._stored(channel, thread)
            shown = found if thread else [one for one in found if not one.is_reply]
            return [seen_message(self._hub, one) for one in shown]

    def everything(self, channel: str = "#ops") -> list[SeenMessage]:
        """Return every stored message of a channel, threads included, oldest first."""
        with self._hub.state.lock:
            stored = self._somewhere(channel).messages.values()
            return [seen_message(self._hub, one) for one in stored]

    def _stored(self, channel: str, thread: SeenMessage | None) -> list[Message]:
        if thread is None:
            return list(self._somewhere(channel).messages.values())
        place = self._hub.state.channels[thread.channel]
        root = thread.thread_ts or thread.ts
        first = [place.messages[root]] if root in place.messages else []
        return [*first, *place.threads.get(root, [])]

    def _somewhere(self, name: str) -> Channel:
        if name.startswith("@"):
            return self._hub.state.direct(self._hub.state.bot, self.person(name).id)
        return self.channel(name)

    def now(self, message: SeenMessage) -> SeenMessage | None:
        """Return how a message looks by now, None once it is deleted."""
        with self._hub.state.lock:
            stored = self._hub.state.channels[message.channel].messages.get(message.ts)
            return seen_message(self._hub, stored) if stored else None

    def wait_for(
        self, look: Callable[[], T | None], *, timeout: float = PATIENCE, what: str = "a change"
    ) -> T:
        """Return what `look` finds as soon as it finds anything."""
        return self._hub.state.wait(look, timeout=timeout, what=what)

    def wait_for_message(
        self,
        words: str = "",
        *,
        channel: str = "#ops",
        thread: SeenMessage | None = None,
        after: SeenMessage | None = None,
        timeout: float = PATIENCE,
    ) -> SeenMessage:
        """Return the newest message with `words`, in threads too unless one is named.

        `channel="@rita"` looks into the app's direct conversation with her.
        """

        def look() -> SeenMessage | None:
            for message in reversed(self._stored(channel, thread)):
                if after is not None and message.ts <= after.ts:
                    return None
                seen = seen_message(self._hub, message)
                if words in seen.words:
                    return seen
            return None

        place = "the thread" if thread else channel
        return self.wait_for(look, timeout=timeout, what=f"a message with {words!r} in {place}")

    def wait_for_change(
        self, message: SeenMessage, words: str, *, timeout: float = PATIENCE
    ) -> SeenMessage:
        """Return a known message as soon as `words` stand in it."""

        def look() -> SeenMessage | None:
            current = self.now(message)
            return current if current and words in current.words else None

        return self.wait_for(look, timeout=timeout, what=f"the message to say {words!r}")


def _id(prefix: str, name: str) -> str:
    """Return an id that a reader recognises: `U0RITA`, `S0FINANCELEADS`."""
    return f"{prefix}0" + "".join(one for one in name.upper() if one.isalnum())
