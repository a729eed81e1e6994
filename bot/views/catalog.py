"""What became of a workflow, and what a version changes: private answers to `/ops`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.views.paging import Listing, page_of, part_of
from bot.views.pieces import Rendered, plain_section, section
from bot.wording import clip, escape, is_web_address, link, when

HISTORY_PAGE = 10  # Changes of one page.
_WORDS, _LINE = 900, 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One change of a workflow's place in the catalog; `thread` is where people decided it."""

    at: datetime
    index: int | None
    words: str
    thread: str = ""


def change_list(workflow: str, changes: Sequence[ChangeLine], *, page: int, total: int) -> Rendered:
    """Build a page of a workflow's history, of whose changes only these were read."""
    listing = Listing(
        title=f"History of {workflow}",
        command=f"history {workflow}",
        items=[[section(_change(one))] for one in changes],
        empty="Nothing is known of it.",
    )
    return part_of(listing, page, size=HISTORY_PAGE, total=total, is_cut=False)


def _change(line: ChangeLine) -> str:
    number = "" if line.index is None else f"#{line.index} · "
    thread = f" · {link(line.thread, 'the decision')}" if is_web_address(line.thread) else ""
    return f"{number}{when(line.at)}{thread}\n{escape(line.words, _WORDS)}"


def difference_page(title: str, lines: Sequence[str], *, command: str, page: int = 1) -> Rendered:
    """Build what a version changes, line by line. They hold words of the file, so none is live."""
    listing = Listing(
        title=title,
        command=command,
        items=[[plain_section(clip(one, _LINE))] for one in lines],
        empty="Nothing differs.",
    )
    return page_of(listing, page)
