"""Long lists in pages that fit one message each, with buttons to the others.

Nothing is cut silently: each page says which items it shows and of how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot import limits
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    context,
    header,
    message_weight,
    rendered,
    section,
)
from bot.wording import clip, escape

PAGE_EARLIER = "list.earlier"
PAGE_LATER = "list.later"

_BLOCKS = limits.MESSAGE_BLOCKS - 6  # Title, position and buttons need a few.
_CHARACTERS = limits.MESSAGE_CHARACTERS - 1_500 - 3 * limits.BLOCK_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list to show. `command` is what was asked, so that a button can ask it again."""

    title: str
    command: str
    items: Sequence[Sequence[Block]]
    empty: str  # What to do when there is nothing, as mrkdwn.
    note: str = ""


def page_of(listing: Listing, page: int = 1) -> Rendered:
    """Build one page; a page that does not exist becomes the nearest that does."""
    if not listing.items:
        return rendered(
            f"{escape(listing.title, 200)}: {listing.empty}",
            [header(listing.title), section(listing.empty)],
        )
    pages = _pages(listing.items)
    page = min(max(page, 1), len(pages))
    before = sum(len(one) for one in pages[: page - 1])
    shown = pages[page - 1]
    total = len(listing.items)
    position = _position(before + 1, before + len(shown), f"of {total}", is_all=pages[1:] == [])
    blocks = [
        header(listing.title),
        *(block for item in shown for block in item),
        context(position, listing.note),
    ]
    turns = _turns(listing, page, len(pages))
    return rendered(f"{escape(listing.title, 200)}: {position}", [*blocks, *turns])


def part_of(listing: Listing, page: int, *, size: int, total: int, is_cut: bool) -> Rendered:
    """Build one page of a list of which only this page was read: `size` items of `total`.

    `is_cut` says that nobody knows of how many.
    """
    if not listing.items and page == 1:
        return page_of(listing)
    first = (page - 1) * size + 1
    last = first + len(listing.items) - 1
    of = f"of {'the newest ' * is_cut}{total:,}"
    is_all = len(listing.items) == total and not is_cut
    position = (
        _position(first, last, of, is_all=is_all) if listing.items else f"no page {page} {of}"
    )
    blocks = [
        header(listing.title),
        *(block for item in listing.items for block in item),
        context(position, listing.note),
    ]
    turns = _turns(listing, page, -(-total // size))
    return rendered(f"{escape(listing.title, 200)}: {position}", [*blocks, *turns])


def _position(first: int, last: int, of: str, *, is_all: bool) -> str:
    """Say which items a page shows, and of how many: `11 to 20 of 40`, `3 in all`."""
    if is_all:
        return f"{last} in all"
    return f"{first} {of}" if first == last else f"{first} to {last} {of}"


def _pages(items: Sequence[Sequence[Block]]) -> list[list[Sequence[Block]]]:
    pages: list[list[Sequence[Block]]] = [[]]
    blocks = characters = 0
    for item in items:
        size = message_weight(item)
        if pages[-1] and (blocks + len(item) > _BLOCKS or characters + size > _CHARACTERS):
            pages.append([])
            blocks = characters = 0
        pages[-1].append(item)
        blocks, characters = blocks + len(item), characters + size
    return pages


def _turns(listing: Listing, page: int, last: int) -> list[Block]:
    buttons = [
        button(label, action, page_value(listing.command, to))
        for label, action, to in (
            ("Earlier in the list", PAGE_EARLIER, page - 1),
            ("Further", PAGE_LATER, page + 1),
        )
        if 1 <= to <= last
    ]
    return [actions(*buttons)] if buttons else []


def page_value(command: str, page: int) -> str:
    """Return what a page button carries."""
    return f"{page} {clip(command, limits.BUTTON_VALUE - 20)}"


def read_page_value(value: str) -> tuple[str, int]:
    """Return the command and the page of a button's value; page 1 where it makes no sense."""
    number, _, command = value.partition(" ")
    return command, int(number) if number.isdecimal() and len(number) < 6 else 1  # noqa: PLR2004 - no list has that many pages.
