"""Wakes up when something is due, in every replica, and does it once.

Due-rows (expiries, retries, timers) are handled by the engine in the transaction that removes
them, schedules by the `timetable`. One thread sleeps until the next moment it knows of; it need
remember nothing, since all that is due stands in the database.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.logs import attributed
from bot.timetable import Timetable
from storage.request_ends import SetBack
from workflows.errors import StorageError
from workflows.store import Due, DueKind, Store

log = logging.getLogger(__name__)

# Replicas that are gone took the moments they knew with them; the others look this often.
BACKSTOP = timedelta(seconds=15)
BATCH = 100
# Slack repeats a delivery for a day at most.
KEPT_DELIVERIES = timedelta(hours=48)
TIDIED_EVERY = timedelta(hours=1)
SOON = timedelta(seconds=1)
SET_BACK = timedelta(minutes=1)  # Less than that is a clock that is kept right.
FARTHEST = timedelta(days=1)  # Reminders are seldom farther apart.
NEVER = datetime.max.replace(tzinfo=UTC)


class Clock:
    """The alarm of one process. `due_at` tells it of a moment, `look` does what is due."""

    def __init__(
        self,
        store: Store,
        handle: Callable[[Due], None],
        timetable: Timetable,
        *,
        now: Callable[[], datetime],
        backstop: timedelta = BACKSTOP,
        forget: Callable[[datetime], object] = lambda _before: None,
        end_in_time: Callable[[SetBack], object] = lambda _clock: None,
    ) -> None:
        """`forget` removes deliveries that were seen before a moment.

        `end_in_time` is told of a clock that was set back, so that requests do not live longer.
        """
        self._store = store
        self._handle = handle
        self._timetable = timetable
        self._now = now
        self._backstop = backstop
        self._forget = forget
        self._end_in_time = end_in_time
        self._turn = threading.Condition()
        self._wakes_at = NEVER
        self._is_stopping = False
        self._goes_on: tuple[float, datetime] | None = None  # Of the newest look, by both clocks.
        self._thread = threading.Thread(target=attributed(self._work), name="clock", daemon=True)

    def start(self) -> None:
        """Look at once, then whenever something is due."""
        self._thread.start()

    def stop(self) -> None:
        """Do nothing new; what is being done is finished."""
        with self._turn:
            self._is_stopping = True
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join()

    def due_at(self, at: datetime) -> None:
        """Wake at `at`, unless it wakes before that anyhow. Cheap, and safe from any thread."""
        with self._turn:
            if at < self._wakes_at:
                self._wakes_at = at
                self._turn.notify()

    def _work(self) -> None:
        tidies_at = time.monotonic()
        while not self._is_stopping:
            self._try(self.look)
            if time.monotonic() >= tidies_at:
                self._try(self._tidy)
                tidies_at = time.monotonic() + TIDIED_EVERY.total_seconds()
            self._sleep(time.monotonic() + self._backstop.total_seconds())

    def _try(self, work: Callable[[], None]) -> None:
        """Do something; a defect in it does not end the clock."""
        try:
            work()
        except Exception:
            log.exception("the clock could not do its work")

    def _sleep(self, ends: float) -> None:
        """Return when something is due, at the latest at `ends`, or to stop."""
        while True:
            now = self._now()  # The database's time where it has a clock: it may have to be asked.
            with self._turn:
                left = min((self._wakes_at - now).total_seconds(), ends - time.monotonic())
                if self._is_stopping or left <= 0:
                    return
                self._turn.wait(left)

    def look(self) -> None:
        """Do everything that is due, and set the alarm for what comes next."""
        with self._turn:
            self._wakes_at = NEVER  # What is stored from here on sets the alarm itself.
        try:
            coming = self._do_what_is_due()
        except StorageError:
            log.warning("the clock waits for the database", exc_info=True)
            self._timetable.note_outage()
            return
        if coming is not None:
            self.due_at(coming)

    def _tidy(self) -> None:
        try:
            self._forget(self._now() - KEPT_DELIVERIES)
        except StorageError:
            log.warning("old deliveries stay for now", exc_info=True)

    def _do_what_is_due(self) -> datetime | None:
        now = self._now()
        self._mind_the_clock(now)
        failed = self._handle_rows(now)
        moments = [self._timetable.fire_due(now)]
        if not failed:
            moments.append(self._store.next_due())
        # What failed stays due: the next regular look tries it again, and nothing spins.
        coming = min((at for at in moments if at is not None), default=None)
        return now + SOON if coming is not None and coming <= now else coming

    def _mind_the_clock(self, now: datetime) -> None:
        """Have moments found anew if the clock was set back since the last look.

        What people are to be told of again and again would else stay away for as long as the
        clock was ahead, and requests would be open for longer than they may. What else has one
        moment keeps it. At the first look nobody knows what the clock did, but nobody is left
        alone with a trouble for longer than a day, and no request has more time than it was given.
        """
        before, here = self._goes_on, time.monotonic()
        if before is None:
            self._find_anew(after=now + FARTHEST)
            self._end_in_time(SetBack(now=now))
        else:
            gone = timedelta(seconds=here - before[0])
            by = before[1] + gone - now
            if by > SET_BACK:
                log.warning("the clock was set back", extra={"seconds": int(by.total_seconds())})
                self._find_anew(after=now)
                self._end_in_time(SetBack(now=now, by=by, since=now - gone))
        self._goes_on = here, now  # Not before: without the database it is done at the next look.

    def _find_anew(self, *, after: datetime) -> None:
        for due in self._store.due_of(DueKind.CHASE, after=after):
            self._fails(due)

    def _handle_rows(self, now: datetime) -> bool:
        """Handle due-rows until there are none; True if some stayed because of a defect."""
        while rows := self._store.due(until=now, limit=BATCH):
            failures = [self._fails(due) for due in rows]
            if any(failures):
                return True
            if len(rows) < BATCH:
                return False
        return False

    def _fails(self, due: Due) -> bool:
        try:
            self._handle(due)
        except StorageError:
            raise
        except Exception:
            log.exception("due work failed", extra={"kind": str(due.kind), "key": due.key})
            return True
        return False
