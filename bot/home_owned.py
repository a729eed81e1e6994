"""What stands in the workflows that one person answers for, for their Home."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from slack_sdk.models.blocks import Block

from bot.belonging import Belonging
from bot.desk import Desk
from bot.rendering_trouble import doubt_of, trouble_of
from bot.run_lines import link_to
from bot.run_reading import RunRead, RunReader
from bot.views.app_home import MOST, Section, Shelf, shelf_of
from bot.views.app_home_items import doubt_item, trouble_item
from storage.home_listing import troubled_runs
from storage.listing import ListedRun
from workflows.definition import Definition
from workflows.errors import UnknownWorkflowError, UnreadableVersionError
from workflows.trouble import Trouble, troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Exceptions and doubts that a person may settle as owner or deputy."""

    desk: Desk
    reader: RunReader
    belonging: Belonging

    def workflows(self) -> list[Definition]:
        """Return the active workflows that the person answers for."""
        return [one for one in self.desk.library.definitions() if self._answers_for(one)]

    def shelf(self, owned: Sequence[Definition], skip: int) -> Shelf:
        """Return the page that begins at `skip`, or the first where that one is empty by now."""
        until = skip + MOST[Section.OWNED] + 1
        found = list(islice(self._items(self._runs(owned, most=until)), skip, until))
        if skip and not found:
            return self.shelf(owned, 0)
        return shelf_of(Section.OWNED, found, skip=skip)

    def _answers_for(self, definition: Definition) -> bool:
        return self.belonging.to_any((definition.owner, definition.deputy), otherwise=False)

    def _runs(self, owned: Sequence[Definition], *, most: int) -> Iterator[ListedRun]:
        """Yield the runs in which something stands, the oldest first."""
        database = self.desk.store.database
        found = [troubled_runs(database, one.workflow, most=most) for one in owned]
        return merge(*found, key=lambda one: (one.started_at, one.id))

    def _items(self, runs: Iterator[ListedRun]) -> Iterator[list[Block]]:
        for run in runs:
            read = self._read(run)
            if read is None:
                continue
            for trouble in troubles(read.state, read.entries):
                blocks = self._blocks(read, trouble)
                if blocks:
                    yield blocks

    def _read(self, run: ListedRun) -> RunRead | None:
        """Return a run of which this person may settle something: its own version says who."""
        try:
            read = self.reader.run(run.id)
        except (UnreadableVersionError, UnknownWorkflowError):
            return None  # A process of that release shows it.
        return read if self._answers_for(read.definition) else None

    def _blocks(self, read: RunRead, trouble: Trouble) -> list[Block]:
        card = trouble.card
        sent = self.desk.store.outbox.find(card.subject, card.key)
        place = sent.place if sent is not None else None
        link = link_to(self.desk, place or read.listed.place)
        if trouble.is_doubt:
            doubt = doubt_of(read, card.key, self.reader)
            # Its card is sent once the target was asked and did not know: before, nobody answers.
            is_asked = sent is not None
            return doubt_item(doubt, link, is_asked=is_asked) if doubt is not None else []
        found = trouble_of(read, card.key, self.reader)
        return trouble_item(found, link) if found is not None else []
