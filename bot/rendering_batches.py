"""Reads batches: the requests that are put to people together, as values for card and modals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.rendering_away import absences_of
from bot.rendering_cards import DrawnCard, card_values, decisions_of, settling_of
from bot.run_reading import RunRead, RunReader
from bot.views.batch_card import batch_card
from bot.views.batch_values import BatchCard
from bot.views.request_values import RequestCard
from storage.outbox_values import OutboxRow
from workflows.batching import part_of
from workflows.flow import count_of
from workflows.gate import ApprovalRequest
from workflows.instances import instance, items_of, step_of
from workflows.outline import Node

JUST_NOW = timedelta(seconds=1)


def draw_batch(
    read: RunRead,
    asked: Sequence[ApprovalRequest],
    row: OutboxRow,
    *,
    reader: RunReader,
) -> DrawnCard | None:
    """Return the card of a batch; None if nothing can be shown."""
    card = batch_of(read, asked, reader)
    if card is None:
        return None
    settled = [found for one in asked if (found := settling_of(read, one)) is not None]
    newest = max(settled, key=lambda entry: entry.rseq, default=None)
    receipt = reader.receipt_of(newest) if newest is not None else None
    shown = replace(card, receipt=receipt, thread=reader.link(row.thread))
    return DrawnCard(
        rendered=batch_card(shown),
        is_complete=newest is None or receipt is not None,
        receipt=receipt,
        is_over=not card.open,
    )


def batch_of(
    read: RunRead, asked: Sequence[ApprovalRequest], reader: RunReader
) -> BatchCard | None:
    """Return a batch as it stands; an item that was asked about twice is shown as it is now.

    None where the previews of all items were erased.
    """
    newest = {one.step: one for one in asked}
    in_order = sorted(newest.values(), key=lambda one: items_of(one.step))
    found = (card_values(read, one, reader) for one in in_order)
    items = [one for one in found if one is not None]
    if not items:
        return None
    first = asked[0]
    node = _node(read, first.step)
    card = BatchCard(
        id=first.card,
        items=items,
        to_come=_to_come(read, first.step),
        ends_run=node is not None and not node.is_in_loop_that_goes_on,
    )
    return replace(card, items=[_with_absences(one, card, read, newest, reader) for one in items])


def _with_absences(
    one: RequestCard,
    card: BatchCard,
    read: RunRead,
    asked: Mapping[str, ApprovalRequest],
    reader: RunReader,
) -> RequestCard:
    """Return an item; the one that speaks for all says who of those it waits for is away."""
    if one is not card.speaking:
        return one
    request = asked[one.preview.step]
    found = absences_of(request, decisions_of(read, request), reader)
    return replace(one, absences=found.told, deserted_until=found.back_at)


def is_growing(read: RunRead, asked: Sequence[ApprovalRequest], *, now: datetime) -> bool:
    """Say whether items are being added to a batch just now, so that more of them follow."""
    newest = max(asked, key=lambda one: one.raised_at)
    *around, number = items_of(newest.step)
    begun = {one.step for one in asked}
    step = step_of(newest.step)
    others = [one for one in range(_count(read, newest.step)) if part_of(one) == part_of(number)]
    lacks = any(instance(step, (*around, one)) not in begun for one in others)
    return lacks and now - newest.raised_at < JUST_NOW


def _to_come(read: RunRead, name: str) -> int:
    """Return how many items follow those that can be asked about together with this one."""
    part = part_of(items_of(name)[-1])
    return sum(part_of(one) > part for one in range(_count(read, name)))


def _count(read: RunRead, name: str) -> int:
    """Return how many items the loop around an item has."""
    node = _node(read, name)
    if node is None:
        return 0
    return count_of(read.state.step(instance(node.loops[-1].id, items_of(name)[:-1])))


def _node(read: RunRead, name: str) -> Node | None:
    """Return where a step stands; None once its run was moved to a version without it."""
    return read.definition.outline.get(step_of(name))
