"""What a conversation comes to: quotes with their messages, for one reader, then for the thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import Rendered, context, plain, rendered, section, sections
from bot.wording import Who, bold, code, escape, link, mention, plural, when

THREAD_SUMMARISE = "thread.summarise"  # The message shortcut.
THREAD_SHARE = "thread.share"

_QUOTE, _STORY, _LINK = 400, 300, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence of somebody's, and the message it stands in."""

    author: str
    text: str
    at: datetime
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a language model wrote of it, without the sentences that nothing bears out."""

    sentences: tuple[str, ...]
    dropped: int
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadShown:
    """A conversation in a few sentences; `story` is that of the run whose thread it is."""

    key: str
    lines: tuple[Line, ...]
    messages: int
    people: int
    story: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    is_cut: bool = False
    written: Written | None = None


def summary_modal(shown: ThreadShown) -> View:
    """Build the summary that only its reader sees, with the button that shares it."""
    return View(
        type="modal",
        callback_id=THREAD_SHARE,
        private_metadata=shown.key,
        title=plain("Summary", limits.VIEW_TITLE),
        submit=plain("Share in thread", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[*_blocks(shown), context("Only you see this until you share it.")],
    )


def shared_summary(shown: ThreadShown, *, by: Who) -> Rendered:
    """Build the summary as it stands in the thread."""
    told = f"🧾 Summary of {plural(shown.messages, 'message')}, shared by {escape(by.plain, 80)}"
    blocks = [*_blocks(shown), context(f"Shared by {mention(by)}")]
    return rendered(told, blocks)


def _blocks(shown: ThreadShown) -> Iterator[Block]:
    if shown.story:
        lines = [f"• {escape(one, _STORY)}" for one in shown.story]
        yield from sections([bold("The run of this thread"), *lines])
    if shown.written is not None:
        yield from _by_model(shown.written)
    if shown.lines:
        yield section(f"🧾 {_extent(shown)}")
        yield from sections([_line(one) for one in shown.lines])
    if shown.is_cut:
        yield context(f"Only the first {plural(shown.messages, 'message')} were read.")
    quoted = "Quoted word for word and chosen by rule; nothing here was written anew."
    yield context(quoted if shown.written is None else "The quotes are word for word.")


def _by_model(written: Written) -> Iterator[Block]:
    lines = [f"• {escape(one, _QUOTE)}" for one in written.sentences]
    yield from sections([f"🤖 *A language model wrote this* ({code(written.model)})", *lines])
    left = f" Left out: {plural(written.dropped, 'sentence')}." if written.dropped else ""
    yield context(
        f"Its names, numbers and outcomes stand in the thread.{left} Nobody checked more."
    )


def _extent(shown: ThreadShown) -> str:
    said = f"{plural(shown.messages, 'message')} of {plural(shown.people, 'person', 'people')}"
    if shown.since is None or shown.until is None or shown.messages == 1:
        return said
    return f"{said}, {when(shown.since)} to {when(shown.until)}"


def _line(line: Line) -> str:
    there = link(line.link, "message") if len(line.link) <= _LINK else "message"
    return f"• {bold(line.author, 80)} “{escape(line.text, _QUOTE)}” {there} · {when(line.at)}"
