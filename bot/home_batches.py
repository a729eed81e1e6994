"""Batches on somebody's Home: each is one thing that waits, with the items they may decide."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot.desk import Desk
from bot.rendering_batches import batch_of
from bot.rendering_cards import decisions_of
from bot.run_lines import link_to
from bot.run_reading import RunReader
from bot.views.app_home_items import BatchItem, batch_item
from bot.wording import Who
from storage.home_listing import Awaited
from workflows.awaited import place_of
from workflows.entry import Ref, RequestId
from workflows.gate import ApprovalRequest, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingBatches:
    """Reads batches for `ref`, who decides for themself and for `in_place_of`.

    `acting` says who stands in for one of some people, and `may_decide` whether somebody still
    belongs to those who were asked.
    """

    desk: Desk
    reader: RunReader
    ref: Ref
    in_place_of: Collection[Ref]
    acting: Callable[[frozenset[Ref]], frozenset[Ref]]
    may_decide: Callable[[ApprovalRequest, Ref], bool]
    giver: Callable[[Ref], Who | None]

    def blocks(self, one: Awaited, batch: RequestId) -> list[Block]:
        """Return a batch, nothing where no item of it can be decided by this person."""
        asked = self.desk.store.batch(batch)
        read = self.reader.run(one.run)
        card = batch_of(read, asked, self.reader)
        places = {
            request.id: place
            for request in asked
            if request.outcome is Outcome.OPEN
            and (
                place := place_of(
                    request,
                    decisions_of(read, request),
                    self.ref,
                    in_place_of=self.in_place_of,
                    acting=self.acting(request.excluded),
                )
            )
            is not None
            and self.may_decide(request, place)
        }
        if card is None or not places:
            return []
        return batch_item(
            BatchItem(
                card=card,
                some=[item for item in card.open if item.preview.request in places],
                link=link_to(self.desk, one.place),
                stands_for=self.giver(next(iter(places.values()))),
            )
        )
