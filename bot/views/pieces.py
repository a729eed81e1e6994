"""The small parts that every view is built from, each within Slack's limits.

A view says what stands where; here is how a text, a row of words, a button or a finished
message looks. Words arrive as they were written: plain pieces clean them, and views escape
what they put into mrkdwn.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    PlainTextObject,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
    SectionBlock,
)

from bot import limits
from bot.wording import NOTHING, clean, clip, clip_marked, length, one_line

MEANT = "command.meant"  # A button that does what it says; its value is the command.
OPEN_LINK = "link.open"  # A button with an address clicks too; its listener only acknowledges.
MOVE = "run.move"  # A button beside a run; its value is the run and a newer version.
MOVE_FORM = "run.move_form"
_PREFORMATTED = 2_000
# Texts of these keys are shown to people, so they count against a message's budget.
_SHOWN = frozenset({"text", "label", "title", "caption", "name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message as it goes to Slack: one full sentence for notifications, and blocks."""

    text: str
    blocks: tuple[Block, ...]

    @property
    def payload(self) -> dict[str, Any]:
        """Return the arguments of `chat.postMessage` and `chat.update` that make it up."""
        return {"text": self.text, "blocks": [block.to_dict() for block in self.blocks]}


def rendered(text: str, blocks: Iterable[Block]) -> Rendered:
    """Return a message; `text` is already escaped where people's words stand in it."""
    words = clip_marked(text, limits.MESSAGE_TEXT).strip() or NOTHING
    return Rendered(text=words, blocks=tuple(blocks))


def mrkdwn(text: str, most: int = limits.TEXT) -> MarkdownTextObject:
    """Return formatted text. Verbatim: Slack adds no links or mentions of its own."""
    return MarkdownTextObject(text=clip_marked(text, most).strip() or NOTHING, verbatim=True)


def plain(text: str, most: int = limits.TEXT) -> PlainTextObject:
    """Return text that Slack shows letter by letter."""
    return PlainTextObject(text=clip(clean(text), most).strip() or NOTHING, emoji=False)


def section(text: str, *, accessory: ButtonElement | None = None) -> SectionBlock:
    """Return a paragraph of mrkdwn."""
    return SectionBlock(text=mrkdwn(text), accessory=accessory)


def plain_section(text: str) -> SectionBlock:
    """Return a paragraph of people's or services' words."""
    return SectionBlock(text=plain(text))


def preformatted(text: str) -> RichTextBlock:
    """Return lines that keep their columns."""
    shown = clip(clean(text).strip("\n"), _PREFORMATTED) or NOTHING
    return RichTextBlock(
        elements=[
            RichTextPreformattedElement(elements=[RichTextElementParts.Text(text=shown)]),
        ]
    )


def header(text: str) -> HeaderBlock:
    """Return a first line."""
    return HeaderBlock(text=plain(one_line(text), limits.HEADER))


def context(*lines: str) -> ContextBlock:
    """Return small lines; empty ones are left out."""
    told = [line for line in lines if line][: limits.CONTEXT_ELEMENTS]
    return ContextBlock(elements=[mrkdwn(line) for line in told or [NOTHING]])


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
    spoken: str = "",
) -> ButtonElement:
    """Return a button that carries an id; `spoken` is what a screen reader says instead."""
    return ButtonElement(
        text=plain(one_line(label), limits.BUTTON),
        action_id=action_id,
        value=clip(value, limits.BUTTON_VALUE) or None,
        style=style,
        confirm=confirm,
        accessibility_label=clip(one_line(spoken), limits.BUTTON) or None,
    )


def link_button(label: str, url: str) -> ButtonElement:
    """Return a button that leads to an address, for a reader who sees no links in the text."""
    return ButtonElement(
        text=plain(one_line(label), limits.BUTTON), action_id=OPEN_LINK, url=url, style="primary"
    )


def confirm(title: str, text: str, *, yes: str, no: str = "Back") -> ConfirmObject:
    """Return the question that is asked before a button counts."""
    return ConfirmObject(
        title=plain(title, limits.CONFIRM_TITLE),
        text=plain(text, limits.CONFIRM_TEXT),
        confirm=plain(yes, limits.CONFIRM_BUTTON),
        deny=plain(no, limits.CONFIRM_BUTTON),
    )


def actions(*elements: InteractiveElement) -> ActionsBlock:
    """Return a row of things to press."""
    return ActionsBlock(elements=list(elements))


def sections(lines: Sequence[str]) -> list[Block]:
    """Return mrkdwn lines, each shorter than a text may be, in as few paragraphs as fit."""
    texts: list[str] = []
    for line in lines:
        if texts and length(texts[-1]) + 1 + length(line) <= limits.TEXT:
            texts[-1] = f"{texts[-1]}\n{line}"
        else:
            texts.append(line)
    return [section(text) for text in texts]


def paragraphs(lines: Sequence[str], *, most: int = limits.TEXT) -> Iterator[str]:
    """Yield `lines` joined into as few texts as fit; a line that is longer is continued."""
    text = ""
    for line in _folded(lines, most):
        joined = f"{text}\n{line}" if text else line
        if length(joined) > most:
            yield text
            joined = line
        text = joined
    if text:
        yield text


def _folded(lines: Iterable[str], most: int) -> Iterator[str]:
    half = most // 2  # A character is at most two units long.
    for line in lines:
        told = one_line(line)
        if length(told) <= most:
            yield told
        else:
            yield from (told[start : start + half] for start in range(0, len(told), half))


def weight(blocks: Iterable[Block]) -> int:
    """Return how many characters of text `blocks` show."""
    return sum(_weight(block.to_dict()) for block in blocks)


def message_weight(blocks: Sequence[Block]) -> int:
    """Return how much of `limits.MESSAGE_CHARACTERS` they take, as Slack counts a message."""
    return weight(blocks) + limits.BLOCK_CHARACTERS * len(blocks)


def _weight(value: object) -> int:
    if isinstance(value, dict):
        own = sum(length(value[key]) for key in _SHOWN if isinstance(value.get(key), str))
        return own + sum(_weight(one) for one in value.values())
    return sum(_weight(one) for one in value) if isinstance(value, list) else 0
