"""Homes as their drawer uses them: each call is one short transaction.

Nothing here talks to Slack. A Home is claimed by one process at a time; a claim that is not
answered runs out with its lease, so a process that dies only delays what it held.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from storage.change import Clock
from storage.home_sql import HomeSql
from storage.home_values import HomeReader, Told
from storage.transaction import Database

LEASE = timedelta(seconds=60)


class HomeRows:
    """Who reads a Home, and whose is to be drawn anew."""

    def __init__(self, database: Database, *, clock: Clock | None) -> None:
        self._database = database
        self._clock = clock
        self._on_news: Callable[[], None] = lambda: None

    def on_news(self, tell: Callable[[], None]) -> None:
        """Say who is told, after the commit, that some Home is to be drawn."""
        self._on_news = tell

    def claim(self, *, by: str, lease: timedelta = LEASE) -> HomeReader | None:
        """Take a Home that is to be drawn now, for `by` alone until the lease ends."""
        with self._writing() as sql:
            now = sql.moment(self._clock)
            return sql.claim(now=now, until=now + lease, by=by)

    def answers_for(self, ref: str, topics: Collection[str]) -> None:
        """Note which workflows somebody answers for, so that news of them is theirs.

        Whatever changes in them from here on draws their Home anew.
        """
        with self._database.glance() as tx:
            known = HomeSql(tx).topics(ref)
        if known != frozenset(topics):
            with self._writing() as sql:
                sql.set_topics(ref, topics)

    def mark_drawn(self, ref: str, *, by: str, shown: str, pause: timedelta) -> None:
        """Note that Slack shows the Home under the hash `shown`; no other for a `pause`."""
        with self._writing() as sql:
            sql.set_drawn(ref, by=by, shown=shown, next_at=sql.moment(self._clock) + pause)

    def postpone(self, ref: str, *, by: str, wait: timedelta) -> None:
        """Try again after `wait`."""
        with self._writing() as sql:
            sql.set_later(ref, by=by, until=sql.moment(self._clock) + wait)

    def forget(self, ref: str) -> None:
        """Forget a reader whom Slack shows no Home."""
        with self._writing() as sql:
            sql.forget(ref)

    def reader(self, ref: str) -> HomeReader | None:
        """Return somebody who has opened their Home, None for all others."""
        with self._database.glance() as tx:
            return HomeSql(tx).reader(ref)

    def turn(self, ref: str, section: str, page: int, *, at: datetime | None = None) -> None:
        """Show somebody another page of a section, now.

        Of two turns the later one counts, by the moment `at` which Slack gave it (otherwise now).
        """
        with self._writing() as sql:
            now = sql.moment(self._clock)
            sql.turn(ref, section, page, at=at or now, now=now)

    def choose(self, ref: str, told: Told) -> None:
        """Remember what somebody wants to be told directly."""
        with self._writing() as sql:
            sql.choose(ref, told)

    def renew(self, people: Collection[str]) -> None:
        """Draw the Homes of these people anew; what concerns them changed outside the trail."""
        with self._writing() as sql:
            sql.news_for(people, now=sql.moment(self._clock))

    def renew_owners(self, workflow: str) -> None:
        """Draw the Homes of those anew who answer for a workflow."""
        with self._writing() as sql:
            sql.news_for_owners(workflow, now=sql.moment(self._clock))

    def renew_awaited(self, ident: str) -> None:
        """Draw the Homes of those anew for whom a request or question waits."""
        with self._writing() as sql:
            sql.news_for_awaited(ident, now=sql.moment(self._clock))

    def hurry(self, ref: str, *, is_news: bool = False) -> None:
        """Draw somebody's Home now if there is news for it, since they just did something there.

        With `is_news` there is: what they saw may be of the past.
        """
        with self._writing() as sql:
            now = sql.moment(self._clock)
            sql.hurry(ref, now=now)
            if is_news:
                sql.news_for([ref], now=now)

    def next_moment(self) -> datetime | None:
        """Return when the earliest Home that waits for a moment may be drawn."""
        with self._database.glance() as tx:
            return HomeSql(tx).next_moment()

    @contextmanager
    def _writing(self) -> Iterator[HomeSql]:
        with self._database.begin() as tx:
            yield HomeSql(tx, on_news=self._on_news)
