"""What somebody is told whose run has begun: its number, and where its thread is."""

import re
from dataclasses import dataclass

from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import plain, section
from bot.wording import bold, code, escape
from workflows.entry import RunId

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that was just started: `channel` has its thread, `asked_in` is where it was asked for.

    `is_wanted_there` says that the workflow names that channel, and not the bot chose it because
    it may not post where it was asked.
    """

    title: str
    run: RunId
    channel: str
    asked_in: str
    is_wanted_there: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Say whether the thread is not where it was asked for; a bare name may be the same."""
        if self.is_wanted_there and not _CHANNEL.fullmatch(self.channel):
            return False
        return self.channel != self.asked_in


def words_of_start(begun: Begun) -> str:
    """Say that a run has started, and where to follow it."""
    told = f"🚀 {bold(begun.title, 150)} has started: {code(begun.run)}."
    if not begun.is_elsewhere:
        return f"{told} Follow its thread."
    place = f"{told} Its thread is in {_named(begun.channel)}."
    if begun.is_wanted_there or not _CHANNEL.fullmatch(begun.asked_in):
        return place
    # Slack may only not have answered, so this does not say that the bot is not there.
    return (
        f"{place} I could not see that I may post in {_named(begun.asked_in)}: if I am not in it,"
        " invite me, and the next run has its thread there."
    )


def started_elsewhere(begun: Begun) -> View:
    """Build what takes a form's place when the thread of its run is in another channel."""
    return View(
        type="modal",
        title=plain("Started", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section(words_of_start(begun))],
    )


def _named(channel: str) -> str:
    if _CHANNEL.fullmatch(channel):
        return f"<#{channel}>"
    return escape(f"#{channel.removeprefix('#')}", 80)
