"""The statements around Homes: whom news concerns, who opened one, which is to be drawn next."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from storage.change import RowSql, read_moment
from storage.home_values import READS_FOR, HomeReader, Told
from storage.transaction import Cursor, Transaction
from workflows.entry import Ref
from workflows.quick_json import loaded

_READER = "SELECT ref, pages, told, hash, attempts FROM home_reader"


def _later(column: str) -> str:
    """Return the SQL of what an opening makes of pages that may have been turned after it."""
    return (
        f"CASE WHEN home_reader.pages_at > excluded.pages_at THEN home_reader.{column}"
        f" ELSE excluded.{column} END"
    )


class HomeSql(RowSql):
    """The statements, on one transaction. `on_news` is told, once it is kept, of what is new."""

    __slots__ = ("_on_news", "_skip")

    def __init__(self, tx: Transaction, *, on_news: Callable[[], None] = lambda: None) -> None:
        super().__init__(tx)
        self._on_news = on_news
        self._skip = "" if tx.is_sqlite else " FOR UPDATE OF h SKIP LOCKED"

    # --- news -------------------------------------------------------------------------------

    def news_for_awaited(self, request: str, *, now: datetime) -> None:
        """Note that the Homes of those change for whom a request or question waits now.

        Whoever stands in for one of them has it on theirs.
        """
        self._news(
            "home_reader h WHERE h.ref IN (SELECT a.ref FROM awaited a WHERE a.id = ?"
            " UNION ALL SELECT d.stand_in FROM awaited a JOIN delegation d ON d.giver = a.ref"
            " AND d.ended_at IS NULL WHERE a.id = ?)",
            *(request, request),
            now=now,
        )

    def news_for_owners(self, workflow: str, *, now: datetime) -> None:
        """Note that the Homes of those change who answer for a workflow."""
        self._news(
            "home_topic t JOIN home_reader h ON h.ref = t.ref WHERE t.workflow = ?",
            workflow,
            now=now,
        )

    def news_for_setter(self, schedule: str, *, now: datetime) -> None:
        """Note that the Home of whoever set a schedule changes."""
        self._news(
            "schedule s JOIN home_reader h ON h.ref = s.set_by WHERE s.id = ?", schedule, now=now
        )

    def news_for(self, people: Collection[str], *, now: datetime) -> None:
        """Note that the Homes of these people change."""
        for ref in sorted(people):
            self._news("home_reader h WHERE h.ref = ?", ref, now=now)

    def _news(self, whose: str, *what: object, now: datetime) -> None:
        self.later(
            f"INSERT INTO home_news (ref) SELECT h.ref FROM {whose} AND h.opened_at > ?",  # noqa: S608  our own words
            *(*what, now - READS_FOR),
            tell=self._tell,
        )

    def _tell(self, cursor: Cursor) -> None:
        if cursor.rowcount > 0:
            self._tx.after_commit(self._on_news)

    # --- readers ----------------------------------------------------------------------------

    def open(self, ref: str, *, at: datetime, now: datetime, shown: str | None) -> None:
        """Note that somebody looked at their Home `at` a moment: its first pages are drawn now.

        A page that they turned to later stays, though it was told of before.
        """
        self.later(
            "INSERT INTO home_reader (ref, opened_at, pages, pages_at, told, hash, next_at,"  # noqa: S608  fixed texts
            " attempts) VALUES (?, ?, '{}', ?, ?, ?, ?, 0) ON CONFLICT (ref) DO UPDATE SET"
            f" opened_at = excluded.opened_at, pages = {_later('pages')},"
            f" pages_at = {_later('pages_at')}, hash = excluded.hash,"
            " next_at = excluded.next_at, attempts = 0",
            *(ref, now, at, Told.ALL, shown, now),
        )
        self.news_for([ref], now=now)

    def turn(self, ref: str, section: str, page: int, *, at: datetime, now: datetime) -> None:
        """Show another page of a section, unless that was asked for before what is shown."""
        reader = self.reader(ref)
        if reader is not None:
            pages = json.dumps({**reader.pages, section: page})
            self.run(
                "UPDATE home_reader SET pages = ?, pages_at = ? WHERE ref = ?"
                " AND (pages_at IS NULL OR pages_at <= ?)",
                *(pages, at, ref, at),
            )
        self.hurry(ref, now=now)
        self.news_for([ref], now=now)

    def choose(self, ref: str, told: Told) -> None:
        """Remember what somebody wants to be told directly."""
        self.run("UPDATE home_reader SET told = ? WHERE ref = ?", told, ref)

    def hurry(self, ref: str, *, now: datetime) -> None:
        """Draw the Home of somebody who just did something there without the usual pause."""
        self.run("UPDATE home_reader SET next_at = ? WHERE ref = ?", now, ref)
        self._tx.after_commit(self._on_news)

    def reader(self, ref: str) -> HomeReader | None:
        """Return somebody who has opened their Home."""
        found = self.run(f"{_READER} WHERE ref = ?", ref).fetchone()
        return None if found is None else _reader(found)

    def forget(self, ref: str) -> None:
        """Forget a reader whom Slack shows no Home."""
        for table in ("home_news", "home_topic", "home_reader"):
            self.run(f"DELETE FROM {table} WHERE ref = ?", ref)  # noqa: S608  our own names

    # --- drawing ----------------------------------------------------------------------------

    def claim(self, *, now: datetime, until: datetime, by: str) -> HomeReader | None:
        """Take a Home that is to be drawn, for this process alone; what is owed comes first.

        Its news is taken with it: what is read from here on holds all of it.
        """
        ref = self._owed(now) or self._with_news(now)
        if ref is None:
            return None
        self.run("DELETE FROM home_news WHERE ref = ?", ref)
        # What is hurried while it is drawn stands out by an earlier `next_at`.
        self.run(
            "UPDATE home_reader SET claimed_by = ?, claimed_until = ?, next_at = ? WHERE ref = ?",
            *(by, until, until, ref),
        )
        return self.reader(ref)

    def _owed(self, now: datetime) -> str | None:
        found = self.run(
            "SELECT h.ref FROM home_reader h WHERE h.claimed_until IS NOT NULL"  # noqa: S608  fixed texts
            f" AND h.claimed_until <= ? ORDER BY h.claimed_until LIMIT 1{self._skip}",
            now,
        ).fetchone()
        return None if found is None else str(found[0])

    def _with_news(self, now: datetime) -> str | None:
        found = self.run(
            "SELECT h.ref FROM home_news n JOIN home_reader h ON h.ref = n.ref"  # noqa: S608  fixed texts
            " WHERE h.claimed_until IS NULL AND h.next_at <= ?"
            f" ORDER BY n.seq LIMIT 1{self._skip}",
            now,
        ).fetchone()
        return None if found is None else str(found[0])

    def set_drawn(self, ref: str, *, by: str, shown: str, next_at: datetime) -> None:
        """Note what Slack shows by now; nothing when another process holds the claim.

        Who did something there meanwhile sees it without the pause until `next_at`.
        """
        self.run(
            "UPDATE home_reader SET hash = ?, attempts = 0, claimed_by = NULL,"
            " claimed_until = NULL,"
            " next_at = CASE WHEN next_at < claimed_until THEN next_at ELSE ? END"
            " WHERE ref = ? AND claimed_by = ?",
            *(shown, next_at, ref, by),
        )

    def set_topics(self, ref: str, topics: Collection[str]) -> None:
        """Note whose workflows somebody answers for."""
        self.run("DELETE FROM home_topic WHERE ref = ?", ref)
        for workflow in sorted(topics):
            self.run("INSERT INTO home_topic (workflow, ref) VALUES (?, ?)", workflow, ref)

    def set_later(self, ref: str, *, by: str, until: datetime) -> None:
        """Try again at `until`."""
        self.run(
            "UPDATE home_reader SET claimed_until = ?, attempts = attempts + 1"
            " WHERE ref = ? AND claimed_by = ?",
            *(until, ref, by),
        )

    def topics(self, ref: str) -> frozenset[str]:
        """Return the workflows that somebody answers for, as far as their Home knows."""
        found = self.run("SELECT workflow FROM home_topic WHERE ref = ?", ref)
        return frozenset(str(one[0]) for one in found.fetchall())

    def next_moment(self) -> datetime | None:
        """Return when the earliest Home that waits for a moment may be drawn."""
        moments = [
            self.run(
                "SELECT min(claimed_until) FROM home_reader WHERE claimed_until IS NOT NULL"
            ).fetchone()[0],
            self.run(
                "SELECT min(h.next_at) FROM home_news n JOIN home_reader h ON h.ref = n.ref"
                " WHERE h.claimed_until IS NULL"
            ).fetchone()[0],
        ]
        return min((read_moment(one) for one in moments if one is not None), default=None)


def _reader(found: Sequence[Any]) -> HomeReader:
    ref, pages, told, shown, attempts = found
    turned: Mapping[str, int] = loaded(pages)
    return HomeReader(
        ref=Ref(ref), pages=turned, told=Told(told), hash=shown, attempts=int(attempts)
    )
