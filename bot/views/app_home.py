"""A person's Home tab: what waits for them, their runs, what they answer for, their schedules.

Each section is a page of its list, cut where Home would grow too long; nothing is left out
without a button to it. How one thing looks is for `app_home_items`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slack_sdk.models.blocks import Block, ButtonElement, DividerBlock
from slack_sdk.models.views import View

from bot.views.pieces import actions, button, context, header, section, weight
from bot.wording import code, escape, joined, when

HOME_MORE = "home.more"
HOME_BACK = "home.back"
HOME_SETTINGS = "home.settings"


class Section(StrEnum):
    """The sections, in their order."""

    WAITING = "waiting"
    RUNS = "runs"
    OWNED = "owned"
    SCHEDULES = "schedules"
    DELEGATIONS = "delegations"


TITLES = {
    Section.WAITING: "Waiting for you",
    Section.RUNS: "My runs",
    Section.OWNED: "What I own",
    Section.SCHEDULES: "Schedules",
    Section.DELEGATIONS: "My delegations",
}
# How many things of each there are at once, and how much text: together what a message may hold.
MOST = {
    Section.WAITING: 5,
    Section.RUNS: 6,
    Section.OWNED: 4,
    Section.SCHEDULES: 5,
    Section.DELEGATIONS: 5,
}
CHARACTERS = {
    Section.WAITING: 4_800,
    Section.RUNS: 1_300,
    Section.OWNED: 2_800,
    Section.SCHEDULES: 1_200,
    Section.DELEGATIONS: 600,
}
_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of a section; `at` is its place in the whole list, counted from 0."""

    blocks: Sequence[Block]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A page of a section, which begins at `skip`; `more` is where the next one would."""

    items: Sequence[Item] = ()
    skip: int = 0
    more: int | None = None


def shelf_of(section: Section, found: Sequence[Sequence[Block]], *, skip: int) -> Shelf:
    """Return a page from what was found from `skip` on; one thing too many says there is more."""
    most = MOST[section]
    items = [Item(blocks=blocks, at=at) for at, blocks in enumerate(found[:most], start=skip)]
    return Shelf(items=items, skip=skip, more=skip + most if len(found) > most else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeShown:
    """Everything that stands on somebody's Home, already worded."""

    at: datetime
    command: str
    waiting: Shelf = field(default_factory=Shelf)
    reviews: Sequence[Sequence[Block]] = ()  # Of broken glass, before anything else that waits.
    count: str = ""  # How many things wait, where there are more than the page shows.
    said: str = ""  # What the reader decided a moment ago, as mrkdwn.
    why_never: str = ""  # Why no decision of this person counts.
    missing: str = ""  # Which role the reader would need to be shown what follows.
    runs: Shelf = field(default_factory=Shelf)
    ended: Sequence[Sequence[Block]] = ()
    owned: Shelf = field(default_factory=Shelf)
    owns: Sequence[str] = ()  # Titles of the workflows that the reader answers for.
    schedules: Shelf = field(default_factory=Shelf)
    delegations: Shelf = field(default_factory=Shelf)
    is_partial: bool = False  # Some group could not be read.


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationLine:
    """Somebody who decides in the place of another, until when, in mrkdwn; and what to press."""

    words: str
    buttons: Sequence[ButtonElement] = ()


def delegations(lines: Sequence[DelegationLine], *, skip: int = 0) -> Shelf:
    """Return the section of delegations from all there are; without any it is not shown."""
    skip = skip if skip < len(lines) else 0
    found = [
        [section(one.words), *([actions(*one.buttons)] if one.buttons else [])]
        for one in lines[skip:]
    ]
    return shelf_of(Section.DELEGATIONS, found, skip=skip)


def home_view(shown: HomeShown) -> View:
    """Build somebody's Home."""
    looked_at = (_runs, _owned, _schedules)
    blocks = [
        *_head(shown),
        *_waiting(shown),
        *(block for part in ((_missing,) if shown.missing else looked_at) for block in part(shown)),
        *_delegations(shown),
    ]
    return View(type="home", blocks=blocks)


def _head(shown: HomeShown) -> Iterator[Block]:
    settings = button("Settings", HOME_SETTINGS, "open", spoken="Settings of this page")
    words = f"As of {when(shown.at)}. Only you see this page; it follows what happens."
    yield section(words, accessory=settings)
    if shown.is_partial:
        yield context(
            "⚠️ Slack did not say just now who is in which group. Something may be missing."
        )


def _waiting(shown: HomeShown) -> Iterator[Block]:
    yield header(TITLES[Section.WAITING])
    if shown.said:
        yield context(shown.said)
    if shown.why_never:
        yield section(f"Nothing can wait for you here: {escape(shown.why_never, 200)}.")
        return
    if not (shown.waiting.items or shown.waiting.skip or shown.reviews):
        yield section(_nothing(shown.waiting))
    # Counted is what somebody was asked, and only a page shows what they may decide still.
    is_cut = shown.waiting.more is not None or shown.waiting.skip > 0
    if shown.count and shown.waiting.items and is_cut:
        yield context(shown.count)
    reviews = [block for item in shown.reviews for block in item]
    yield from reviews
    yield from _shelf(Section.WAITING, shown.waiting, used=weight(reviews))


def _nothing(waiting: Shelf) -> str:
    if waiting.more is not None:
        return "Nothing on this page waits for you any more."
    return (
        "Nothing waits for you. When somebody needs your approval or an answer of yours,"
        " it stands here with its buttons."
    )


def _missing(shown: HomeShown) -> Iterator[Block]:
    yield DividerBlock()
    yield section(f"🔒 {escape(shown.missing, 600)}")


def _runs(shown: HomeShown) -> Iterator[Block]:
    yield DividerBlock()
    yield header(TITLES[Section.RUNS])
    if not (shown.runs.items or shown.ended):
        start = code(f"{shown.command} run")
        yield section(f"You have not asked for a run yet. Start one in a channel: {start}.")
    yield from _shelf(Section.RUNS, shown.runs)
    if shown.ended:
        yield context("Ended last:")
        yield from (block for item in shown.ended for block in item)


def _owned(shown: HomeShown) -> Iterator[Block]:
    yield DividerBlock()
    yield header(TITLES[Section.OWNED])
    if shown.owned.items or shown.owned.skip:
        yield from _shelf(Section.OWNED, shown.owned)
    elif shown.owns:
        yield section(f"Nothing has stopped. You answer for {_named(shown.owns)}.")
    else:
        words = "You answer for no workflow. The file of each names its owner and its deputy."
        yield section(words)


def _named(titles: Sequence[str]) -> str:
    told = [escape(one, 100) for one in titles[:_NAMED]]
    more = len(titles) - len(told)
    return joined([*told, f"{more} more"] if more else told, "and")


def _schedules(shown: HomeShown) -> Iterator[Block]:
    yield DividerBlock()
    yield header(TITLES[Section.SCHEDULES])
    if not shown.schedules.items and not shown.schedules.skip:
        example = code(f"{shown.command} schedule WORKFLOW tomorrow 9am")
        yield section(f"You have no schedules. Set one in a channel: {example}.")
    yield from _shelf(Section.SCHEDULES, shown.schedules)


def _delegations(shown: HomeShown) -> Iterator[Block]:
    if shown.delegations.items or shown.delegations.skip:
        yield DividerBlock()
        yield header(TITLES[Section.DELEGATIONS])
        yield from _shelf(Section.DELEGATIONS, shown.delegations)


def _shelf(name: Section, shelf: Shelf, *, used: int = 0) -> Iterator[Block]:
    fitting = list(_fitting(shelf.items, CHARACTERS[name] - used))
    for item in fitting:
        yield from item.blocks
    left = shelf.items[len(fitting) :]
    more = left[0].at if left else shelf.more
    turns = []
    if shelf.skip:
        turns.append(_turn("Back to the first", HOME_BACK, name, 0))
    if more is not None:
        turns.append(_turn("Show more", HOME_MORE, name, more))
    if turns:
        yield actions(*turns)


def _turn(label: str, action_id: str, name: Section, skip: int) -> ButtonElement:
    return button(label, action_id, f"{name} {skip}", spoken=f"{label}: {TITLES[name]}")


def _fitting(items: Sequence[Item], room: int) -> Iterator[Item]:
    """Yield as many items as there is room for, the first in any case."""
    used = 0
    for number, item in enumerate(items):
        used += weight(item.blocks)
        if number and used > room:
            return
        yield item


def read_turn(value: str) -> tuple[Section, int] | None:
    """Return which section a button turns, and to where; None where it makes no sense."""
    name, _, skip = value.partition(" ")
    is_number = skip.isdecimal() and len(skip) < 8  # noqa: PLR2004 - no list is that long.
    return (Section(name), int(skip)) if name in set(Section) and is_number else None
