"""The private answer to `/ops audit RUN`: one run as a timeline, each line with its entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.views.lists import RunLine, run_words
from bot.views.paging import Listing, page_of
from bot.views.pieces import Rendered, section
from bot.wording import Who, code, escape, joined, mention, when

_WORDS, _NOTE = 400, 300
SIGNS = {"saw": "👀", "asked": "✋", "decided": "⚖️", "did": "▶️", "tried": "🚫"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One line: who did what, on whose approval; `notes` are what was shown and what it took."""

    index: int | None
    at: datetime
    did: str
    words: str
    actor: Who
    agreed: Sequence[tuple[Who, int | None]] = ()
    alone: Sequence[tuple[Who, int | None]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineShown:
    """A run's timeline, under the head of the log that covers it."""

    line: RunLine
    moments: Sequence[TimelineLine]
    head: str


def run_timeline(shown: TimelineShown, *, page: int = 1) -> Rendered:
    """Build the timeline of a run."""
    items = [[section(run_words(shown.line))]]
    items += [[section(_line(one))] for one in shown.moments]
    listing = Listing(
        title=f"Audit of run {shown.line.run}",
        command=f"audit {shown.line.run}",
        items=items,
        empty="",
        note=f"Signed under head {code(shown.head)}",
    )
    return page_of(listing, page)


def _line(one: TimelineLine) -> str:
    first = (
        f"{number(one.index)} {SIGNS[one.did]} {one.did} · {mention(one.actor)} · {when(one.at)}"
    )
    lines = [first, escape(one.words, _WORDS)]
    if one.agreed:
        lines.append(f"✅ on the approval of {_named(one.agreed)}")
    if one.alone:
        lines.append(f"🧯 on the breaking of the glass by {_named(one.alone)}")
    return "\n".join([*lines, *(escape(note, _NOTE) for note in one.notes)])


def _named(people: Sequence[tuple[Who, int | None]]) -> str:
    return joined([f"{mention(who)} ({number(index)})" for who, index in people], "and")


def number(index: int | None) -> str:
    """Return an entry's number as text; a pending one has none yet."""
    return code("#…" if index is None else f"#{index}")
