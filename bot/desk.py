"""What every listener works with, in one value; `app` fills it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.digest import Digests
from bot.directory import Directory
from bot.drift import Drift
from bot.hurried import Hurried
from bot.library import Library
from bot.payloads import Caller
from bot.settings import SettingsError
from storage.outbox_values import MessagePlace
from storage.store import SqlStore
from workflows.engine import Engine
from workflows.roles import RolesNow

if TYPE_CHECKING:
    from bot.thread_summaries import ThreadSummaries


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts behind the listeners. `channel` is where runs go that have no other place."""

    engine: Engine
    store: SqlStore
    library: Library
    digests: Digests
    directory: Directory
    hurried: Hurried
    summaries: "ThreadSummaries"
    redact: Callable[[str], str]
    holds_secret: Callable[[str], bool]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    random: Callable[[], bytes]  # For what must never be guessed.
    drifted: Callable[[], Sequence[Drift]]  # As the last look found it.
    command: str
    channel: str
    roles: RolesNow
    readers: tuple[str, ...]  # Whom the weekly digest asks for an answer.
    workspace_url: str  # With a slash at its end, as `auth.test` gives it.

    def link(self, place: MessagePlace | None) -> str:
        """Return the address of a message, nothing while it has no place."""
        if place is None:
            return ""
        return f"{self.workspace_url}archives/{place.channel}/p{place.ts.replace('.', '')}"

    def channel_for(self, caller: Caller, own: str | None) -> str:
        """Return where a run's thread stands: the workflow's own channel, or where it was asked.

        Raises:
            SettingsError: the bot may post in neither, and has no channel of its own.
        """
        if own:
            return own
        if self.hurried.is_member(caller.channel):
            return caller.channel
        if self.channel:
            return self.channel
        raise SettingsError(
            "I am not in this channel, so the run would have no thread; nothing was started.",
            hint="Invite me here, or ask an operator to set INTERLOCK_CHANNEL.",
        )
