"""Being away as people see it: the question before it counts, the list, what others are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import limits
from bot.local_time import Told
from bot.views.notice import notice
from bot.views.paging import Listing, page_of
from bot.views.pieces import Rendered, actions, button, context, plain, rendered, section
from bot.views.request_modals import code_input
from bot.wording import Who, bold, code, escape, link, mention, when

DELEGATION_CONFIRM = "delegation.confirm"
DELEGATION_DROP = "delegation.drop"
DELEGATION_END = "delegation.end"
DELEGATION_FORM = "delegation.form"

_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayProposal:
    """A time away that would be recorded. Without `stand_in` nobody decides meanwhile."""

    until: Told
    stand_in: Who | None
    reason: str = ""
    warning: str = ""  # What makes it useless, if anything.


def away_proposal(shown: AwayProposal, *, draft: str) -> Rendered:
    """Build the private question before somebody is away; its buttons carry the draft."""
    utc = "" if shown.until.local == shown.until.utc else f" · {escape(shown.until.utc, 60)}"
    note = f"\n⚠️ {escape(shown.until.note, 200)}" if shown.until.note else ""
    until = f"You would be away until *{escape(shown.until.local, 100)}*{utc}{note}"
    lines = [until, _meanwhile(shown.stand_in)]
    if shown.reason:
        lines.append(f"Your reason: “{escape(shown.reason, _REASON)}”")
    if shown.warning:
        lines.append(f"⚠️ {escape(shown.warning, 200)}")
    blocks: list[Block] = [
        section("\n".join(lines)),
        context("Nothing is recorded yet. It counts for requests that are open already, too."),
        actions(
            button("Confirm", DELEGATION_CONFIRM, draft, style="primary"),
            button("Cancel", DELEGATION_DROP, "drop"),
        ),
    ]
    return rendered(f"Away until {escape(shown.until.line, 200)}?", blocks)


def _meanwhile(stand_in: Who | None) -> str:
    if stand_in is None:
        return "Nobody would decide in your place, and you would not be reminded of anything."
    return f"{mention(stand_in)} would decide in your place, and be reminded instead of you."


def lending_modal(stand_in: Who, until: Told, *, draft: str) -> View:
    """Build the question for a code of whoever lets another decide what codes are wanted for."""
    return View(
        type="modal",
        callback_id=DELEGATION_FORM,
        private_metadata=draft,
        title=plain("Let another decide", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Confirm", limits.VIEW_TITLE),
        blocks=[
            section(
                f"{mention(stand_in)} decides in your place until {escape(until.line, 200)}, also"
                " what needs a code from you."
            ),
            code_input(),
        ],
    )


def away_modal(words: str) -> View:
    """Build what takes its place once it is recorded; `words` are mrkdwn."""
    return View(
        type="modal",
        title=plain("You are away", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section(words)],
    )


def away_words(until: Told, stand_in: Who | None, *, command: str) -> str:
    """Return what is said once it is recorded, as mrkdwn."""
    who = f"{mention(stand_in)} decides in your place" if stand_in else "Nobody stands in for you"
    back = f"{code(f'{command} delegations')} has a button for when you are back earlier."
    return f"🏝️ You are away until {escape(until.line, 200)}. {who}.\n{back}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayLine:
    """Somebody who is away. `ends` is what their own button carries, empty for others."""

    who: Who
    stand_in: Who | None
    until: datetime
    is_for_reader: bool = False  # The reader stands in for them.
    ends: str = ""


def delegation_list(
    lines: Sequence[AwayLine], *, page: int = 1, name: str = "/ops", note: str = ""
) -> Rendered:
    """Build the list of who is away: the reader, whom they stand in for, then the others."""
    ordered = sorted(lines, key=lambda one: (not one.ends, not one.is_for_reader))
    listing = Listing(
        title="Who is away",
        command="delegations",
        items=[_item(one) for one in ordered],
        empty=f"Nobody is. Say it with {code(f'{name} delegate @somebody until tomorrow 18:00')}.",
        note=note,
    )
    return page_of(listing, page)


def _item(line: AwayLine) -> list[Block]:
    told = section(f"🏝️ {_who(line)} until {when(line.until)} · {_stands_in(line)}")
    if not line.ends:
        return [told]
    return [told, actions(button("I am back", DELEGATION_END, line.ends))]


def _who(line: AwayLine) -> str:
    return "*You are away*" if line.ends else f"{mention(line.who)} is away"


def _stands_in(line: AwayLine) -> str:
    if line.is_for_reader:
        return "*you stand in*"
    return "nobody stands in" if line.stand_in is None else f"{mention(line.stand_in)} stands in"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Word to somebody that they decide for another; `is_over` once they do not any more."""

    giver: Who
    until: datetime
    is_over: bool
    reason: str = ""


def stand_in_message(shown: StandIn) -> Rendered:
    """Build what is told to whoever stands in."""
    if shown.is_over:
        return notice(f"🤝 You no longer stand in for {mention(shown.giver)}.")
    why = f"\nTheir reason: “{escape(shown.reason, _REASON)}”" if shown.reason else ""
    return notice(
        f"🤝 {mention(shown.giver)} is away until {when(shown.until)}, and you decide in their"
        " place: whatever waits for them waits for you. The cards say for whom you decided."
        f"{why}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deserted:
    """A request of which nobody is there who could decide it."""

    heading: str
    back_at: datetime
    expires: datetime
    card: str = ""


def deserted_message(shown: Deserted) -> Rendered:
    """Build what is told to the requester."""
    card = f" {link(shown.card, 'See the request')}." if shown.card else ""
    return notice(
        f"🏝️ {bold(shown.heading, 400)} waits for people who are all away."
        f" The first is back {when(shown.back_at)}; the request is open until"
        f" {when(shown.expires)}.{card}"
    )
