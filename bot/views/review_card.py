"""The card about a broken glass: an alert for the channel, and the question for its reviewers."""

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.views.pieces import (
    Rendered,
    actions,
    button,
    context,
    header,
    plain_section,
    rendered,
    section,
)
from bot.wording import Who, bold, clip, code, escape, link, mention, mentions, names, utc, when
from workflows.glass import Finding

RIGHT = "glass.right"
NOT_RIGHT = "glass.not_right"

_WORDS = 1_000
_FOUND = {
    Finding.RIGHT: ("✅", "It was right"),
    Finding.NOT_RIGHT: ("⛔", "It was not right"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a reviewer said."""

    finding: Finding
    by: Who
    at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard:
    """One use of the glass, as it stands now."""

    use: str
    run: str
    step: str
    title: str
    what: str  # The step in one line.
    by: Who
    at: datetime
    review_by: datetime
    asked: tuple[Who, ...]
    reason: str = ""
    requester: Who | None = None
    is_overdue: bool = False
    reviewed: Reviewed | None = None
    thread: str = ""  # The address of the run's first message.


def review_card(card: ReviewCard) -> Rendered:
    """Build the alert with its question, or the record of the review."""
    blocks: list[Block] = [
        header(f"Glass broken: {card.title}"),
        section(_what_happened(card)),
        plain_section(clip(card.what, _WORDS)),
        context("The reason, in their words:"),
        plain_section(clip(card.reason or "It was erased.", _WORDS)),
    ]
    if card.reviewed is not None:
        return rendered(
            _record_sentence(card, card.reviewed),
            [*blocks, *_record(card.reviewed), context(*_ids(card))],
        )
    question = [section(_asked(card)), review_buttons(card)]
    return rendered(_sentence(card), [*blocks, *question, context(*_ids(card))])


def review_buttons(card: ReviewCard) -> ActionsBlock:
    """Return the two answers."""
    title = clip(card.title, 150)
    return actions(
        button("It was right", RIGHT, card.use, style="primary", spoken=f"It was right: {title}"),
        button("It was not right", NOT_RIGHT, card.use, spoken=f"It was not right: {title}"),
    )


def reminder(card: ReviewCard, place: str) -> Rendered:
    """Build the line that reminds the reviewers; `place` is the address of the card."""
    there = f" {link(place, 'The card')} has the buttons." if place else ""
    told = (
        f"⏰ {mentions(card.asked, 'Whoever reviews it')}: {mention(card.by)} broke the glass over"
        f" {bold(card.title, 150)} {when(card.at)}, and nobody has reviewed it. It was due"
        f" {when(card.review_by)}; until then that group cannot break the glass again.{there}"
    )
    people = names(card.asked, "Somebody")
    line = f"⏰ {people} has to review a broken glass: {escape(card.title, 150)}."
    return rendered(line, [section(told), context(*_ids(card))])


def _sentence(card: ReviewCard) -> str:
    who, title = escape(card.by.plain, 80), escape(card.title, 150)
    people = names(card.asked, "somebody")
    return f"🧯 {who} broke the glass: {title}. {people} reviews it until {utc(card.review_by)}."


def _what_happened(card: ReviewCard) -> str:
    asker = f" Asked for by {mention(card.requester)}." if card.requester is not None else ""
    return f"🧯 {mention(card.by)} decided alone, {when(card.at)}.{asker}"


def _asked(card: ReviewCard) -> str:
    people = mentions(card.asked, "Whoever reviews it")
    late = "⏰ *Overdue.* " if card.is_overdue else ""
    return f"{late}{people}, was that right? Please say so until {when(card.review_by)}."


def _record(reviewed: Reviewed) -> list[Block]:
    sign, words = _FOUND[reviewed.finding]
    said = [plain_section(clip(reviewed.comment, _WORDS))] if reviewed.comment else []
    line = f"{sign} {bold(words)}, says {mention(reviewed.by)} · {when(reviewed.at)}"
    return [section(line), *said]


def _record_sentence(card: ReviewCard, reviewed: Reviewed) -> str:
    sign, words = _FOUND[reviewed.finding]
    by = escape(reviewed.by.plain, 80)
    return f"{sign} Glass broken, {escape(card.title, 150)}: {words}, says {by}."


def _ids(card: ReviewCard) -> list[str]:
    return [
        f"Run {code(card.run)} · step {code(card.step)}",
        link(card.thread, "Open the run's thread") if card.thread else "",
    ]
