"""The card of a batch: items of one loop, each with a request of its own, decided together.

What all have in common stands once, each item in a line. What does not fit is behind Review,
and so is Approve then. Afterwards the card says who decided which item.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.views.batch_values import BatchCard, number_of, numbers, row_of
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    confirm,
    context,
    header,
    paragraphs,
    plain_section,
    rendered,
    section,
)
from bot.views.plan import WAS, WILL, effect_words, typed_head
from bot.views.request_limits import in_words
from bot.views.request_progress import asked_because, asked_now, who_may_decide
from bot.views.request_values import RequestCard, Vote
from bot.views.symbols import OUTCOME, became
from bot.wording import (
    bold,
    clip,
    code,
    escape,
    length,
    link,
    mention,
    plural,
    utc,
    when,
)
from workflows.gate import Outcome, Verdict

WHAT_COMES = "Each item runs once approved. Rejected, or not decided by then, it does not."

APPROVE_ALL = "batch.approve"
DECIDE_EACH = "batch.decide"
REJECT_ALL = "batch.reject"
REVIEW_ALL = "batch.review"
TAKE_ALL_BACK = "batch.take_back"

# Together with what all have in common these stay below what one message may hold.
_ITEMS, _ROW, _TYPED = 4_000, 400, 1_200
_RECORDS, _COMMENT = 10, 120
_AT_ONCE = timedelta(seconds=5)
_OPEN_SIGN = "▫️"


def batch_card(card: BatchCard) -> Rendered:
    """Build the card of a batch in whatever state its items are."""
    shown = card.shown
    blocks: list[Block] = [
        header(card.words),
        section(_state(card)),
        section(f"*{WILL if card.open else WAS} for each* ({effect_words(shown)})"),
        *_items(card),
        *_typed(card),
        *_to_come(card),
        *_who(card),
        *_record(card),
        context(*_ids(card)),
    ]
    row = buttons(card, card.open)
    return rendered(_sentence(card), [*blocks, row] if row is not None else blocks)


def is_whole(card: BatchCard) -> bool:
    """Say whether everything there is to read about the open items stands on the card."""
    rows = [_row(one) for one in card.items]
    fits = len(_fitting(rows)) == len(rows)
    is_short = all(length(row_of(one)) <= _ROW for one in card.open)
    has_more = any(one.preview.hidden or any(in_words(one.preview)) for one in card.open)
    return fits and is_short and not has_more and _is_typed_whole(card)


def _is_typed_whole(card: BatchCard) -> bool:
    typed = typed_head(card.shown)
    return typed.is_whole and sum(length(row) for _, row in card.shown.inputs) <= _TYPED


def _sentence(card: BatchCard) -> str:
    """Return the line for phones."""
    shown, what = card.shown, escape(card.words, 300)
    asker = escape(shown.asker.plain, 80)
    if card.open:
        people = escape(asked_now(card.speaking), 200)
        return f"{asker} asks {people} to decide {len(card.open)} until {_first_end(card)}: {what}"
    return f"{_tally(card)}: {what} (asked by {asker})"


def _first_end(card: BatchCard) -> str:
    return utc(min(one.preview.expires for one in card.open))


def _state(card: BatchCard) -> str:
    asked = f"asked by {mention(card.shown.asker)}"
    if not card.open:
        return f"{_tally(card)} · {asked}"
    sign, words = OUTCOME[Outcome.OPEN]
    until = when(min(one.preview.expires for one in card.open))
    decided = f"\n{_tally(card)}" if len(card.open) < len(card.items) else ""
    return f"{sign} {bold(words)} until {until} · {asked}\n{WHAT_COMES}{decided}"


def _tally(card: BatchCard) -> str:
    return became([one.outcome for one in card.items])


def _items(card: BatchCard) -> Iterator[Block]:
    """Yield a line for each item, as many as there is room for."""
    rows = _fitting([_row(one) for one in card.items])
    for text in paragraphs(rows):
        yield plain_section(text)
    left = len(card.items) - len(rows)
    if left:
        yield context(f"… {plural(left, 'item')} {'is' if left == 1 else 'are'} not shown here.")
    if not is_whole(card) and card.open:
        yield context("There is more to read about them than fits here: it stands behind Review.")


def _fitting(rows: Sequence[str]) -> list[str]:
    used = [length(row) + 1 for row in rows]
    return [row for at, row in enumerate(rows) if sum(used[: at + 1]) <= _ITEMS]


def _row(one: RequestCard) -> str:
    sign = _OPEN_SIGN if one.is_open else OUTCOME[one.outcome][0]
    return f"{sign} {clip(row_of(one), _ROW)}{_progress(one)}"


def _progress(one: RequestCard) -> str:
    """Return how far an open item is, where one approval alone is not enough."""
    needed = sum(stage.approve for stage in one.preview.stages)
    given = sum(one.given)
    return f" ({given} of {needed} approvals)" if one.is_open and needed > 1 and given else ""


def _typed(card: BatchCard) -> Iterator[Block]:
    """Yield what the requester typed, the same for all, where there is room."""
    if _is_typed_whole(card):
        yield from typed_head(card.shown).blocks
    elif card.shown.inputs:
        yield context("What the requester typed stands behind Review.")


def _to_come(card: BatchCard) -> Iterator[Block]:
    if card.open and card.ends_run:
        yield section("⚠️ One rejected item ends the run: nothing that has not begun by then runs.")
    if card.to_come:
        more = plural(card.to_come, "further item")
        yield context(f"Up to {more} of the list come once these are decided.")


def _who(card: BatchCard) -> Iterator[Block]:
    if card.open:
        if len(card.open) > 1:
            yield context("Of each item that is open:")
        yield from who_may_decide(card.speaking)


def _record(card: BatchCard) -> Iterator[Block]:
    """Yield who said what about which items, and the receipt of the newest decision."""
    lines = list(_records(card))
    shown = lines[-_RECORDS:]
    if shown:
        yield context(*shown)
    earlier = len(lines) - len(shown)
    if earlier:
        yield context(f"{plural(earlier, 'earlier decision')}, in the run's history")
    if card.receipt is not None:
        yield context(code(card.receipt.line))


def _records(card: BatchCard) -> Iterator[str]:
    """Yield what was said, items of which one person said the same at once in one line."""
    said = [(vote, number_of(one)) for one in card.items for vote in one.votes]
    groups: list[tuple[Vote, list[int]]] = []
    for vote, number in sorted(said, key=lambda one: one[0].at):
        same = next((items for first, items in groups if _is_same(first, vote)), None)
        if same is None:
            groups.append((vote, [number]))
        else:
            same.append(number)
    for vote, items in groups:
        yield _vote_line(vote, items)
    for outcome in (Outcome.EXPIRED, Outcome.WITHDRAWN, Outcome.SUPERSEDED):
        yield from _ended(card.items, outcome)


def _is_same(first: Vote, other: Vote) -> bool:
    """Say whether two votes are of one click; each has an entry with a moment of its own."""
    return replace(other, at=first.at) == first and other.at - first.at < _AT_ONCE


def _vote_line(vote: Vote, items: Sequence[int]) -> str:
    sign, said = ("✅", "approved") if vote.verdict is Verdict.APPROVE else ("⛔", "rejected")
    words = f": “{escape(clip(vote.comment, _COMMENT), 160)}”" if vote.comment else ""
    place = f" (for {mention(vote.stands_for)})" if vote.stands_for is not None else ""
    noun = "item" if len(items) == 1 else "items"
    return (
        f"{sign} {mention(vote.who)}{place} {said} {noun} {numbers(items)} {when(vote.at)}{words}"
    )


def _ended(items: Sequence[RequestCard], outcome: Outcome) -> Iterator[str]:
    found: dict[str, list[RequestCard]] = {}
    for one in items:
        if one.outcome is outcome:
            found.setdefault(one.reason, []).append(one)
    sign, words = OUTCOME[outcome]
    for reason, some in found.items():
        noun = "Item" if len(some) == 1 else "Items"
        at = max((one.settled_at for one in some if one.settled_at is not None), default=None)
        moment = f" {when(at)}" if at is not None else ""
        why = f": {escape(clip(reason, _COMMENT), 160)}" if reason else ""
        told = numbers([number_of(one) for one in some])
        yield f"{sign} {noun} {told} {words.casefold()}{moment}{why}"


def _ids(card: BatchCard) -> list[str]:
    shown = card.shown
    name, step = escape(shown.workflow, 80), shown.step.partition("/")[0]
    return [
        f"Batch {code(card.id, 80)} · run {code(shown.run, 80)} · step {code(step)}",
        f"{name} {code(shown.version[:8])}; each item has its own digest, under Review",
        asked_because(shown.rules),
        link(card.thread, "Open the run's thread") if card.thread else "",
    ]


def buttons(card: BatchCard, some: Sequence[RequestCard]) -> ActionsBlock | None:
    """Return the buttons about `some` of the items, None where there is nothing to decide."""
    if some:
        return deciding_buttons(card, some, is_readable=is_whole(card))
    turning = card.turning
    if turning:
        value, each = card.value(turning), "Take approvals back"
        # Items that go on one after the other are faster than whoever decides page by page.
        every = [button(f"Take all {len(turning)} back", TAKE_ALL_BACK, value)]
        return actions(*(every if len(turning) > 1 else []), button(each, DECIDE_EACH, value))
    return None


def deciding_buttons(
    card: BatchCard, some: Sequence[RequestCard], *, is_readable: bool
) -> ActionsBlock:
    """Return the buttons about open items; Approve only where all of them `is_readable`."""
    first = _approve(card, some) if is_readable else _review(card, some)
    each = button("Decide one by one", DECIDE_EACH, card.value(some))
    look = [button("Review", REVIEW_ALL, card.value(some))] if is_readable else []
    return actions(first, each, *_reject(card, some), *look)


def _approve(card: BatchCard, some: Sequence[RequestCard]) -> ButtonElement:
    count = plural(len(some), "item")
    return button(
        f"Approve all {len(some)}" if len(some) > 1 else "Approve",
        APPROVE_ALL,
        card.value(some),
        style="primary",
        spoken=f"Approve {count}: {card.shown.title}",
        confirm=confirm(
            f"Approve {count}?",
            f"{card.shown.title}. Each of them may run then.",
            yes="Approve",
        ),
    )


def _review(card: BatchCard, some: Sequence[RequestCard]) -> ButtonElement:
    return button("Review all, then approve", REVIEW_ALL, card.value(some), style="primary")


def _reject(card: BatchCard, some: Sequence[RequestCard]) -> list[ButtonElement]:
    label = f"Reject all {len(some)}" if len(some) > 1 else "Reject"
    return [button(label, REJECT_ALL, card.value(some), spoken=f"{label}: {card.shown.title}")]
