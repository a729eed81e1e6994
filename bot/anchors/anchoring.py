"""Brings heads of the log to those outside who keep them or vouch for them, each in its turn.

A head is taken and kept in one transaction, people outside are asked after it, and what they
gave is recorded in another one. Who fails is asked again, later each time, and nothing else
waits for that; the next digest tells of it.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.anchors.calling import AnchorError
from bot.anchors.outsiders import Outsider, Vouched
from bot.anchors.second_key import NAME, SecondKey
from bot.threaded import Threaded
from storage.anchors import Turn, TurnSql, anchored, keep_anchor
from storage.heads import ANCHORED, Head, add_lines, head_at, show_head
from storage.store import SqlStore
from workflows.entry import INTERLOCK
from workflows.errors import StorageError

LEASE = timedelta(minutes=10)  # Longer than all of them together may take.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
LONGEST_SLEEP, SHORTEST_SLEEP = 600.0, 1.0
STOP_SECONDS = 35.0
MOST_WORDS = 300

log = logging.getLogger(__name__)


class Anchoring(Threaded):
    """A part of the serving process. Of several processes, one asks in each turn."""

    def __init__(
        self,
        store: SqlStore,
        outsiders: Sequence[Outsider],
        *,
        second: SecondKey | None = None,
        every: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        """Whoever puts lines under a note stands before those who keep the note."""
        self._store = store
        self._outsiders = outsiders
        self._second = second
        self._every = every
        self._now = now
        super().__init__("anchoring", stop_seconds=STOP_SECONDS)

    def _work(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            try:
                coming = self.look()
            except StorageError:
                log.warning("heads wait for the database", exc_info=True)
                wait = LONGEST_SLEEP
            else:
                left = (coming - self._now()).total_seconds()
                wait = min(max(left, SHORTEST_SLEEP), LONGEST_SLEEP)

    def look(self) -> datetime:
        """Ask everybody whose turn has come; return the moment of the next turn.

        Raises:
            StorageError: what they gave could not be recorded.
        """
        turns = {one.name: self._claimed(one.name) for one in self._outsiders}
        asked = [(one, turn) for one in self._outsiders if (turn := turns[one.name]) is not None]
        signs = self._claimed(NAME) if self._second is not None else None
        found = self._taken() if asked else None
        if self._second is not None and (found is not None or signs is not None):
            self._sign(self._second, found, signs or Turn(name=NAME, next_at=self._now()))
        for outsider, turn in asked:
            if found is not None and not self._stopping.is_set():
                self._ask(outsider, found.size, turn)
        return self._next_turn()

    def _claimed(self, name: str) -> Turn | None:
        now = self._now()
        with self._store.database.begin() as tx:
            return TurnSql(tx).claim(name, now=now, until=now + LEASE)

    def _taken(self) -> Head:
        with self._store.database.begin() as tx:
            return show_head(tx, because=ANCHORED)

    def _next_turn(self) -> datetime:
        names = {one.name for one in self._outsiders} | ({NAME} if self._second else set())
        with self._store.database.begin() as tx:
            return TurnSql(tx).next_of(names) or self._now() + self._every

    def _sign(self, second: SecondKey, found: Head | None, turn: Turn) -> None:
        try:
            second.sign(found)
        except AnchorError as error:
            self._failed(turn, str(error))
        else:
            with self._store.database.begin() as tx:
                TurnSql(tx).done(NAME, next_at=self._now() + self._every)

    def _ask(self, outsider: Outsider, size: int, turn: Turn) -> None:
        with self._store.database.read() as connection:
            found = head_at(connection, size)  # With the lines that it got since it was taken.
        try:
            vouched = outsider.vouch(found)
        except AnchorError as error:
            self._failed(turn, str(error))
        except StorageError:
            raise
        except Exception:
            # A defect with one of them must not keep the others from being asked.
            log.exception("a head was not anchored", extra={"by": outsider.name})
            self._failed(turn, "A defect; the log of the bot has its trace.")
        else:
            self._record(outsider.name, size, vouched)

    def _record(self, name: str, size: int, vouched: Vouched) -> None:
        with self._store.begin() as unit:
            tx = unit.transaction
            if vouched.lines:
                add_lines(tx, size, vouched.lines)
            keep_anchor(tx, size, vouched.evidence)
            unit.append(anchored(size, vouched.evidence, actor=INTERLOCK))
            TurnSql(tx).done(name, next_at=self._now() + self._every)
        log.info("a head was anchored", extra={"by": name, "size": size})

    def _failed(self, turn: Turn, why: str) -> None:
        now = self._now()
        log.warning("a head was not anchored", extra={"by": turn.name, "error": why})
        with self._store.database.begin() as tx:
            TurnSql(tx).failed(
                turn.name, why[:MOST_WORDS], at=now, next_at=now + pause_after(turn.failures + 1)
            )


def pause_after(failures: int) -> timedelta:
    """Return how long whoever failed so often is left alone: longer each time, hours at most."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 12)), LONGEST_PAUSE)
