"""Draws the daily head for the channel, linked to the one before it."""

from bot.daily_head import SLACK, told_in
from bot.digest_figures import CHECK
from bot.run_reading import RunReader
from bot.views.daily_head import HeadShown
from storage.anchors import newest_of
from storage.checkpoint import read_note
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore


def shown_head(row: OutboxRow, store: SqlStore, reader: RunReader) -> HeadShown | None:
    """Return what the message of a daily head shows, None where its text is gone."""
    told = told_in(row)
    if not told:
        return None
    head = read_note(told["note"]).checkpoint
    with store.database.read() as connection:
        last = newest_of(connection, SLACK)
    return HeadShown(
        size=head.size,
        new=head.size - told["before"],
        note=told["note"],
        check=CHECK,
        previous=reader.link(_place_in(last.ref)) if last is not None else "",
    )


def _place_in(ref: str) -> MessagePlace:
    channel, _, ts = ref.partition("/")
    return MessagePlace(channel=channel, ts=ts)
