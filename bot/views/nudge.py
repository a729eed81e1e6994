"""What one approver is told directly: that a request waits for them, later what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.views.pieces import Rendered, actions, context, link_button, rendered, section
from bot.views.request_values import Preview
from bot.views.symbols import BROKEN_GLASS, OUTCOME
from bot.wording import (
    Who,
    bold,
    code,
    escape,
    is_web_address,
    link,
    mention,
    mentions,
    names,
    utc,
    when,
)
from workflows.gate import Outcome, Verdict

_HEADLINE, _TITLE = 300, 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """A request from the point of view of one person who was asked."""

    preview: Preview
    is_awaited: bool  # Whether it still waits for this person.
    stands_for: Who | None = None  # In whose place they would decide, if not in their own.
    outcome: Outcome = Outcome.OPEN
    at: datetime | None = None  # When it was settled.
    by: Sequence[Who] = ()  # Whoever settled it.
    is_alone: bool = False  # Somebody broke the glass.
    own: Verdict | None = None  # What this person said.
    became: str = ""  # What became of all items of a batch, in words.
    reminded_at: datetime | None = None
    card: str = ""
    home: str = ""


def nudge(told: Nudge) -> Rendered:
    """Build the message, while it asks and once there is nothing to do any more."""
    if told.is_awaited:
        return rendered(_asking(told), _asks(told))
    return rendered(_ending(told), _ends(told))


def _asking(told: Nudge) -> str:
    shown = told.preview
    what = escape(shown.heading, _TITLE + _HEADLINE)
    asker, until = escape(shown.asker.plain, 80), utc(shown.expires)
    return f"✋ {what}. {asker} waits for your decision until {until}."


def _asks(told: Nudge) -> list[Block]:
    shown = told.preview
    reminded = f"\nReminded {when(told.reminded_at)}." if told.reminded_at is not None else ""
    place = f" in the place of {mention(told.stands_for)}" if told.stands_for else ""
    words = section(
        f"✋ {bold(shown.titled, _TITLE)}{_more(shown)}\n"
        f"Asked by {mention(shown.asker)}, and it waits for you{place} until"
        f" {when(shown.expires)}.{reminded}"
    )
    home = link(told.home, "Home tab") if told.home else "Home tab"
    there = context(f"It stands in my {home} too, with the same buttons.", _name(told))
    if not is_web_address(told.card):
        return [words, there]
    return [words, actions(link_button("Open the card", told.card)), there]


def _more(shown: Preview) -> str:
    return f": {escape(shown.more, _HEADLINE)}" if shown.more else ""


def _ends(told: Nudge) -> list[Block]:
    title = link(told.card, told.preview.title) if told.card else bold(told.preview.title, _TITLE)
    by = f" by {mentions(told.by, '')}" if told.by else ""
    at = f" {when(told.at)}" if told.at is not None else ""
    return [section(f"{title}\n{_what_became(told, f'{by}{at}')}"), context(_name(told))]


def _ending(told: Nudge) -> str:
    by = f" by {names(told.by, '')}" if told.by else ""
    return f"{escape(told.preview.title, _TITLE)}: {_what_became(told, by)}"


def _what_became(told: Nudge, how: str) -> str:
    own = {Verdict.APPROVE: "You approved it. ", Verdict.DENY: "You rejected it. "}
    mine = own[told.own] if told.own is not None else ""
    done = "There is nothing for you to do any more."
    if told.became:
        return f"{escape(told.became, 300)}. {done}"
    if told.outcome is Outcome.OPEN:
        return f"👍 {mine}{done}"
    if told.is_alone:
        sign, words = BROKEN_GLASS
        return f"{sign} {words},{how}. {mine}{done}"
    sign, words = OUTCOME[told.outcome]
    return f"{sign} {words}{how}. {mine}{done}"


def _name(told: Nudge) -> str:
    return f"Request {code(told.preview.request, 80)}"
