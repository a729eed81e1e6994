"""Pushes entries to a system that watches, at least once each and in the log's order.

A part of every serving process, beside its clock: a target that is slow or away keeps nothing
else waiting. What was pushed stands in the database, so any process goes on where another left.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from bot.push_target import Push, PushError, PushTooLargeError, Target, Told, target_of
from bot.threaded import Threaded
from storage.evidence.derived.sealed import Sealed, in_short
from storage.pushing import MOST, Batch, PushRows
from workflows.errors import StorageError

LOOK_SECONDS = 5.0
FIRST_SECONDS, MOST_SECONDS = 2.0, 300.0
LONGEST_SECONDS = 3600.0  # What a target may ask to be left alone for.
STOP_SECONDS = 35.0  # A batch that is under way is waited for.

log = logging.getLogger(__name__)


class Pushing(Threaded):
    """Pushes until it is stopped."""

    def __init__(
        self,
        rows: PushRows,
        push: Push,
        *,
        now: Callable[[], datetime],
        target: Target | None = None,
    ) -> None:
        """Without `target`, one is made of `push` when there is something to send."""
        self._rows = rows
        self._push = push
        self._now = now
        self._given = target
        self._failures = 0
        self._most = MOST  # Entries at once, fewer for a target that takes fewer.
        super().__init__("push", stop_seconds=STOP_SECONDS)

    def look(self) -> float:
        """Push what comes next, if anything does; return after how many seconds to look again.

        Raises:
            StorageError: the database is away.
        """
        if not self._rows.state().behind:
            return LOOK_SECONDS
        batch = self._rows.take(now=self._now())
        if batch is None or not batch.entries:
            return LOOK_SECONDS
        batch = replace(batch, entries=batch.entries[: self._most])
        try:
            told = self._hand_over(batch)
        except PushError as error:
            return self._refused(error, len(batch.entries))
        self._rows.sent(batch, now=self._now(), told=told)
        if self._failures:
            log.info("entries are pushed again", extra={"target": self._push.name})
        self._failures = 0
        return 0.0 if self._rows.state().behind else LOOK_SECONDS

    @cached_property
    def _target(self) -> Target:
        return self._given or target_of(self._push)

    def _hand_over(self, batch: Batch) -> str:
        """Send a batch; return what people should know of how it was taken.

        An entry that is too large by itself goes without what it tells: all that comes after it
        would wait for ever otherwise, and whoever watches sees that something is left out.
        """
        try:
            self._target.send([self._told(entry, batch.origin) for entry in batch.entries])
        except PushTooLargeError:
            if len(batch.entries) > 1:
                raise
        else:
            return ""
        (entry,) = batch.entries
        self._target.send([self._told(in_short(entry), batch.origin)])
        self._most = MOST
        log.warning(
            "an entry was pushed without what it tells",
            extra={"target": self._push.name, "idx": entry.idx, "id": entry.id},
        )
        return f"entry #{entry.idx} was too large for it and went without what it tells"

    def _told(self, entry: Sealed, origin: str) -> Told:
        return Told(entry.kind, entry.ts, self._push.event(entry, origin))

    def _refused(self, error: PushError, count: int) -> float:
        if isinstance(error, PushTooLargeError) and count > 1:
            self._most = count // 2
            return 0.0
        return max(self._fail(str(error)), min(error.after, LONGEST_SECONDS))

    def _fail(self, trouble: str) -> float:
        self._rows.failed(trouble, now=self._now())
        self._failures += 1
        if self._failures == 1:
            # Once: how it goes on is for `interlock audit push` to tell.
            told = {"target": self._push.name, "trouble": trouble}
            log.warning("entries cannot be pushed", extra=told)
        return min(FIRST_SECONDS * 2.0 ** (self._failures - 1), MOST_SECONDS)

    def _work(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = self.look()
            except StorageError:
                log.warning("pushing waits for the database", exc_info=True)
                pause = LOOK_SECONDS
            except Exception:
                log.exception("pushing failed")
                pause = MOST_SECONDS
        self._let_go()

    def _let_go(self) -> None:
        try:
            self._rows.let_go()
        except StorageError:
            log.warning("another process pushes only after a while", exc_info=True)
