"""The daily head: once a day, if the log has grown, its signed head stands in the channel.

Each is fixed when it is made and linked to the one before. Once it stands in Slack, it is an
anchor like that of any witness: Slack's clock says when the log had this root.
"""

from datetime import datetime
from typing import Any

from bot.places import moment_of_ts
from bot.timetable import Schedule, minute_of
from storage.anchors import Evidence, anchored, keep_anchor, newest_of
from storage.checkpoint import read_note
from storage.heads import ANCHORED, show_head
from storage.history import has_grown
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from workflows.entry import INTERLOCK
from workflows.store import Delivery, Message, Subject
from workflows.triggers import Missed, Trigger

NAME = "daily-head"
SLACK = "slack"
# What the bot records every day by itself; a log that has only this needs no new head.
ROUTINE = ("checkpoint.anchored", "digest.posted", "schedule.fired", "verify.run")


class DailyHeads:
    """Makes heads for the channel, and records where they stand."""

    def __init__(self, store: SqlStore, *, channel: str) -> None:
        self._store = store
        self._channel = channel

    def schedule(self, log_id: str) -> Schedule:
        """Return when it is made: in the morning, at a minute of the log's own, by UTC."""
        minute = minute_of(log_id)
        return Schedule(
            name=NAME,
            workflow=NAME,
            title="Daily head of the log",
            trigger=Trigger(cron=f"{minute} 6 * * *", missed=Missed.RUN_ONCE),
            begin=self._begin,
        )

    def _begin(self, due: datetime) -> None:
        self.post(due)

    def post(self, due: datetime) -> bool:
        """Queue the newest head for the channel, once for each moment; False if nothing is new."""
        once = Delivery(team="", kind=NAME, key=due.isoformat())
        with self._store.begin() as unit:
            if unit.is_repeat(once):
                return False
            tx = unit.transaction
            last = newest_of(tx.connection, SLACK)
            before = 0 if last is None else last.size
            if not has_grown(tx.connection, since=before, but_for=ROUTINE):
                return False
            # The anchor is recorded when the message stands; the head is kept from now on.
            note = show_head(tx, because=ANCHORED).note
            unit.send(
                Message(
                    subject=Subject.HEAD,
                    key=f"{due:%Y-%m-%dT%H:%M}",
                    channel=self._channel,
                    body={"note": note, "before": before},
                )
            )
            return True

    def stands(self, row: OutboxRow, place: MessagePlace) -> None:
        """Record that a head stands in Slack; said twice, it is recorded once."""
        note = str(told_in(row)["note"])
        evidence = Evidence(
            type=SLACK,
            ref=f"{place.channel}/{place.ts}",
            content=note.encode(),
            at=moment_of_ts(place.ts),
        )
        size = read_note(note).checkpoint.size
        with self._store.begin() as unit:
            if unit.is_repeat(Delivery(team="", kind=f"{NAME}/stands", key=row.key)):
                return
            keep_anchor(unit.transaction, size, evidence)
            unit.append(anchored(size, evidence, actor=INTERLOCK))


def told_in(row: OutboxRow) -> dict[str, Any]:
    """Return what a head's message tells, nothing once it is gone."""
    return row.body if isinstance(row.body, dict) else {}
