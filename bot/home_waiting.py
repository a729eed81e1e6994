"""What waits for one person, for their Home: requests they may decide now, and questions."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from pydantic import ValidationError
from slack_sdk.models.blocks import Block

from bot.belonging import Belonging
from bot.desk import Desk
from bot.home_batches import WaitingBatches
from bot.previews import preview_of
from bot.rendering_questions import question_of
from bot.rendering_reviews import review_of
from bot.run_lines import link_to
from bot.run_reading import RunReader, part_json
from bot.views.app_home import MOST, Item, Section, Shelf
from bot.views.app_home_items import (
    RequestItem,
    Said,
    question_item,
    request_item,
    review_item,
    said_words,
)
from bot.views.request_values import Preview
from bot.wording import Who, who_of
from storage.history import find_entry
from storage.home_listing import (
    Awaited,
    count_awaited,
    last_decision,
    list_awaited,
    open_request,
    reviews_for,
)
from workflows.awaited import place_of
from workflows.entry import Ref
from workflows.errors import InterlockError, StorageError
from workflows.gate import ApprovalRequest, Decision, tally
from workflows.glass import GlassUse
from workflows.store import Subject

MOMENT_AGO = timedelta(minutes=10)
MOST_COUNTED = 100
MOST_REVIEWS = 2  # Each has its card in a direct message besides.
# Of what somebody was asked and may not decide any more, so much is passed over for one page.
MOST_LOOKED_THROUGH = 50
BATCH = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for the person `ref`, and for those in whose place they decide."""

    desk: Desk
    reader: RunReader
    belonging: Belonging
    ref: Ref
    in_place_of: Mapping[Ref, Belonging]
    now: datetime

    def shelf(self, skip: int) -> Shelf:
        """Return the page that begins at `skip`, or the first where that one is empty by now."""
        items: list[Item] = []
        for at, one in enumerate(self._candidates(skip), start=skip):
            is_full = len(items) == MOST[Section.WAITING] or at - skip == MOST_LOOKED_THROUGH
            if is_full:
                return Shelf(items=items, skip=skip, more=at)
            blocks = self._blocks(one)
            if blocks:
                items.append(Item(blocks=blocks, at=at))
        return Shelf(items=items, skip=skip) if items or not skip else self.shelf(0)

    def reviews(self) -> list[list[Block]]:
        """Return what the person is to review of broken glass, the most urgent first."""
        found = reviews_for(self.desk.store.database, self.ref, most=MOST_REVIEWS)
        return [blocks for one in found if (blocks := self._review(one))]

    def count(self) -> str:
        """Say how many things wait, where that is more than one page shows."""
        most = MOST_COUNTED
        found = count_awaited(self.desk.store.database, self.ref, now=self.now, most=most + 1)
        if found <= MOST[Section.WAITING]:
            return ""
        return f"More than {most} things wait." if found > most else f"{found} things wait."

    def said(self) -> str:
        """Return in a line what the person decided a moment ago."""
        last = last_decision(self.desk.store.database, self.ref)
        if last is None or last.at < self.now - MOMENT_AGO:
            return ""
        try:
            asked = self.desk.store.request(last.request)
            title = preview_of(self.desk.store, last.request).title
        except (InterlockError, ValidationError):
            return ""  # Erased meanwhile, or of another release.
        place = self.desk.store.outbox.place_of(Subject.CARD, asked.card)
        return said_words(
            Said(
                title=title,
                verdict=last.verdict,
                at=last.at,
                outcome=asked.outcome,
                is_used=asked.is_consumed,
                card=link_to(self.desk, place),
            )
        )

    def _candidates(self, skip: int) -> Iterator[Awaited]:
        database = self.desk.store.database
        while page := list_awaited(
            database,
            self.ref,
            in_place_of=self.in_place_of,
            now=self.now,
            skip=skip,
            most=BATCH,
        ):
            yield from page
            if len(page) < BATCH:
                return
            skip += BATCH

    def _blocks(self, one: Awaited) -> list[Block]:
        try:
            if one.batch is not None:
                return self._batches().blocks(one, one.batch)
            return self._question(one) if one.is_question else self._request(one)
        except StorageError:
            raise
        except (InterlockError, ValidationError):
            # One thing of another release must not take the page with it.
            log.warning("not shown on a Home", extra={"request": one.id}, exc_info=True)
            return []

    def _batches(self) -> WaitingBatches:
        @cache  # The items of a batch leave out the same people.
        def acting(excluded: frozenset[Ref]) -> frozenset[Ref]:
            return self.desk.store.acting_for(excluded, at=self.now)

        return WaitingBatches(
            desk=self.desk,
            reader=self.reader,
            ref=self.ref,
            in_place_of=self.in_place_of,
            acting=acting,
            may_decide=self._may_decide,
            giver=self._giver,
        )

    def _question(self, one: Awaited) -> list[Block]:
        key = f"{one.run}/{one.id}"
        card = question_of(self.reader.run(one.run), key, self.reader)
        if card is None or card.answered is not None or card.is_over:
            return []
        if not self.belonging.to_any((who.name for who in card.asked), otherwise=True):
            return []
        place = self.desk.store.outbox.place_of(Subject.QUESTION, key)
        return question_item(card, link_to(self.desk, place))

    def _request(self, one: Awaited) -> list[Block]:
        found = open_request(self.desk.store.database, one.id)
        preview = self._preview(one)
        if found is None or preview is None:
            return []
        asked, decisions = found
        place = place_of(
            asked,
            decisions,
            self.ref,
            in_place_of=self.in_place_of,
            acting=self.desk.store.acting_for(asked.excluded, at=self.now),
        )
        if place is None or not self._may_decide(asked, place):
            return []
        have, need = _how_far(asked, decisions, place)
        return request_item(
            RequestItem(
                preview=preview,
                have=have,
                need=need,
                card=link_to(self.desk, one.place),
                stands_for=self._giver(place),
            )
        )

    def _review(self, use: GlassUse) -> list[Block]:
        if not self.belonging.to_any(use.asked, otherwise=True):
            return []
        try:
            card = review_of(use, self.desk.store, self.reader, now=self.now)
        except StorageError:
            raise
        except (InterlockError, ValidationError):
            log.warning("not shown on a Home", extra={"use": use.id}, exc_info=True)
            return []
        place = self.desk.store.outbox.place_of(Subject.REVIEW, f"{use.id}/{self.ref}")
        return review_item(card, link_to(self.desk, place))

    def _giver(self, place: Ref) -> Who | None:
        found = self.in_place_of.get(place)
        return None if found is None else who_of(found.person.id, found.person.name)

    def _preview(self, one: Awaited) -> Preview | None:
        with self.desk.store.database.read() as connection:
            entry = find_entry(connection, one.entry or "")
        shown = part_json(entry, "preview") if entry is not None else None
        return Preview.read(shown) if isinstance(shown, dict) else None

    def _may_decide(self, asked: ApprovalRequest, place: Ref) -> bool:
        """Say whether the one in that place still belongs to those who were asked."""
        own = [stage for stage in asked.stages if place in stage.everybody]
        names = [name for stage in own for name in stage.all_groups]
        return self.in_place_of.get(place, self.belonging).to_any(names, otherwise=True)


def _how_far(asked: ApprovalRequest, decisions: Sequence[Decision], place: Ref) -> tuple[int, int]:
    """Return what the stage has and needs in which that place is decided."""
    now = tally(asked, decisions)
    own = (one for one in now.waiting if place in asked.stages[one].everybody)
    stage = next(own, now.stage)
    return now.given[stage], asked.stages[stage].approve
