"""The outbox as its deliverer uses it: each call is one short transaction.

Nothing here talks to Slack. A message is claimed by one process at a time; a claim that is not
answered runs out with its lease, so a process that dies only delays what it held.
"""

from datetime import datetime, timedelta

from storage.change import Clock
from storage.outbox_sql import OutboxSql
from storage.outbox_values import RANKS, MessagePlace, OutboxRow
from storage.transaction import Database
from workflows.entry import RequestId, RunId
from workflows.store import Subject

LEASE = timedelta(seconds=60)
MOST_PUT_OFF = timedelta(days=1)  # Slack's limits, and whatever else is waited for, end before.


class OutboxRows:
    """Messages that wait, those that were delivered, and where each stands in Slack."""

    def __init__(self, database: Database, *, clock: Clock | None) -> None:
        self._database = database
        self._clock = clock

    def claim_messages(self, *, by: str, limit: int, lease: timedelta = LEASE) -> list[OutboxRow]:
        """Take up to `limit` messages that may go now, for `by` alone until the lease ends.

        Open decisions come first, live states last. Of each thread the first message comes
        before all others, and replies come in the order they were asked for.
        """
        with self._database.begin() as tx:
            sql = OutboxSql(tx)
            now = sql.moment(self._clock)
            return sql.claim(now=now, until=now + lease, by=by, limit=limit)

    def mark_posting(self, ident: int, *, by: str) -> bool:
        """Note, before a post, that it is under way; False when the claim is no longer ours.

        Whoever takes the message after a crash sees `was_posting` and looks it up first.
        """
        with self._database.begin() as tx:
            return OutboxSql(tx).set_posting(ident, by=by)

    def mark_delivered(self, ident: int, *, done: int, place: MessagePlace | None = None) -> None:
        """Note that the state `done` (the row's `wanted`) was delivered, and where it stands.

        A change that came meanwhile keeps the message pending.
        """
        with self._database.begin() as tx:
            OutboxSql(tx).set_delivered(ident, done=done, place=place)

    def postpone(
        self, ident: int, *, until: datetime, error: str, may_have_arrived: bool = False
    ) -> None:
        """Try again at `until`; if it may have arrived, it will be looked up before that."""
        with self._database.begin() as tx:
            OutboxSql(tx).set_later(ident, until=until, error=error, keeps_posting=may_have_arrived)

    def hasten(self) -> None:
        """Let go what a clock that ran ahead, and was put back, has put off for ages."""
        with self._database.begin() as tx:
            sql = OutboxSql(tx)
            now = sql.moment(self._clock)
            sql.hasten(now=now, beyond=now + MOST_PUT_OFF)

    def mark_failed(self, ident: int, *, error: str) -> list[OutboxRow]:
        """Give a message up, and with a thread's first message the replies that wait for it.

        Returns every message given up. Sending it again makes it pending again.
        """
        with self._database.begin() as tx:
            sql = OutboxSql(tx)
            given_up = self._lost_with(sql, ident)
            for one in given_up:
                sql.set_failed(one.id, error=error)
            return given_up

    def forget_place(self, ident: int) -> None:
        """Note that the message is gone from Slack, so that it is posted anew."""
        with self._database.begin() as tx:
            sql = OutboxSql(tx)
            row = sql.row(ident)
            if row is not None:
                sql.clear_place(ident, RANKS[row.subject])

    def adopt(self, ident: int, place: MessagePlace) -> None:
        """Note where a message stands that was found in Slack, without saying it is current."""
        with self._database.begin() as tx:
            OutboxSql(tx).set_place(ident, place)

    def find(self, subject: Subject, key: str) -> OutboxRow | None:
        """Return the message about a subject, delivered or not."""
        with self._database.glance() as tx:
            return OutboxSql(tx).find(subject, key)

    def place_of(self, subject: Subject, key: str) -> MessagePlace | None:
        """Return where the message about a subject stands."""
        row = self.find(subject, key)
        return None if row is None else row.place

    def at(self, channel: str, ts: str) -> OutboxRow | None:
        """Return the message of ours that stands there."""
        with self._database.glance() as tx:
            return OutboxSql(tx).at_place(channel, ts)

    def request_at(self, channel: str, ts: str) -> RequestId | None:
        """Return the request whose card stands there."""
        row = self.at(channel, ts)
        return RequestId(row.key) if row is not None and row.subject is Subject.CARD else None

    def run_at(self, channel: str, thread_ts: str) -> RunId | None:
        """Return the run whose thread begins there."""
        row = self.at(channel, thread_ts)
        return row.run if row is not None and row.subject is Subject.ROOT else None

    def next_moment(self) -> datetime | None:
        """Return when the earliest postponed message may go, None if none waits for a moment."""
        with self._database.glance() as tx:
            sql = OutboxSql(tx)
            return sql.next_moment(after=sql.moment(self._clock))

    def _lost_with(self, sql: OutboxSql, ident: int) -> list[OutboxRow]:
        row = sql.row(ident)
        if row is None:
            return []
        is_thread = row.subject is Subject.ROOT and row.place is None and row.run is not None
        return [row, *(sql.waiting_replies(row.run) if is_thread and row.run else [])]
