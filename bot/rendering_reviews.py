"""Draws what is said about a broken glass: the card of its review, and the reminders of it."""

from collections.abc import Callable
from datetime import datetime

from bot.run_reading import RunRead, RunReader, words_of
from bot.views.pieces import Rendered
from bot.views.review_card import ReviewCard, Reviewed, reminder, review_card
from bot.wording import NAMELESS, Who, who_of
from storage.history import find_entry
from storage.listing import people_of
from storage.outbox_values import OutboxRow
from storage.store import SqlStore
from workflows.entry import Ref
from workflows.glass import GlassUse
from workflows.store import Subject

OVERDUE = "overdue-"


def draw_review(
    row: OutboxRow, store: SqlStore, reader: RunReader, *, now: Callable[[], datetime]
) -> Rendered:
    """Return the card, or the reminder that the row's key names: `use/overdue-1/…`."""
    ident, _, rest = row.key.partition("/")
    use = store.glass_use(ident)
    card = review_of(use, store, reader, now=now())
    if not rest.startswith(OVERDUE):
        return review_card(card)
    # A reviewer who is reminded in person has the card there too.
    _, _, ref = rest.partition("/")
    place = store.outbox.place_of(Subject.REVIEW, f"{ident}/{ref}" if ref else ident)
    return reminder(card, reader.link(place))


def review_of(use: GlassUse, store: SqlStore, reader: RunReader, *, now: datetime) -> ReviewCard:
    """Return a use of the glass as a view shows it."""
    read = reader.run(use.run)
    used = read.entry(use.id)
    return ReviewCard(
        use=use.id,
        run=use.run,
        step=use.step,
        title=read.title,
        what=read.line_about(use.step),
        by=_who(use.by, store, read),
        at=use.at,
        review_by=use.review_by,
        asked=tuple(reader.named(use.asked).values()),
        reason=words_of(used) if used is not None else "",
        requester=read.requester,
        is_overdue=now >= use.review_by,
        reviewed=_reviewed(use, store, read),
        thread=reader.link(store.outbox.place_of(Subject.ROOT, use.run)),
    )


def _reviewed(use: GlassUse, store: SqlStore, read: RunRead) -> Reviewed | None:
    if use.finding is None or use.reviewed_by is None or use.reviewed_at is None:
        return None
    with store.database.read() as connection:
        entry = find_entry(connection, use.review_entry or "")
    return Reviewed(
        finding=use.finding,
        by=_who(use.reviewed_by, store, read),
        at=use.reviewed_at,
        comment=words_of(entry) if entry is not None else "",
    )


def _who(ref: Ref, store: SqlStore, read: RunRead) -> Who:
    if ref in read.known:
        return read.known[ref]
    found = people_of(store.database, [ref]).get(ref)
    return who_of(*found) if found is not None else NAMELESS
