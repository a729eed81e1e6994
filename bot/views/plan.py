"""What will run, as blocks: the head of it for a card, the whole in pages for a modal.

All of it comes from the preview, in plain text, letter by letter. Nothing is cut silently:
`Head.is_whole` says whether everything could be read, and the card acts on it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block, PlainTextObject, SectionBlock

from bot import limits
from bot.views.pieces import context, paragraphs, plain, plain_section, section
from bot.views.request_limits import in_words
from bot.views.request_values import Preview
from bot.wording import Who, clean, clip, escape, length, mention, one_line, plural, when
from workflows.own_workflows import IN_FULL, TOLD_BY_PLAN, is_ours, is_own

# Of a proposal or a review a card shows the beginning, which is written to be read there.
_OWN_ROWS = 14
# Together with the rest of a card these stay below what one message may hold.
PLAN, INPUTS, CHANGES = 2_400, 2_400, 800
WILL, WAS = "What will run", "What was asked"
MOST_INPUTS = 20
_ONE_VALUE = 600
_BESIDE_ANOTHER = 120
_PAGE_BLOCKS = 80
_PAGE_BYTES = 180_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """As much of a plan as a card has room for."""

    blocks: tuple[Block, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    rows: tuple[str, ...]
    left: int  # Rows that are missing or not complete.


def head_of(shown: Preview, *, is_over: bool = False, share: int = 1) -> Head:
    """Return the plan, what changed, and what the requester typed, as far as there is room.

    Once it is over, nothing of it is still to come, and its heading says so. Where much else
    stands beside it, it has only one in `share` of its room.
    """
    told = [one_line(line) for line in (shown.headline, *shown.lines)]
    plan = _head(told, PLAN // share, _most_rows(shown, told))
    changes = _head([one_line(line) for line in shown.changed], CHANGES // share)
    typed = typed_head(shown, share=share)
    blocks = [
        section(f"*{WAS if is_over else WILL}* ({effect_words(shown)})"),
        plain_section("\n".join(plan.rows)),
        *_left(plan.left + shown.hidden, "line", "of the plan"),
        *_changes(changes),
        *typed.blocks,
    ]
    left = plan.left + changes.left + shown.hidden
    return Head(blocks=tuple(blocks), is_whole=left == 0 and typed.is_whole)


def _most_rows(shown: Preview, told: Sequence[str]) -> int:
    """Return how many lines of the plan are for a card."""
    if not is_ours(shown.workflow):
        return limits.TABLE_ROWS
    in_short = told.index(IN_FULL) if IN_FULL in told else len(told)
    return min(in_short, _OWN_ROWS)


def typed_head(shown: Preview, *, share: int = 1) -> Head:
    """Return what the requester typed, as far as there is room; a plan repeats a proposal's."""
    if is_own(shown.workflow):
        beside = tuple(row for row in shown.inputs if row[0] not in TOLD_BY_PLAN)
        shown = shown.model_copy(update={"inputs": beside})
    told = [_row(title, value) for title, value in shown.inputs]
    inputs = _head(told, INPUTS // share, MOST_INPUTS // share)
    return Head(blocks=tuple(_typed(shown, inputs)), is_whole=inputs.left == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All there is to read about a small request: the plan's lines, and what was typed.

    `live` are those of the values that Slack shows better for each reader, in mrkdwn.
    """

    plan: str
    typed: str
    live: str


def brief_of(shown: Preview, most: int) -> Brief | None:
    """Return everything an approver has to read, None where it is longer than `most`."""
    changed = [f"Changed: {line}" for line in shown.changed]
    told = (shown.headline, *shown.lines, *changed, *in_words(shown))
    plan = "\n".join(one_line(line) for line in told)
    rows = [(_row(*row), _live_row(shown, number)) for number, row in enumerate(shown.inputs)]
    typed = "\n".join(row for row, live in rows if not live)
    live = "\n".join(live for _, live in rows if live)
    is_whole = not shown.hidden and length(plan) + length(typed) + length(live) <= most
    return Brief(plan=clean(plan), typed=typed, live=live) if is_whole else None


def effect_words(shown: Preview) -> str:
    """Say what sort of effect a step has."""
    names = {
        "destructive": "it cannot be undone",
        "write": "it changes data",
        "egress": "it sends data out",
        "read": "it only reads",
    }
    return names.get(shown.effect, "effect unknown")


def _row(title: str, value: str) -> str:
    return f"{one_line(title)}: {clean(value)}"


def _head(rows: Sequence[str], budget: int, most: int = limits.TABLE_ROWS) -> _Cut:
    kept: list[str] = []
    cut, used = 0, 0
    for row in rows[:most]:
        told = clip(row, _ONE_VALUE)
        used += length(told) + 1
        if used > budget:
            break
        cut += told != row
        kept.append(told)
    return _Cut(rows=tuple(kept), left=len(rows) - len(kept) + cut)


def _left(count: int, noun: str, of_what: str) -> Iterator[Block]:
    if count:
        verb = "is" if count == 1 else "are"
        what = f"{plural(count, noun)} {of_what}".strip()
        yield context(f"… {what} {verb} not shown here in full.")


def _changes(changes: _Cut) -> Iterator[Block]:
    if changes.rows:
        yield section("*What changed since it was asked before*")
        yield plain_section("\n".join(changes.rows))
    yield from _left(changes.left, "change", "")


def typed_by(shown: Preview) -> str:
    """Say whose words the values of the form are."""
    asked = "The requester typed" if shown.requester is not None else "It was started with"
    return f"{asked}, and others changed" if shown.was_changed else asked


def _typed(shown: Preview, inputs: _Cut) -> Iterator[Block]:
    if shown.inputs:
        yield section(f"*{typed_by(shown)}*")
        yield from _rows(shown, inputs.rows)
    yield from _left(inputs.left, "field", "of the form")


def _rows(shown: Preview, rows: Sequence[str]) -> Iterator[Block]:
    """Yield the rows; people and moments as Slack shows them to each reader."""
    waiting: list[str] = []
    for number, row in enumerate(rows):
        told = _live_row(shown, number)
        if told:
            yield from beside(waiting)
            yield section(told)
            waiting = []
        else:
            waiting.append(row)
    yield from beside(waiting)


def _live_row(shown: Preview, number: int) -> str:
    """Return a value with its title as Slack shows it best, nothing for an ordinary one."""
    told = _live(shown, number)
    return f"{escape(one_line(shown.inputs[number][0]), 200)}: {told}" if told else ""


def _live(shown: Preview, number: int) -> str:
    here = ((kind, what) for row, kind, what in shown.live if row == number)
    found = [_SHOWN[kind](what) for kind, what in here if kind in _SHOWN]
    return ", ".join(found)


_SHOWN: Mapping[str, Callable[[str], str]] = {
    "user": lambda user: mention(Who(name=user, user=user)),
    "moment": lambda at: when(datetime.fromisoformat(at)),
}


def beside(rows: Sequence[str]) -> Iterator[Block]:
    """Yield rows in two columns, long ones and those with line breaks across both."""
    short: list[PlainTextObject] = []
    for row in rows:
        is_short = length(row) <= _BESIDE_ANOTHER and "\n" not in row
        if short and (not is_short or len(short) == limits.FIELDS):
            yield SectionBlock(fields=short)
            short = []
        if is_short:
            short.append(plain(row, limits.FIELD))
        else:
            yield plain_section(row)
    if short:
        yield SectionBlock(fields=short)


def pages_of(shown: Preview, whole: Sequence[str] | None = None) -> list[list[Block]]:
    """Return everything an approver has to read, in as few pages as a modal can show.

    `whole` are all lines of the plan, where the preview holds only the first of them.
    """
    return list(paged([*paragraphs(lines_of(shown, whole)), *_beside(shown), *typed_texts(shown)]))


def lines_of(shown: Preview, whole: Sequence[str] | None = None) -> list[str]:
    """Return what will run, line by line."""
    return [shown.headline, *(shown.lines if whole is None else whole)]


def _beside(shown: Preview) -> Iterator[str]:
    """Yield what limits it, and what changed since it was asked before."""
    yield from paragraphs(list(in_words(shown)))
    if shown.changed:
        yield "What changed since it was asked before:"
        yield from paragraphs(shown.changed)


def item_texts(shown: Preview, name: str, whole: Sequence[str] | None = None) -> list[str]:
    """Return everything about one of several requests but what all of them share."""
    first, *rest = lines_of(shown, whole)
    return [*paragraphs([f"{name} {first}", *rest]), *_beside(shown)]


def typed_texts(shown: Preview) -> list[str]:
    """Return everything that the requester typed."""
    typed = [part for title, value in shown.inputs for part in _row(title, value).split("\n")]
    return [f"{typed_by(shown)}:", *paragraphs(typed)] if shown.inputs else []


def paged(texts: Sequence[str]) -> Iterator[list[Block]]:
    """Yield plain texts in as few pages as a modal can show."""
    page: list[Block] = []
    used = 0
    for text in texts:
        size = len(json.dumps(text)) + 100  # The block around it.
        if page and (len(page) == _PAGE_BLOCKS or used + size > _PAGE_BYTES):
            yield page
            page, used = [], 0
        page.append(plain_section(text))
        used += size
    yield page
